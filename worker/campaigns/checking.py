"""Ask the policy about each message of a batch, and make the texts of those that may go."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from keywords.consent import State
from keywords.people import Standing, read_frequency
from keywords.shop import Category, Shop
from keywords.signals import Frequency
from storage.campaigns import RecipientState
from storage.claiming import Claim, Settled
from storage.due_facts import DueCampaignFacts, DuePerson
from worker.campaigns.texts import CampaignTexts
from worker.policy.allowance import decide
from worker.policy.caps import LONGEST, Sent, ShopLimits
from worker.policy.facts import Allowed, CampaignFacts, Facts, Held, Refused
from worker.policy.hours import Preset
from worker.policy.places import Evidence, locate
from worker.policy.reasons import Reason
from worker.texts.plans import CannotRender

# Another text to the same person is in mid-call: its outcome decides whether this one may follow.
ELSEWHERE: Final = "sending.elsewhere"
_ELSEWHERE_S: Final = (2.0, 6.0)
# A hold without an end (somebody paused, a switch is on) is looked at again then.
_AGAIN: Final = timedelta(minutes=15)

_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Going:
    """A text that may go now: to whom, the words, what they cost, and until when it is allowed."""

    id: int
    attempt: UUID
    subscriber_id: int
    phone: str
    body: str
    segments: int
    until: datetime
    decision: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Checked:
    """A batch, divided: what goes, and what does not go now, settled with its reason."""

    going: tuple[Going, ...]
    staying: tuple[Settled, ...]


class Checker:
    """Checks batches. ``promised`` are the frequencies of a program by its version."""

    def __init__(self, promised: Mapping[int, Frequency | None]) -> None:
        self._promised = promised

    def check(
        self,
        claim: Claim,
        campaign: DueCampaignFacts,
        people: Sequence[DuePerson],
        suppressed: frozenset[str],
        shop: Shop,
        texts: CampaignTexts,
    ) -> Checked:
        """What becomes of each of ``people``, in their order."""
        facts = campaign_facts(campaign, shop)
        going: list[Going] = []
        staying: list[Settled] = []
        for person in people:
            attempt = claim.attempt(person.id)
            found = self._one(attempt, facts, campaign, person, suppressed, shop, texts)
            if isinstance(found, Going):
                going.append(found)
            else:
                staying.append(found)
        return Checked(tuple(going), tuple(staying))

    def _one(
        self,
        attempt: UUID,
        facts: CampaignFacts,
        campaign: DueCampaignFacts,
        person: DuePerson,
        suppressed: frozenset[str],
        shop: Shop,
        texts: CampaignTexts,
    ) -> Going | Settled:
        if any(in_call for _, _, in_call, _ in person.sent or ()):
            again = campaign.now + timedelta(seconds=_chance.uniform(*_ELSEWHERE_S))
            return _later(person, attempt, ELSEWHERE, again)
        known = self.facts(facts, person, suppressed, shop)
        answer = decide(known, campaign.now)
        match answer:
            case Allowed():
                return _made(person, attempt, answer, texts)
            case Held():
                until = answer.until or campaign.now + _AGAIN
                return Settled(
                    person.id,
                    attempt,
                    RecipientState.PLANNED,
                    reason=answer.reason,
                    decision=answer.as_json(),
                    not_before=until,
                    not_after=answer.expires,
                )
            case Refused():
                late = answer.reason is Reason.EXPIRED
                state = RecipientState.EXPIRED if late else RecipientState.REFUSED
                return Settled(
                    person.id, attempt, state, reason=answer.reason, decision=answer.as_json()
                )

    def facts(
        self, campaign: CampaignFacts, person: DuePerson, suppressed: frozenset[str], shop: Shop
    ) -> Facts:
        """What the policy knows of one person and the message."""
        return Facts(
            campaign=campaign,
            place=locate(evidence_of(person)),
            standing=standing(campaign.program, person),
            consent=str(person.entry) if person.entry else None,
            promised=self._promised.get(person.version or 0),
            suppressed=person.phone in suppressed,
            suspended=person.suspended,
            reachability=person.reachability,
            sent=tuple(_sent(*each, shop) for each in person.sent or ()),
            not_before=person.not_before,
            not_after=person.not_after,
        )


def campaign_facts(campaign: DueCampaignFacts, shop: Shop) -> CampaignFacts:
    """What the policy knows of the campaign."""
    program = shop.programs[campaign.program]
    return CampaignFacts(
        program=campaign.program,
        category=program.category,
        subject=campaign.settings.get("subject") or campaign.program,
        preset=Preset(campaign.preset),
        state=str(campaign.state),
        max_lateness=campaign.grace,
        limits=limits(campaign.settings.get("limits") or {}),
        sending_stopped=campaign.stopped,
        epoch_confirmed=campaign.confirmed,
    )


def limits(asked: Mapping[str, Any]) -> ShopLimits:
    """The shop's own limits from a campaign's settings.

    ``{"person": ["3/week"], "program": ["4/month"], "spacing_minutes": 60}``.
    """
    minutes = asked.get("spacing_minutes")
    return ShopLimits(
        person=tuple(read_frequency(each) for each in asked.get("person", ())),
        program=tuple(read_frequency(each) for each in asked.get("program", ())),
        spacing=timedelta(minutes=minutes) if minutes else None,
    )


def standing(program: str, person: DuePerson) -> Standing | None:
    """Where a person stands with the campaign's program; None when it never came up."""
    if person.consent is None:
        return None
    return Standing(
        program,
        State(person.consent),
        frequency=read_frequency(person.frequency) if person.frequency else None,
        confirmed_at=person.confirmed_at,
        paused_until=person.paused_until,
        method=person.method,
        version=person.version,
    )


def evidence_of(person: DuePerson) -> Evidence:
    """What is known of where a person is."""
    return Evidence(person.phone, person.time_zone, person.zip, person.state, person.country)


def _sent(at: float, program: str, _in_call: bool, subject: str, shop: Shop) -> Sent:
    """A program that is gone since counts as marketing: it costs a text, not a lawsuit."""
    known = shop.programs.get(program)
    marketing = known is None or known.category is Category.MARKETING
    return Sent(datetime.fromtimestamp(at, UTC), program, subject, marketing)


def since(now: datetime) -> datetime:
    """How far back the policy looks for texts that were sent."""
    return now - LONGEST


def _made(
    person: DuePerson, attempt: UUID, answer: Allowed, texts: CampaignTexts
) -> Going | Settled:
    try:
        text = texts.render(person)
    except CannotRender as problem:
        return Settled(person.id, attempt, RecipientState.REFUSED, reason=problem.reason)
    return Going(
        person.id,
        attempt,
        person.subscriber_id,
        person.phone,
        text.body,
        text.sms_segments,
        answer.until,
        answer.as_json(),
    )


def _later(person: DuePerson, attempt: UUID, reason: str, again: datetime) -> Settled:
    return Settled(person.id, attempt, RecipientState.PLANNED, reason=reason, not_before=again)
