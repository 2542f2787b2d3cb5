"""May this message go now? Every check, their order, and that there is always one answer."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.consent import State
from keywords.shop import Category
from keywords.signals import Frequency, Period
from storage.campaigns import CampaignState
from tests.worker.policy.cases import AGREED, NEW_YORKER, NOON, facts, local, place, sent
from worker.policy import windows
from worker.policy.allowance import VERSION, decide
from worker.policy.caps import ShopLimits
from worker.policy.facts import Allowed, Facts, Held, Refused
from worker.policy.hours import Preset
from worker.policy.reasons import SENTENCES, Reason
from worker.policy.windows import ROOM

HOUR, MINUTE, DAY = timedelta(hours=1), timedelta(minutes=1), timedelta(days=1)
NINE_PM = local("America/New_York", "2026-11-24T21:00")
NEXT_MORNING = local("America/New_York", "2026-11-25T08:00")


def test_a_message_to_somebody_who_agreed_may_go_until_the_evening() -> None:
    """The answer says until when it must be delivered, and on what grounds."""
    decision = decide(facts(), NOON)

    assert isinstance(decision, Allowed)
    assert decision.until == NINE_PM
    stored = decision.as_json()
    assert stored["answer"] == "allowed"
    assert stored["version"] == VERSION
    evidence = json.loads(json.dumps(stored["evidence"]))
    assert evidence["consent"] == {
        "program": "deals",
        "state": "subscribed",
        "method": "sms_keyword",
        "confirmed_at": "2026-05-01T00:00:00+00:00",
        "version": 3,
        "entry": "entry-7",
    }
    assert evidence["sent"] == {"days": 32, "count": 0}
    assert evidence["hours"] == {
        "preset": "state_table",
        "place": {
            "source": "area_code",
            "confidence": "low",
            "countries": ["US"],
            "states": ["NY"],
            "zones": ["America/New_York"],
        },
        "laws": [["federal", "America/New_York"], ["NY", "America/New_York"]],
        "window": ["2026-11-24T13:00:00+00:00", "2026-11-25T02:00:00+00:00"],
    }


REFUSED = [
    pytest.param({"suppressed": True}, Reason.SUPPRESSED, id="suppressed"),
    pytest.param({"standing": None}, Reason.NEVER_AGREED, id="a stranger"),
    pytest.param({"standing": replace(AGREED, state=State.NONE)}, Reason.NEVER_AGREED, id="none"),
    pytest.param({"standing": replace(AGREED, state=State.PENDING)}, Reason.PENDING, id="pending"),
    pytest.param(
        {"standing": replace(AGREED, state=State.UNSUBSCRIBED)}, Reason.UNSUBSCRIBED, id="stop"
    ),
    pytest.param({"standing": replace(AGREED, confirmed_at=None)}, Reason.NO_PROOF, id="no proof"),
    pytest.param({"suspended": True}, Reason.SUSPENDED, id="suspended"),
    pytest.param({"reachability": "invalid"}, Reason.UNREACHABLE, id="invalid"),
    pytest.param({"reachability": "deactivated"}, Reason.UNREACHABLE, id="given up"),
    pytest.param({"reachability": "landline"}, Reason.LANDLINE, id="landline"),
    pytest.param({"campaign": {"state": "canceled"}}, Reason.CAMPAIGN_OVER, id="canceled"),
    pytest.param({"campaign": {"state": "finished"}}, Reason.CAMPAIGN_OVER, id="finished"),
    pytest.param({"not_after": NOON}, Reason.EXPIRED, id="too late"),
    pytest.param({"not_after": NOON + ROOM - MINUTE / 2}, Reason.EXPIRED, id="no time left"),
    pytest.param(
        {"campaign": {"limits": ShopLimits((Frequency(0, Period.DAY),))}},
        Reason.CAP_PERSON,
        id="a limit of none",
    ),
]


@pytest.mark.parametrize(("change", "reason"), REFUSED)
def test_one_fact_is_enough_to_refuse(change: dict[str, Any], reason: Reason) -> None:
    """Each fact by itself, with everything else in order."""
    decision = decide(facts(**change), NOON)

    assert isinstance(decision, Refused)
    assert decision.reason is reason
    assert decision.as_json()["answer"] == "refused"


def test_consent_comes_first() -> None:
    """Whatever else is wrong, who said STOP is refused for that; then suspension, and so on."""
    wrong: dict[str, Any] = {
        "suppressed": True,
        "standing": replace(AGREED, state=State.UNSUBSCRIBED),
        "suspended": True,
        "reachability": "invalid",
        "campaign": {
            "sending_stopped": True,
            "epoch_confirmed": False,
            "state": "paused",
            "limits": ShopLimits(spacing=DAY),
        },
        "not_before": NOON + HOUR,
        "sent": sent(HOUR),
        "place": place("+18085550123"),
    }
    right: list[tuple[Reason, dict[str, Any]]] = [
        (Reason.SUPPRESSED, {"suppressed": False}),
        (Reason.UNSUBSCRIBED, {"standing": AGREED}),
        (Reason.SUSPENDED, {"suspended": False}),
        (Reason.UNREACHABLE, {"reachability": "unknown"}),
        (Reason.KILL_SWITCH, {"campaign": wrong["campaign"] | {"sending_stopped": False}}),
        (Reason.EPOCH, {"campaign": {"state": "paused", "limits": ShopLimits(spacing=DAY)}}),
        (Reason.CAMPAIGN_PAUSED, {"campaign": {"limits": ShopLimits(spacing=DAY)}}),
        (Reason.TOO_EARLY, {"not_before": NOON}),
        (Reason.CAP_SPACING, {"sent": ()}),
        (Reason.QUIET_HOURS, {"place": place()}),
        (Reason.ALLOWED, {}),
    ]
    for reason, repair in right:
        assert decide(facts(**wrong), NOON).reason is reason
        wrong |= repair


@pytest.mark.parametrize(
    ("change", "reason", "until"),
    [
        pytest.param(
            {"standing": replace(AGREED, state=State.PAUSED, paused_until=NOON + HOUR)},
            Reason.PAUSED,
            NOON + HOUR,
            id="paused",
        ),
        pytest.param(
            {"standing": replace(AGREED, state=State.PAUSED)}, Reason.PAUSED, None, id="for ever"
        ),
        pytest.param({"campaign": {"sending_stopped": True}}, Reason.KILL_SWITCH, None, id="kill"),
        pytest.param({"campaign": {"epoch_confirmed": False}}, Reason.EPOCH, None, id="restored"),
        pytest.param(
            {"campaign": {"state": "paused"}}, Reason.CAMPAIGN_PAUSED, None, id="paused c"
        ),
        pytest.param(
            {"campaign": {"state": "draft"}}, Reason.CAMPAIGN_NOT_RUNNING, None, id="draft"
        ),
        pytest.param(
            {"not_before": NOON + 2 * HOUR}, Reason.TOO_EARLY, NOON + 2 * HOUR, id="planned"
        ),
        pytest.param(
            {"not_before": NINE_PM + HOUR}, Reason.TOO_EARLY, NEXT_MORNING, id="planned at night"
        ),
        pytest.param(
            {"sent": sent(HOUR), "campaign": {"limits": ShopLimits(spacing=6 * HOUR)}},
            Reason.CAP_SPACING,
            NOON + 5 * HOUR,
            id="spacing",
        ),
        pytest.param(
            {"sent": sent(HOUR), "campaign": {"limits": ShopLimits(spacing=12 * HOUR)}},
            Reason.CAP_SPACING,
            NEXT_MORNING,
            id="spacing into the night",
        ),
        pytest.param(
            {"sent": sent(HOUR), "promised": Frequency(1, Period.WEEK)},
            Reason.CAP_PROMISE,
            NOON - HOUR + 7 * DAY,
            id="promise",
        ),
        pytest.param(
            {"sent": sent(HOUR), "standing": replace(AGREED, frequency=Frequency(1, Period.WEEK))},
            Reason.CAP_WISH,
            NOON - HOUR + 7 * DAY,
            id="wish",
        ),
        pytest.param(
            {"sent": sent(HOUR, 2 * HOUR, 3 * HOUR), "place": place("+13055550123")},
            Reason.CAP_LAW,
            NOON + 21 * HOUR,
            id="three in a day",
        ),
    ],
)
def test_one_fact_is_enough_to_hold(
    change: dict[str, Any], reason: Reason, until: datetime | None
) -> None:
    """With the moment at which to ask again, when one is known; never in quiet hours."""
    decision = decide(facts(**change), NOON)

    assert isinstance(decision, Held)
    assert (decision.reason, decision.until) == (reason, until)
    assert decision.as_json()["until"] == (until.isoformat() if until else None)


def test_at_night_it_is_held_until_the_morning() -> None:
    """And the law that keeps it is named."""
    decision = decide(facts(), NINE_PM + HOUR)

    assert isinstance(decision, Held)
    assert decision.until == NEXT_MORNING
    assert decision.rule in {"quiet_hours.federal", "quiet_hours.NY"}
    assert decision.sentence == SENTENCES[Reason.QUIET_HOURS]


def test_a_pause_that_is_over_holds_nothing() -> None:
    """The person named the day; it need not be swept first."""
    over = replace(AGREED, state=State.PAUSED, paused_until=NOON)
    assert isinstance(decide(facts(standing=over), NOON), Allowed)


def test_a_pause_is_about_marketing() -> None:
    """News of an order still come; so do they above the limits for marketing."""
    campaign = {"category": Category.INFORMATIONAL, "limits": ShopLimits(spacing=DAY)}
    paused = replace(AGREED, state=State.PAUSED)
    told = facts(standing=paused, campaign=campaign, sent=sent(HOUR), place=place("+13055550123"))
    assert isinstance(decide(told, NOON), Allowed)


def test_a_promise_is_kept_for_information_too() -> None:
    """The frequency is part of what the person agreed to, whatever the texts are about."""
    told = facts(
        campaign={"category": Category.INFORMATIONAL},
        sent=sent(HOUR, marketing=False),
        promised=Frequency(1, Period.DAY),
    )
    assert decide(told, NOON).reason is Reason.CAP_PROMISE


FOUR = Frequency(4, Period.MONTH)


@pytest.mark.parametrize(
    ("days", "now", "rule"),
    [
        pytest.param([2, 9, 16, 23], "11-24T12:00", "frequency.promise.calendar", id="four so far"),
        pytest.param([2, 9, 16, 23], "11-30T12:00", "frequency.promise.calendar", id="a fifth"),
        pytest.param([2, 9, 16, 23], "12-01T09:00", None, id="the next month"),
        pytest.param([20, 21, 22, 23], "12-01T09:00", "frequency.promise", id="all at the end"),
        pytest.param([9, 16, 23], "11-24T12:00", None, id="three"),
        pytest.param([1], "12-01T09:00", None, id="long ago"),
    ],
)
def test_a_monthly_promise_holds_in_each_month_and_in_any_four_weeks(
    days: list[int], now: str, rule: str | None
) -> None:
    """Five Mondays are one too many for "four a month", and so are eight around a month's end."""
    texts = tuple(
        text
        for day in days
        for text in sent(timedelta(0), now=local("America/New_York", f"2026-11-{day:02}T12:00"))
    )
    told = facts(promised=FOUR, sent=texts)
    decision = decide(told, local("America/New_York", f"2026-{now}"))
    assert (None if isinstance(decision, Allowed) else decision.rule) == rule


