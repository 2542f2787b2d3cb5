"""Asking somebody to confirm an opt-in that came by another way than a text of theirs.

A form, a till, a checkout, a file, an operator: each brings its own evidence and ends in the same
place, ``pending`` and a question sent by text. Only YES from the phone itself makes it consent,
whatever was ticked elsewhere. The consent machine decides; this module says when it is not even
asked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keywords.acts import ACTIVE, catch_up
from keywords.age import passed
from keywords.consent import Change, Method, State
from keywords.ledger import Json
from keywords.people import Person, Standing
from keywords.replies import Reply
from keywords.shop import Program, Shop
from keywords.signals import Reading, Signal
from keywords.turn import ConsentChange, Origin, Spoken, Text, Turn

# Reliability I6: whatever the traffic, a number gets one question a day, and three for ever while
# nothing has ever come back from it.
ONE_PER: Final = timedelta(hours=24)
UNANSWERED: Final = 3
_NO_TEXT: Final = Text("", "", "", "")
_BY_OTHER_WAY: Final = Reading(Signal.JOIN, "opt_in")
# What others say of a person must not undo what the person said (reliability T21). Many are said
# at once, of people who do nothing at that moment: their questions wait for the sender's pace and
# for daytime.
_HEARSAY: Final = frozenset({Method.IMPORT})


@dataclass(frozen=True, slots=True)
class OptIn:
    """A request to join ``program`` for an E.164 ``phone``, and what shows it.

    ``evidence`` is JSON: what was shown (``disclosure``: its digest), what the person did, and
    where (see the method's own module); for a program with a minimum age that it was checked
    (``keywords.age.gate``). ``happened_at`` is when they did, None for now;
    ``language`` what the question is asked in, None for the person's or the program's own;
    ``placement`` the code of where they met the program.
    """

    phone: str
    program: str
    method: Method
    actor: str
    evidence: Mapping[str, Json]
    happened_at: datetime | None = None
    language: str | None = None
    placement: str | None = None


class OptInAnswer(StrEnum):
    """What became of a request. Only the shop's own systems may be told; a form says one thing."""

    ASKED = "asked"  # recorded; the question goes out, or waits for its turn
    HELD = "held"  # recorded as what a file says, without proof; nobody is asked
    WAITING = "waiting"  # a question is open, and is not repeated so soon
    SUBSCRIBED = "subscribed"  # the person is there already; nothing was changed
    LIMITED = "limited"  # this number has been asked as often as it may be
    AGE_UNCHECKED = "age_unchecked"  # the program has a minimum age, and nothing shows a check
    SUPPRESSED = "suppressed"  # on the suppression list, or left before: never brought back so


@dataclass(frozen=True, slots=True)
class Asked:
    """The questions that a number got by text before: in the last day, and unanswered for ever."""

    lately: int = 0
    unanswered: int = 0


@dataclass(frozen=True, slots=True)
class OptInOutcome:
    """What follows from a request: the person afterwards, the entries, the question to send."""

    answer: OptInAnswer
    person: Person
    changes: tuple[ConsentChange, ...] = ()
    question: Spoken | None = None


def opt_in(request: OptIn, person: Person, shop: Shop, asked: Asked, now: datetime) -> OptInOutcome:
    """Decide one request. ``person`` is locked by the caller until the outcome is stored.

    An outcome that is ASKED without a question has its question waiting for its turn.
    """
    program = shop.programs[request.program]
    turn = _begun(request, person, shop, now)
    refusal = _refusal(turn.person, program, request, asked)
    if refusal is not None:
        return OptInOutcome(refusal, turn.person, tuple(turn.changes))
    if request.language and turn.person.language is None:
        terms = {"language": request.language}
        turn.note(Change.LANGUAGE_CHANGED, "", request.language, terms)
    turn.tell(program, Signal.JOIN)
    hearsay = request.method in _HEARSAY
    question = None if hearsay else turn.say(Reply.ASK_TO_CONFIRM, program)
    return OptInOutcome(OptInAnswer.ASKED, turn.person, tuple(turn.changes), question)


def hold(
    request: OptIn,
    person: Person,
    shop: Shop,
    asked: Asked,
    now: datetime,
    *,
    kept: bool = False,
) -> OptInOutcome:
    """Decide a claim of consent that lacks its source, its time or what was shown.

    Nobody is asked because of it. It is kept only where a whole claim would have been acted on, and
    not again where the ledger has the very same claim already (``kept``).
    """
    program = shop.programs[request.program]
    turn = _begun(request, person, shop, now)
    refusal = _refusal(turn.person, program, request, asked)
    if refusal is None and not kept:
        turn.note_assertion(program)
    return OptInOutcome(refusal or OptInAnswer.HELD, turn.person, tuple(turn.changes))


def _begun(request: OptIn, person: Person, shop: Shop, now: datetime) -> Turn:
    origin = Origin(
        request.method,
        request.actor,
        request.evidence,
        request.happened_at,
        later=request.method in _HEARSAY,
    )
    reading = replace(_BY_OTHER_WAY, to_language=request.language, placement=request.placement)
    turn = Turn(_NO_TEXT, person, shop, None, reading, now, origin=origin)
    catch_up(turn)
    return turn


def _refusal(person: Person, program: Program, request: OptIn, asked: Asked) -> OptInAnswer | None:
    if not passed(request.evidence, program.minimum_age):
        return OptInAnswer.AGE_UNCHECKED
    standing = person.standing(request.program)
    if standing.state in ACTIVE:
        return OptInAnswer.SUBSCRIBED
    if _gone(person, standing, request):
        return OptInAnswer.SUPPRESSED
    if request.method in _HEARSAY and standing.state is State.PENDING:
        return OptInAnswer.WAITING
    if asked.unanswered >= UNANSWERED:
        return OptInAnswer.LIMITED
    if asked.lately:
        return OptInAnswer.WAITING if standing.state is State.PENDING else OptInAnswer.LIMITED
    return None


def _gone(person: Person, standing: Standing, request: OptIn) -> bool:
    """Whether the person left, so that this request must not bring them back."""
    hearsay = request.method in _HEARSAY
    if hearsay and (person.suspended or _left(person, request.program)):
        return True
    return _overtaken(standing, request)


def _overtaken(standing: Standing, request: OptIn) -> bool:
    """Whether the person left after what is told here, or somebody else wants them back.

    A till that was offline tells of this morning, and they texted STOP at noon. An operator can
    only ask them to text the keyword.
    """
    if standing.unsubscribed_at is None:
        return False
    if request.method is Method.OPERATOR:
        return True
    return request.happened_at is not None and request.happened_at <= standing.unsubscribed_at


def _left(person: Person, program: str) -> bool:
    standing = person.standing(program)
    return standing.state is State.UNSUBSCRIBED or standing.unsubscribed_at is not None
