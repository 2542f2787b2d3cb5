"""What is done about each signal of a text: which programs it is about, and what is said.

One function a signal, found through ``ACTS``. An act chooses the programs, tells the turn, and
returns the one reply (or None). It never decides consent itself: that is the table in ``consent``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import Final

from keywords.consent import Change, Decision, State
from keywords.ledger import instant
from keywords.people import write_frequency
from keywords.promise import stricter
from keywords.replies import ADULT, Facts, ProgramVoice, Reply
from keywords.shop import Category, Program
from keywords.signals import Signal, StopScope
from keywords.turn import SMS, Spoken, Turn

Act = Callable[[Turn], Spoken | None]

PAUSE_DAYS: Final = 30
ACTIVE: Final = frozenset({State.SUBSCRIBED, State.PAUSED})
HEARD_ANYWHERE: Final = frozenset({Signal.STOP, Signal.UNCLEAR_STOP, Signal.HELP})


def act(turn: Turn) -> Spoken | None:
    """Do what the turn's reading asks for.

    Consent is given program by program and channel by channel, but a refusal is heard wherever
    it arrives: by WhatsApp or RCS, or at a number that is no longer ours.
    """
    signal = turn.reading.signal
    if turn.text.channel != SMS and signal not in HEARD_ANYWHERE:
        return None
    if turn.sender is None and signal not in HEARD_ANYWHERE:
        return None
    return ACTS[signal](turn)


def join(turn: Turn) -> Spoken | None:
    """A program's keyword: ask for confirmation, or greet somebody who is already there."""
    program = turn.shop.programs[turn.reading.program or ""]
    decision = turn.tell(program, _join_signal(program))
    if turn.person.standing(program.slug).state in ACTIVE:
        turn.lift_suspension()
    return _answer(turn, program, decision)


def _join_signal(program: Program) -> Signal:
    if program.minimum_age is not None:
        return Signal.JOIN_GATED
    return Signal.JOIN if program.double_opt_in else Signal.JOIN_SINGLE


def confirm(turn: Turn) -> Spoken | None:
    """YES means consent only while a question is open, and to the question asked last."""
    program = _asked_last(turn)
    if program is None:
        return _to_anyone(turn, Signal.CONFIRM)
    decision = turn.tell(program, Signal.CONFIRM)
    turn.lift_suspension()
    return _answer(turn, program, decision)


def decline(turn: Turn) -> Spoken | None:
    """NO to an open question; without one it is a text like any other."""
    program = _asked_last(turn)
    if program is None:
        return _to_anyone(turn, Signal.DECLINE)
    return _answer(turn, program, turn.tell(program, Signal.DECLINE))


def stop(turn: Turn) -> Spoken | None:
    """End texts: one program where the person named one, else everything, at once.

    The scope question of 47 CFR 64.1200(a)(12) is asked afterwards, and silence means everything.
    """
    terms = {"wrong_number": "true"} if turn.reading.wrong_number else {}
    named = turn.reading.program if turn.reading.scope is StopScope.PROGRAM else None
    if named is not None:
        program = turn.shop.programs[named]
        turn.tell(program, Signal.STOP, terms)
        return turn.say(Reply.GOODBYE_PROGRAM, program)
    before = [p for p in _known(turn) if turn.person.standing(p.slug).state in ACTIVE]
    programs = _known(turn) or _of_sender(turn)
    for program in programs:
        turn.tell(program, Signal.STOP, terms)
    if not programs:
        return None
    if len(before) > 1 and turn.reading.scope is StopScope.UNSAID and not terms:
        return turn.say(Reply.GOODBYE_SCOPE, before[0], programs=_voices(before))
    return turn.say(Reply.GOODBYE, (before or programs)[0])


def unclear_stop(turn: Turn) -> Spoken | None:
    """Possibly an opt-out: no more marketing until the person or one of us has made it clear."""
    if not turn.person.suspended:
        turn.note(Change.SUSPENDED, "active", "suspended", {"rule": turn.reading.rule})
    return _to_anyone(turn, Signal.UNCLEAR_STOP)


def start(turn: Turn) -> Spoken | None:
    """Come back after STOP: a request, confirmed with the disclosure like any other."""
    ours = _of_sender(turn)
    pending = _asked_last(turn)
    if pending is not None:
        return _answer(turn, pending, turn.tell(pending, Signal.START))
    active = [p for p in ours if _state(turn, p) in ACTIVE]
    if active:
        turn.lift_suspension()
        decisions = [turn.tell(program, Signal.START) for program in active]
        return _answer(turn, active[0], decisions[0])
    left = [p for p in ours if _state(turn, p) is State.UNSUBSCRIBED]
    left = [p for p in left if turn.person.standing(p.slug).confirmed_at] or left
    if len(left) > 1:
        return turn.say(Reply.ASK_AGAIN_TO_JOIN, left[0], programs=_voices(left))
    if left:
        gated = left[0].minimum_age is not None
        signal = Signal.JOIN_GATED if gated else Signal.START
        return _answer(turn, left[0], turn.tell(left[0], signal))
    return _to_anyone(turn, Signal.START)


def frequency(turn: Turn) -> Spoken | None:
    """A wish for fewer texts. The promise of the program still holds when it is stricter."""
    wish = turn.reading.frequency
    assert wish is not None
    return _prefer(turn, Signal.FREQUENCY, {"frequency": write_frequency(wish)})