def test_a_month_ends_with_the_last_clock_that_may_be_theirs() -> None:
    """Somebody in New York or Los Angeles: the next text waits until both have December."""
    both = replace(place(), zones=("America/New_York", "America/Los_Angeles"))
    told = facts(
        place=both,
        promised=Frequency(1, Period.MONTH),
        sent=sent(29 * DAY, now=local("America/New_York", "2026-11-30T12:00")),
    )
    decision = decide(told, local("America/New_York", "2026-11-30T12:00"))
    assert isinstance(decision, Held)
    assert decision.rule == "frequency.promise.calendar"
    # Nobody is texted before the morning, which comes last in the west.
    assert decision.until == local("America/Los_Angeles", "2026-12-01T08:00")


@pytest.mark.parametrize("state", list(CampaignState))
def test_only_a_running_campaign_sends(state: CampaignState) -> None:
    """Every state that storage knows has an answer here."""
    decision = decide(facts(campaign={"state": state}), NOON)
    assert isinstance(decision, Allowed) is (state is CampaignState.RUNNING)


def test_places_without_a_common_hour_are_refused() -> None:
    """Night in one of them at any time: it could be held for ever."""
    scattered = replace(
        place(), zones=("Pacific/Kiritimati", "America/New_York", "Europe/Athens", "Asia/Tokyo")
    )
    decision = decide(facts(place=scattered), NOON)
    assert decision.reason is Reason.NO_COMMON_HOURS


