"""May this message go now? One pure function with one answer, and the proof that goes with it.

The checks come in a fixed order, and the first that does not pass gives the answer:

1. consent: suppression list, standing with the program, proof of it, a pause;
2. suspension: an unclear opt-out waits for a person;
3. reachability: does the number work? (a fact of its own, never mixed with consent);
4. the campaign: kill switch, confirmed epoch after a restore, its state;
5. lateness: too early, or too late to go at all;
6. caps: law, promise, wish, the shop's own limits;
7. windows: quiet hours of every place where the person may be.

Consent is first because it is what matters to the person, and because a refusal must name the
strongest reason. Who is held beyond the message's last moment is refused as expired instead: a
late campaign does not go out in the middle of something else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import chain
from typing import Final

from keywords.consent import State
from keywords.ledger import Json
from keywords.people import Standing
from keywords.shop import Category
from worker.policy import caps, geography, holidays, hours, windows
from worker.policy.caps import Limit, Reached
from worker.policy.facts import RUNNING, Allowed, Decision, Facts, Held, Refused
from worker.policy.hours import Preset
from worker.policy.places import Place
from worker.policy.reasons import Reason
from worker.policy.windows import ROOM

# The version of the checks in this module; raise it when an answer changes.
CHECKS: Final = 3
VERSION: Final = (
    f"policy {CHECKS}, quiet_hours {hours.VERSION}, holidays {holidays.VERSION}, "
    f"geography {geography.VERSION}"
)

NOT_AGREED: Final = {
    State.NONE: Reason.NEVER_AGREED,
    State.PENDING: Reason.PENDING,
    State.UNSUBSCRIBED: Reason.UNSUBSCRIBED,
}
NOT_REACHED: Final = {
    "invalid": Reason.UNREACHABLE,
    "deactivated": Reason.UNREACHABLE,
    "unreachable": Reason.UNREACHABLE,
    "landline": Reason.LANDLINE,
}
# What each state of a campaign but RUNNING means. The last three wait for a person.
_NOT_RUNNING: Final = {
    "finished": Reason.CAMPAIGN_OVER,
    "canceled": Reason.CAMPAIGN_OVER,
    "paused": Reason.CAMPAIGN_PAUSED,
}


def decide(facts: Facts, now: datetime) -> Decision:
    """Whether the message may go at the aware time ``now``. Every combination has one answer."""
    last = _last(facts)
    for check in _CHECKS:
        found = check(facts, now, last)
        if found is not None:
            return found
    return _in_window(facts, now, last)


def _consent(facts: Facts, now: datetime, last: datetime | None) -> Decision | None:
    """Consent to this program, with proof. A pause whose time is over has ended by itself."""
    standing = facts.standing
    if facts.suppressed:
        return _refused(Reason.SUPPRESSED, "consent.suppression_list", {})
    if standing is None:
        return _refused(Reason.NEVER_AGREED, "consent.state", {"consent": None})
    if standing.state in NOT_AGREED:
        return _refused(NOT_AGREED[standing.state], "consent.state", _consent_of(facts, standing))
    if standing.confirmed_at is None:
        return _refused(Reason.NO_PROOF, "consent.proof", _consent_of(facts, standing))
    if standing.state is State.PAUSED and facts.campaign.category is Category.MARKETING:
        until = standing.paused_until
        if until is None or until > now:
            said = _consent_of(facts, standing)
            return _held(facts, (Reason.PAUSED, "consent.pause"), said, now, last, until)
    return None


def _suspension(facts: Facts, now: datetime, last: datetime | None) -> Decision | None:
    """What may have been an opt-out stops everything until a person has read it."""
    del now, last
    return _refused(Reason.SUSPENDED, "suspension", {}) if facts.suspended else None


def _reachability(facts: Facts, now: datetime, last: datetime | None) -> Decision | None:
    del now, last
    reason = NOT_REACHED.get(facts.reachability)
    return (
        _refused(reason, "reachability", {"reachability": facts.reachability}) if reason else None
    )


def _campaign(facts: Facts, now: datetime, last: datetime | None) -> Decision | None:
    """What stops the whole campaign. Nobody knows for how long, so a hold has no end."""
    campaign = facts.campaign
    told: dict[str, Json] = {"campaign": campaign.state}
    if campaign.sending_stopped:
        return _held(facts, (Reason.KILL_SWITCH, "campaign.kill_switch"), told, now, last, None)
    if not campaign.epoch_confirmed:
        return _held(facts, (Reason.EPOCH, "campaign.epoch"), told, now, last, None)
    if campaign.state == RUNNING:
        return None
    reason = _NOT_RUNNING.get(campaign.state, Reason.CAMPAIGN_NOT_RUNNING)
    if reason is Reason.CAMPAIGN_OVER:
        return _refused(reason, "campaign.state", told)
    return _held(facts, (reason, "campaign.state"), told, now, last, None)


def _lateness(facts: Facts, now: datetime, last: datetime | None) -> Decision | None:
    due = facts.not_before
    if last is not None and now + ROOM > last:
        return _refused(Reason.EXPIRED, "lateness", _lateness_of(facts, last))
    if due is not None and due > now:
        return _held(
            facts, (Reason.TOO_EARLY, "lateness"), _lateness_of(facts, last), now, last, due
        )
    return None


def _caps(facts: Facts, now: datetime, last: datetime | None) -> Decision | None:
    found = caps.reached(_limits(facts, now), facts.sent, now)
    if found is None:
        return None
    said, cause = _cap_of(found), (found.limit.reason, found.limit.rule)
    if found.free_at is None:
        return _refused(*cause, said)
    return _held(facts, cause, said, now, last, found.free_at)


def _in_window(facts: Facts, now: datetime, last: datetime | None) -> Decision:
    """The last check, and the answer when nothing spoke against it."""
    campaign, place = facts.campaign, facts.place
    found = windows.window(place, campaign.preset, now)
    hours_of = windows.evidence(place, campaign.preset, found)
    if found is None:
        return _refused(Reason.NO_COMMON_HOURS, "quiet_hours", {"hours": hours_of})
    if found.opens > now:
        blocking = windows.blocking(place, campaign.preset, now)
        rule = f"quiet_hours.{blocking[0]}" if blocking else "quiet_hours"
        said: dict[str, Json] = {"hours": hours_of, "blocking": list(blocking or ())}
        return _held(facts, (Reason.QUIET_HOURS, rule), said, now, last, found.opens)
    until = found.closes if last is None else min(found.closes, last)
    return Allowed(
        Reason.ALLOWED, f"preset.{campaign.preset}", VERSION, _proof(facts, hours_of), until
    )


_CHECKS: Final[tuple[Callable[[Facts, datetime, datetime | None], Decision | None], ...]] = (
    _consent,
    _suspension,
    _reachability,
    _campaign,
    _lateness,
    _caps,
)


def _last(facts: Facts) -> datetime | None:
    """After when the message may not go any more, if there is such a moment.

    Lateness counts from the first moment at which the message might have gone: who is asleep when
    a campaign starts is not late until they have woken.
    """
    late = facts.campaign.max_lateness
    if late is None or facts.not_before is None:
        return facts.not_after
    first = _first_open(facts.place, facts.campaign.preset, facts.not_before)
    last = first + max(late, ROOM)
    return last if facts.not_after is None else min(last, facts.not_after)


@lru_cache(maxsize=1 << 14)
def _first_open(place: Place, preset: Preset, due: datetime) -> datetime:
    """The first allowed moment at or after ``due``; ``due`` itself where there is none at all."""
    found = windows.window(place, preset, due)
    return max(found.opens, due) if found else due


def _limits(facts: Facts, now: datetime) -> Iterator[Limit]:
    """Every limit that binds this message. Those of law and shop are about marketing alone."""
    campaign, standing = facts.campaign, facts.standing
    wished = standing.frequency if standing else None
    # Who got nothing lately has no limit to reach, and most people are that.
    months = windows.months(facts.place, now) if facts.sent else ()
    own = caps.of_frequency(campaign.program, facts.promised, wished, months)
    if campaign.category is not Category.MARKETING:
        return own
    law = windows.daily_caps(facts.place, campaign.preset, now)
    return chain(
        caps.of_law(law, campaign.subject), own, caps.of_shop(campaign.limits, campaign.program)
    )


def _held(
    facts: Facts,
    cause: tuple[Reason, str],
    said: dict[str, Json],
    now: datetime,
    last: datetime | None,
    until: datetime | None,
) -> Held | Refused:
    """Held until the first open moment from ``until`` on; refused if ``last`` comes before that.

    ``cause`` is the reason and the rule.
    """
    reason, rule = cause
    if until is not None:
        until = _first_open(facts.place, facts.campaign.preset, until)
    latest = None if last is None else last - ROOM
    if latest is not None and (until or now) > latest:
        because: dict[str, Json] = {"last": latest.isoformat(), "held_by": str(reason)}
        return Refused(Reason.EXPIRED, rule, VERSION, said | because, reason)
    return Held(reason, rule, VERSION, said, until, last)


def _refused(reason: Reason, rule: str, said: dict[str, Json]) -> Refused:
    return Refused(reason, rule, VERSION, said)


def _proof(facts: Facts, hours_of: Json) -> dict[str, Json]:
    """Why a message was allowed: the consent, how many were sent lately, place and window."""
    assert facts.standing is not None
    return {
        **_consent_of(facts, facts.standing),
        "sent": {"days": caps.LONGEST.days, "count": len(facts.sent)},
        "hours": hours_of,
    }


def _consent_of(facts: Facts, standing: Standing) -> dict[str, Json]:
    return {
        "consent": {
            "program": facts.campaign.program,
            "state": str(standing.state),
            "method": standing.method,
            "confirmed_at": _iso(standing.confirmed_at),
            "version": standing.version,
            "entry": facts.consent,
        }
    }


def _lateness_of(facts: Facts, last: datetime | None) -> dict[str, Json]:
    return {"not_before": _iso(facts.not_before), "last": _iso(last)}


def _cap_of(found: Reached) -> dict[str, Json]:
    limit = found.limit
    return {
        "cap": {
            "count": limit.count,
            "minutes": limit.per // timedelta(minutes=1),
            "program": limit.program,
            "subject": limit.subject,
            "sent": found.counted,
        }
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None