def pause(turn: Turn) -> Spoken | None:
    """No marketing for a time, without leaving."""
    until = turn.now + timedelta(days=turn.reading.pause_days or PAUSE_DAYS)
    return _prefer(turn, Signal.PAUSE, {"paused_until": instant(until)})


def resume(turn: Turn) -> Spoken | None:
    """The end of a pause, or of a suspension that the person did not mean."""
    turn.lift_suspension()
    return _prefer(turn, Signal.RESUME, {})


def language(turn: Turn) -> Spoken | None:
    """From now on in another language."""
    chosen = turn.reading.to_language
    assert chosen is not None
    if turn.person.language != chosen:
        turn.note(Change.LANGUAGE_CHANGED, turn.person.language or "", chosen, {"language": chosen})
    return _to_anyone(turn, Signal.LANGUAGE)


def to_anyone(turn: Turn) -> Spoken | None:
    """HELP, STATUS and what was not understood: an answer that changes nothing."""
    return _to_anyone(turn, turn.reading.signal)


ACTS: Final[Mapping[Signal, Act]] = {
    Signal.JOIN: join,
    Signal.CONFIRM: confirm,
    Signal.DECLINE: decline,
    Signal.STOP: stop,
    Signal.UNCLEAR_STOP: unclear_stop,
    Signal.START: start,
    Signal.HELP: to_anyone,
    Signal.FREQUENCY: frequency,
    Signal.PAUSE: pause,
    Signal.RESUME: resume,
    Signal.LANGUAGE: language,
    Signal.STATUS: to_anyone,
    Signal.NOT_UNDERSTOOD: to_anyone,
}


def catch_up(turn: Turn) -> None:
    """Do first what the clock should have done already: expire questions, end pauses.

    A YES that comes after its question expired must not count, even when the sweep is late.
    """
    for program in _known(turn):
        standing = turn.person.standing(program.slug)
        if standing.expires_at and standing.expires_at <= turn.now:
            turn.tell(program, Signal.EXPIRE)
        if standing.paused_until and standing.paused_until <= turn.now:
            turn.tell(program, Signal.PAUSE_ENDED)


def _state(turn: Turn, program: Program) -> State:
    return turn.person.standing(program.slug).state


def _known(turn: Turn) -> list[Program]:
    """The programs that this person ever had to do with, on any of our numbers."""
    return [p for slug, p in turn.shop.programs.items() if slug in turn.person.standings]


def _of_sender(turn: Turn) -> list[Program]:
    """The programs of the number written to; of the whole shop when it is none of ours."""
    if turn.sender is None:
        return list(turn.shop.programs.values())
    return turn.shop.programs_of(turn.sender)


def _asked_last(turn: Turn) -> Program | None:
    """The program whose question is open; of several, the one asked last."""
    pending = [p for p in _of_sender(turn) if _state(turn, p) is State.PENDING]
    asked = [(turn.person.standing(p.slug).asked_at, i) for i, p in enumerate(pending)]
    stamped = [(at, i) for at, i in asked if at is not None]
    return pending[max(stamped)[1]] if stamped else None


def _spokesman(turn: Turn) -> Program | None:
    """The program whose voice answers a text about no program in particular."""
    ours = _of_sender(turn)
    named = [p for p in ours if p.slug == turn.reading.program]
    active = [p for p in ours if _state(turn, p) in ACTIVE]
    pending = [p for p in ours if _state(turn, p) is State.PENDING]
    return next(iter([*named, *active, *pending, *ours]), None)


def _to_anyone(turn: Turn, signal: Signal) -> Spoken | None:
    program = _spokesman(turn)
    if program is None:
        return None
    return _answer(turn, program, turn.tell(program, signal))


def _prefer(turn: Turn, signal: Signal, terms: Mapping[str, str]) -> Spoken | None:
    """A wish about texts: for the program named, else for all marketing the person gets here.

    Somebody who gets no marketing means whatever else they get.
    """
    chosen = [p for p in _of_sender(turn) if p.slug == turn.reading.program]
    active = [p for p in _of_sender(turn) if _state(turn, p) in ACTIVE]
    marketing = [p for p in active if p.category == Category.MARKETING]
    answers = [
        (program, turn.tell(program, signal, terms)) for program in chosen or marketing or active
    ]
    if not answers:
        return _to_anyone(turn, signal)
    changed = [pair for pair in answers if pair[1].change is not None]
    return _answer(turn, *(changed or answers)[0])


def _answer(turn: Turn, program: Program, decision: Decision) -> Spoken | None:
    """The words for a decision; None where the table is silent."""
    if decision.reply is None:
        return None
    return turn.say(decision.reply, program, **_facts(turn, program, decision.reply))


def _facts(turn: Turn, program: Program, reply: Reply) -> Facts:
    standing = turn.person.standing(program.slug)
    match reply:
        case Reply.FREQUENCY_SET | Reply.RESUMED:
            return {"wish": stricter(program.voice.frequency, standing.frequency)}
        case Reply.PAUSED:
            until = standing.paused_until
            return {"until": until.date() if until else None}
        case Reply.STATUS:
            states = {p.voice.name: str(_state(turn, p)) for p in _of_sender(turn)}
            met = {p.voice.name for p in _known(turn)}
            return {"states": {n: s for n, s in states.items() if n in met} or states}
        case Reply.AGE_GATE:
            place = f"?p={turn.reading.placement}" if turn.reading.placement else ""
            age = program.minimum_age or ADULT
            return {"age": age, "join_url": f"{program.join_url}{place}"}
    return {}


def _voices(programs: Sequence[Program]) -> list[ProgramVoice]:
    return [program.voice for program in programs]
