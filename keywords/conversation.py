"""The whole of one exchange: a text comes in, and this is what follows from it.

:func:`respond` is pure. It reads the text, lets the acts decide, and returns an
:class:`Outcome` for the shell to carry out: ledger changes, the person afterwards, the one reply
(or the reason for silence), and whether somebody should look at the text.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, NamedTuple

from keywords.acts import act, catch_up
from keywords.authority import answered_elsewhere, declared
from keywords.guard import mark, silence
from keywords.people import Person, SaidBefore
from keywords.reading import read
from keywords.replies import Reply
from keywords.shop import Sender, Shop
from keywords.signals import Reading, Signal, StopScope
from keywords.turn import SMS, ConsentChange, Spoken, Text, Turn

LATE_ANSWER: Final = "late_answer"


class Review(StrEnum):
    """Why a person should look at a text."""

    UNCLEAR_STOP = "unclear_stop"
    NOT_UNDERSTOOD = "not_understood"
    OTHER_CHANNEL = "other_channel"
    UNKNOWN_SENDER = "unknown_sender"
    NO_PERSON = "no_person"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What follows from a text.

    ``reply`` goes into the webhook's answer. ``later`` is a question that a worker must send,
    because Twilio or the network has already answered this text in our place. ``silence`` says
    why a reply that would have been due is not given. ``gift`` is a coupon that a worker must
    send after it (see ``incentives``).
    """

    reading: Reading
    person: Person
    changes: tuple[ConsentChange, ...] = ()
    reply: Spoken | None = None
    later: Spoken | None = None
    mark: bytes = b""
    silence: str | None = None
    review: Review | None = None
    gift: Spoken | None = None

    @property
    def later_kind(self) -> str:
        """What kind of message ``later`` is: a question, or an answer that comes late."""
        asks = self.later is not None and self.later.kind is Reply.ASK_TO_CONFIRM
        return "confirmation" if asks else LATE_ANSWER

    def unheard(self) -> Outcome:
        """The same text from a sender that is no person: nothing changes, nothing is said."""
        return Outcome(self.reading, self.person, silence="no_person", review=Review.NO_PERSON)


def respond(text: Text, person: Person, shop: Shop, now: datetime) -> Outcome:
    """Decide one text. ``now`` is aware; ``person`` is locked by the caller until it is stored."""
    sender = shop.senders.get(text.sender)
    reading = understand(text, sender)
    turn = Turn(text, person, shop, sender, reading, now)
    catch_up(turn)
    spoken = act(turn)
    uttered = _NOTHING if spoken is None else _utter(turn, spoken)
    after = turn.person
    if uttered.reply is not None:
        after = after.having_said(SaidBefore(uttered.reply.kind, uttered.mark))
    return Outcome(
        reading,
        after,
        tuple(turn.changes),
        uttered.reply,
        uttered.later,
        uttered.mark,
        uttered.silence,
        _review(text, sender, reading),
    )


def understand(text: Text, sender: Sender | None) -> Reading:
    """The meaning of a text: what Twilio says it was, else what its words say.

    When Twilio has taken a text as STOP it blocks the whole sender, so that no narrower scope
    that the words may have named can still be meant.
    """
    reading = read(text.body, sender.join_words if sender else {})
    signal = declared(text.opt_out_type)
    if signal is None or (signal is reading.signal and signal is not Signal.STOP):
        return reading
    return Reading(signal, f"carrier.opt_out_type.{signal}", reading.language, scope=StopScope.ALL)


class _Uttered(NamedTuple):
    """What becomes of the words: said now, sent later, or left unsaid for a reason."""

    reply: Spoken | None = None
    later: Spoken | None = None
    mark: bytes = b""
    silence: str | None = None


_NOTHING: Final = _Uttered()


def _utter(turn: Turn, spoken: Spoken) -> _Uttered:
    text, sender = turn.text, turn.sender
    if sender is None:
        return _Uttered(silence="unknown_sender")
    if answered_elsewhere(sender.authority, text.body, text.opt_out_type):
        # The question still has to be asked, or YES would answer something never shown.
        later = spoken if spoken.kind is Reply.ASK_TO_CONFIRM else None
        return _Uttered(later=later, silence=f"answered.{sender.authority}")
    answer = mark(text.body, spoken.body)
    reason = silence(spoken.kind, turn.reading.signal, answer, turn.person.said)
    if reason is not None:
        return _Uttered(silence=reason)
    return _Uttered(reply=spoken, mark=answer)


def _review(text: Text, sender: Sender | None, reading: Reading) -> Review | None:
    if reading.signal is Signal.UNCLEAR_STOP:
        return Review.UNCLEAR_STOP
    if reading.rule.startswith("tapback"):
        return None
    if sender is None:
        return Review.UNKNOWN_SENDER
    if text.channel != SMS and reading.signal is not Signal.STOP:
        return Review.OTHER_CHANNEL
    return Review.NOT_UNDERSTOOD if reading.signal is Signal.NOT_UNDERSTOOD else None