LATE = {"max_lateness": 30 * MINUTE}


@pytest.mark.parametrize(
    ("phone", "due", "now", "answer"),
    [
        pytest.param(NEW_YORKER, "10:00", "10:29", Allowed, id="a little late"),
        pytest.param(NEW_YORKER, "10:00", "18:00", Refused, id="eight hours late"),
        pytest.param("+14155550123", "10:00", "10:00", Held, id="asleep when it starts"),
        pytest.param("+14155550123", "10:00", "11:20", Allowed, id="on waking"),
        pytest.param("+14155550123", "10:00", "11:40", Refused, id="late after waking"),
        pytest.param(NEW_YORKER, "20:50", "20:55", Allowed, id="just before the evening"),
        pytest.param(NEW_YORKER, "20:50", "21:05", Refused, id="the evening came first"),
    ],
)
def test_a_late_campaign_expires(phone: str, due: str, now: str, answer: type) -> None:
    """Lateness counts from the first moment at which the message might have gone."""
    moments = [local("America/New_York", f"2026-11-24T{at}") for at in (due, now)]
    told = facts(place=place(phone), campaign=LATE, not_before=moments[0])
    decision = decide(told, moments[1])

    assert isinstance(decision, answer)
    if isinstance(decision, Refused):
        assert decision.reason is Reason.EXPIRED


