"""What an answer of the carrier means for a message, and for those that come after it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from storage.campaigns import RecipientState
from storage.claiming import Settled
from worker.campaigns.checking import Going
from worker.consequences import says_more
from worker.errors import CarrierError
from worker.gateway import Accepted, NotAccepted, Outcome, Rejected, Unknown
from worker.policy import backoff
from worker.policy.places import Evidence, locate
from worker.policy.prices import micros

# How long a sender rests after the carrier throttled it, at least and at most, in seconds.
_REST_S: Final = (1.0, 3.0)
TOO_OLD: Final = NotAccepted("claim.too_old")
# What the carrier took costs something; so may what it may have taken.
_COSTLY: Final = frozenset({RecipientState.ACCEPTED, RecipientState.UNKNOWN})

_chance = random.SystemRandom()


@dataclass(frozen=True, slots=True)
class Handed:
    """A text that was to be handed over, and what the carrier said."""

    text: Going
    outcome: Outcome

    @property
    def error(self) -> CarrierError | None:
        """The refusal, where there is more to do than to note it."""
        outcome = self.outcome
        return outcome.error if isinstance(outcome, Rejected) and says_more(outcome.error) else None


def settled(handed: Handed, now: datetime) -> Settled:
    """What is written down of one text; ``now`` is when its batch was checked."""
    text, outcome = handed.text, handed.outcome
    match outcome:
        case Accepted(sid):
            return _said(text, RecipientState.ACCEPTED, sid=sid)
        case Rejected(error):
            code = str(error.code)
            return _said(text, RecipientState.REJECTED, reason=f"carrier.{code}", code=code)
        case Unknown():
            return _said(text, RecipientState.UNKNOWN)
        case NotAccepted(reason):
            wait = backoff.wait(timedelta(0), _chance.random())
            return Settled(
                text.id,
                text.attempt,
                RecipientState.PLANNED,
                reason=reason,
                not_before=now + wait,
            )


def _said(
    text: Going,
    state: RecipientState,
    reason: str | None = None,
    sid: str | None = None,
    code: str | None = None,
) -> Settled:
    return Settled(
        text.id,
        text.attempt,
        state,
        reason=reason,
        sid=sid,
        code=code,
        segments=text.segments,
        micros=_expected(text) if state in _COSTLY else None,
        body=text.body,
        decision=text.decision,
    )


def _expected(text: Going) -> int:
    """What the text costs by the list, by the country of the number."""
    country = next(iter(locate(Evidence(text.phone)).countries), None)
    return micros(country, text.segments)


def halting(handed: Iterable[Handed]) -> str | None:
    """Why no other text would fare better now; None when they may go on."""
    for each in handed:
        if isinstance(each.outcome, NotAccepted) and each.outcome.halts:
            return each.outcome.reason
    return None


def answered(handed: Iterable[Handed]) -> bool:
    """Whether the carrier took a text, or refused one for reasons of its own."""
    return any(isinstance(each.outcome, (Accepted, Rejected)) for each in handed)


def rest(handed: Iterable[Handed]) -> timedelta | None:
    """How long the sender must rest, because the carrier took something neither now nor never."""
    throttled = any(
        isinstance(each.outcome, NotAccepted) and each.outcome is not TOO_OLD for each in handed
    )
    return timedelta(seconds=_chance.uniform(*_REST_S)) if throttled else None


def spent(handed: Iterable[Handed]) -> int:
    """The SMS segments that the carrier has, or may have, to send."""
    return sum(
        each.text.segments for each in handed if isinstance(each.outcome, (Accepted, Unknown))
    )
