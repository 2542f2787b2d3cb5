"""The whole of one exchange: a text comes in, and this is what follows from it.

:func:`respond` is pure. It reads the text, lets the acts decide, and returns an
:class:`Outcome` for the shell to carry out: ledger changes, the person afterwards, the one reply
(or the reason for silence), and whether somebody should look at the text.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from keywords.acts import act, catch_up
from keywords.authority import answered_elsewhere, declared
from keywords.guard import mark, silence
from keywords.people import Person, SaidBefore
from keywords.reading import read
from keywords.replies import Reply
from keywords.shop import Sender, Shop
from keywords.signals import Reading, Signal, StopScope
from keywords.text import fold
from keywords.turn import SMS, ConsentChange, Spoken, Text, Turn


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
    why a reply that would have been due is not given.
    """

    reading: Reading
    person: Person
    changes: tuple[ConsentChange, ...] = ()
    reply: Spoken | None = None
    later: Spoken | None = None
    mark: bytes = b""
    silence: str | None = None
    review: Review | None = None

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
    outcome = Outcome(
        reading, turn.person, tuple(turn.changes), review=_review(text, sender, reading)
    )
    return outcome if spoken is None else _say(outcome, spoken, text, sender)


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


def _say(outcome: Outcome, spoken: Spoken, text: Text, sender: Sender | None) -> Outcome:
    if sender is None:
        return replace(outcome, silence="unknown_sender")
    authority = sender.authority
    if answered_elsewhere(authority, text.body, text.opt_out_type):
        # The question still has to be asked, or YES would answer something never shown.
        later = spoken if spoken.kind is Reply.ASK_TO_CONFIRM else None
        return replace(outcome, silence=f"answered.{authority}", later=later)
    answer = mark(fold(text.body), spoken.body)
    reason = silence(spoken.kind, outcome.reading.signal, answer, outcome.person.said)
    if reason is not None:
        return replace(outcome, silence=reason)
    said = (*outcome.person.said, SaidBefore(spoken.kind, answer))
    return replace(outcome, reply=spoken, mark=answer, person=replace(outcome.person, said=said))


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