def test_who_is_held_too_long_is_refused_with_what_held_them() -> None:
    """A report can still tell the capped from those whose evening came."""
    capped = facts(
        campaign=LATE, not_before=NOON, sent=sent(HOUR), promised=Frequency(1, Period.DAY)
    )
    decision = decide(capped, NOON)

    assert isinstance(decision, Refused)
    assert (decision.reason, decision.because) == (Reason.EXPIRED, Reason.CAP_PROMISE)
    assert decision.as_json()["because"] == "policy.cap.promise"


def test_a_paused_campaign_expires_too() -> None:
    """Whoever resumes it in the evening does not send the morning's texts."""
    told = facts(campaign=LATE | {"state": "paused"}, not_before=NOON)
    assert isinstance(decide(told, NOON), Held)
    late = decide(told, NOON + HOUR)
    assert isinstance(late, Refused)
    assert late.because is Reason.CAMPAIGN_PAUSED


def test_every_reason_has_a_sentence() -> None:
    """For the preview, the API and the console."""
    assert set(SENTENCES) == set(Reason)
    for sentence in SENTENCES.values():
        assert sentence.endswith(".")


MAYBE_TIMES = st.none() | st.timedeltas(-2 * DAY, 2 * DAY).map(lambda d: NOON + d)
STANDINGS = st.none() | st.builds(
    replace,
    st.just(AGREED),
    state=st.sampled_from(State),
    confirmed_at=st.sampled_from([None, AGREED.confirmed_at]),
    frequency=st.sampled_from([None, Frequency(0, Period.DAY), Frequency(2, Period.WEEK)]),
    paused_until=MAYBE_TIMES,
)
CAMPAIGNS = st.fixed_dictionaries(
    {
        "state": st.sampled_from([*map(str, CampaignState), "nonsense"]),
        "category": st.sampled_from(Category),
        "preset": st.sampled_from(Preset),
        "max_lateness": st.sampled_from([None, timedelta(0), 30 * MINUTE, DAY]),
        "sending_stopped": st.booleans(),
        "epoch_confirmed": st.booleans(),
        "limits": st.sampled_from(
            [ShopLimits(), ShopLimits((Frequency(1, Period.DAY),), (), HOUR)]
        ),
    }
)
PLACES = st.sampled_from([place(), place("+18005550123"), place("+13055550123", zip="99501")])
SENT = st.lists(st.timedeltas(-HOUR, 30 * DAY), max_size=6).map(lambda ago: sent(*ago))
FACTS = st.builds(
    facts,
    campaign=CAMPAIGNS,
    standing=STANDINGS,
    place=PLACES,
    promised=st.sampled_from([None, Frequency(1, Period.DAY), Frequency(4, Period.MONTH)]),
    suppressed=st.booleans(),
    suspended=st.booleans(),
    reachability=st.sampled_from(["unknown", "reachable", "doubtful", "invalid", "landline"]),
    sent=SENT,
    not_before=MAYBE_TIMES,
    not_after=MAYBE_TIMES,
)


@given(FACTS, st.timedeltas(-2 * DAY, 2 * DAY))
def test_there_is_always_exactly_one_answer(told: Facts, shift: timedelta) -> None:
    """Every combination: one answer that can be stored, and none that contradicts the facts."""
    now = NOON + shift
    decision = decide(told, now)

    assert decide(told, now) == decision
    assert json.loads(json.dumps(decision.as_json()))["reason"] == decision.reason
    assert decision.sentence
    if isinstance(decision, Held):
        assert decision.until is None or decision.until > now
        assert decision.expires is None or decision.expires >= now + ROOM
    if isinstance(decision, Allowed):
        standing = told.standing
        assert standing is not None
        assert standing.confirmed_at is not None
        assert standing.state in (State.SUBSCRIBED, State.PAUSED)
        stops = [told.suspended, told.suppressed, told.campaign.sending_stopped]
        assert not any(stops)
        assert told.campaign.state == "running"
        assert decision.until <= (told.not_after or decision.until)
        open_now = windows.window(told.place, told.campaign.preset, now)
        assert open_now is not None
        assert open_now.opens <= now < decision.until <= open_now.closes


@given(FACTS)
def test_what_waits_for_a_cap_or_the_morning_may_go_then(told: Facts) -> None:
    """At the moment that is answered it is allowed, if nothing has changed; a minute before not."""
    decision = decide(told, NOON)
    if not isinstance(decision, Held) or decision.until is None:
        return
    if decision.reason in (Reason.TOO_EARLY, Reason.PAUSED):
        return
    assert isinstance(decide(told, decision.until), Allowed)
    assert not isinstance(decide(told, decision.until - timedelta(seconds=1)), Allowed)
