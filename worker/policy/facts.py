"""What is known when it is asked whether a message may go, and the three answers there are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from keywords.ledger import Json
from keywords.people import Standing
from keywords.shop import Category
from keywords.signals import Frequency
from worker.policy.caps import Sent, ShopLimits
from worker.policy.hours import Preset
from worker.policy.places import Place
from worker.policy.reasons import SENTENCES, Reason

RUNNING: Final = "running"
NO_LIMITS: Final = ShopLimits()


@dataclass(frozen=True, slots=True)
class CampaignFacts:
    """What is the same for every message of a campaign.

    ``state`` is a ``storage.campaigns.CampaignState``. ``subject`` is what a law calls the same
    subject matter: the program's slug unless the shop says otherwise. ``max_lateness`` counts
    from the first allowed moment at or after a message's ``not_before``; None for no end.
    ``sending_stopped`` is the kill switch, ``epoch_confirmed`` False after a restore.
    """

    program: str
    category: Category
    subject: str
    preset: Preset = Preset.STATE_TABLE
    state: str = RUNNING
    max_lateness: timedelta | None = None
    limits: ShopLimits = NO_LIMITS
    sending_stopped: bool = False
    epoch_confirmed: bool = True


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of one message and the person it is for.

    ``standing`` is the person's with the program, read under the lock; ``consent`` names the
    ledger entry behind it. ``promised`` is the frequency in the version of the program that the
    person agreed to. ``sent`` are campaign texts of the last 32 days, in any order, those whose
    outcome is unknown or that are being handed over included, this one not. ``not_before`` is
    when the message is due, ``not_after`` when it must be over at the latest.
    """

    campaign: CampaignFacts
    place: Place
    standing: Standing | None
    consent: str | None = None
    promised: Frequency | None = None
    suppressed: bool = False
    suspended: bool = False
    reachability: str = "unknown"
    sent: tuple[Sent, ...] = ()
    not_before: datetime | None = None
    not_after: datetime | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """What all answers share: the reason, the rule, the version of all rules, the evidence."""

    reason: Reason
    rule: str
    version: str
    evidence: Mapping[str, Json] = field(compare=False)

    @property
    def sentence(self) -> str:
        """The reason, for people."""
        return SENTENCES[self.reason]


@dataclass(frozen=True, slots=True)
class Allowed(Answer):
    """It may go, if the carrier is done with it before ``until``: end of ValidityPeriod and all."""

    until: datetime

    def as_json(self) -> dict[str, Json]:
        """What is stored with the message."""
        return {"answer": "allowed", "until": self.until.isoformat()} | _shared(self)


@dataclass(frozen=True, slots=True)
class Held(Answer):
    """Not now. Ask again at ``until``; None: when the reason is gone, which no clock knows.

    ``expires`` is when it will be too late, for the message's ``not_after``: a message that is
    asked about with it cannot be held for ever, one delay after the other.
    """

    until: datetime | None
    expires: datetime | None

    def as_json(self) -> dict[str, Json]:
        """What is stored with the message."""
        until = self.until.isoformat() if self.until else None
        return {"answer": "held", "until": until} | _shared(self)


@dataclass(frozen=True, slots=True)
class Refused(Answer):
    """Never. ``because`` is what held an expired message until it was too late, if anything did."""

    because: Reason | None = None

    def as_json(self) -> dict[str, Json]:
        """What is stored with the message."""
        because = {"because": str(self.because)} if self.because else {}
        return {"answer": "refused"} | because | _shared(self)


Decision: TypeAlias = Allowed | Held | Refused


def _shared(answer: Answer) -> dict[str, Json]:
    return {
        "reason": str(answer.reason),
        "rule": answer.rule,
        "version": answer.version,
        "evidence": dict(answer.evidence),
    }
