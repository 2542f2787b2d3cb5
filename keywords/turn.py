"""One turn of the conversation: a text, the person who sent it, and what has been decided so far.

A turn is the only thing in this package with memory. Acts (``acts``) tell it signals; it asks the
consent machine, keeps the resulting ledger changes with their evidence, and moves the person on,
so that the next question within the same turn sees the new state.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Unpack

from keywords.consent import PRIOR, Change, Decision, Method, State, decide
from keywords.ledger import Json, instant
from keywords.naming import named, written
from keywords.people import LATER, Entry, Person, Standing, apply
from keywords.placements import Channel
from keywords.placements import evidence as placed
from keywords.replies import Facts, Reply, render
from keywords.shop import Program, Sender, Shop
from keywords.signals import Reading, Signal

SMS: Final = "sms"
# What the evidence says of a text that no webhook brought.
FOUND: Final = "fetched from the carrier's log"
UNSIGNED: Final = "none: fetched over the authenticated API"
_ASKS: Final = frozenset({Change.OPTIN_REQUESTED, Change.RESUBSCRIBE_REQUESTED, Change.OPTIN_ASKED})
_ANSWERS: Final = frozenset({Change.OPTIN_CONFIRMED, Change.OPTIN_DECLINED})
_JOINS: Final = frozenset({Signal.JOIN, Signal.JOIN_SINGLE, Signal.JOIN_GATED})
_BY_CLOCK: Final = frozenset({Signal.ASK, Signal.EXPIRE, Signal.PAUSE_ENDED, Signal.REMIND})
# What a person says to a question that they have not seen yet: they are asked now, for nobody can
# agree to words that were never shown.
_ASK_FIRST: Final = frozenset(
    {Signal.CONFIRM, Signal.START, Signal.FREQUENCY, Signal.PAUSE, Signal.RESUME}
)
# How long a question may wait for its turn; what a file says of somebody does not stay fresh.
ASK_WITHIN: Final = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Text:
    """An inbound text: who wrote what to which sender, over which channel.

    ``sent_at`` is set for one that no webhook brought: it was found in the carrier's log, and that
    is when the carrier took it.
    """

    sid: str
    address: str
    sender: str
    body: str
    channel: str = SMS
    opt_out_type: str | None = None
    media: int = 0
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ConsentChange:
    """A ledger entry to be: what the projection needs, and the evidence beside it."""

    entry: Entry
    actor: str
    evidence: Mapping[str, Json]
    message_sid: str | None = None


@dataclass(frozen=True, slots=True)
class Spoken:
    """A reply: its kind, the program it speaks for, its language and its words."""

    kind: Reply
    program: str
    language: str
    body: str


def digest(disclosure: str) -> str:
    """The content address of a disclosure: hex SHA-256 of its UTF-8 text."""
    return hashlib.sha256(disclosure.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a turn comes from when it is not a text: who acted, how, and what shows it.

    ``actor`` is "person", "key:<name>" or "operator:<name>"; ``happened_at`` is when it is said
    to have happened, None for this moment. ``later``: the question is not asked now but when its
    turn comes (``Signal.ASK``).
    """

    method: Method
    actor: str
    evidence: Mapping[str, Json]
    happened_at: datetime | None = None
    later: bool = False


@dataclass(slots=True)
class Turn:
    """See the module's docstring. ``sender`` is None when the text came to a number not ours.

    ``origin`` is None for a text that the person sent.
    """

    text: Text
    person: Person
    shop: Shop
    sender: Sender | None
    reading: Reading
    now: datetime
    changes: list[ConsentChange] = field(default_factory=list)
    origin: Origin | None = None

    def tell(
        self, program: Program, signal: Signal, terms: Mapping[str, str] | None = None
    ) -> Decision:
        """Ask the consent machine about one program, and keep what changes."""
        standing = self.person.standing(program.slug)
        if signal in _ASK_FIRST and standing.state is State.PENDING and not self._saw(standing):
            signal = Signal.JOIN
        decision = decide(standing.state, signal, standing.prior)
        assert decision.to != PRIOR
        if decision.change is not None:
            self._record(program, standing, decision, dict(terms or {}), signal)
        return decision

    def _saw(self, standing: Standing) -> bool:
        """Whether the question was there when the person wrote."""
        asked, wrote = standing.asked_at, self.text.sent_at
        return asked is not None and (wrote is None or asked <= wrote)

    def note(self, change: Change, before: str, after: str, terms: Mapping[str, str]) -> None:
        """Keep a change that concerns the person and not one program."""
        method, actor = self._by()
        entry = Entry(change, None, None, method, before, after, self._when(), terms)
        self._keep(entry, actor, self._evidence())

    def note_assertion(self, program: Program) -> None:
        """Keep what somebody says of a person without proof. It moves nothing."""
        method, actor = self._by()
        state = self.person.standing(program.slug).state
        change = Change.IMPORT_ASSERTED
        entry = Entry(change, program.slug, program.version, method, state, state, self._when(), {})
        self._keep(entry, actor, self._evidence() | named(program))

    def lift_suspension(self) -> None:
        """Marketing may go on: the person has said clearly that they want texts."""
        if self.person.suspended:
            self.note(Change.SUSPENSION_LIFTED, "suspended", "active", {})

    def say(self, kind: Reply, program: Program, **facts: Unpack[Facts]) -> Spoken:
        """The words of a reply in the person's language."""
        language = self.language(program)
        return Spoken(kind, program.slug, language, render(kind, program.voice, language, **facts))

    def language(self, program: Program) -> str:
        """The language to answer in.

        A keyword of another language than English is answered in its own (on Canadian short
        codes ARRET must be answered in French); STOP and YES are used in every language.
        """
        spoken = self.reading.language
        if self.reading.to_language:
            return self.reading.to_language
        if spoken is not None and spoken != "en":
            return spoken
        return self.person.language or program.language

    def _record(
        self,
        program: Program,
        standing: Standing,
        decision: Decision,
        terms: dict[str, str],
        signal: Signal,
    ) -> None:
        assert decision.change is not None
        by_clock, asks = signal in _BY_CLOCK, decision.change in _ASKS
        evidence = self._evidence()
        if by_clock:
            evidence = {"clock": instant(self.now), "asked_at": written(standing.asked_at)}
        if asks:
            terms |= self._ask(program, standing, evidence)
        if decision.change in _ANSWERS and standing.question:
            evidence["question"] = self._question(program, standing)
        if asks or not by_clock:
            evidence |= named(program)
        method, actor = (Method.SYSTEM, "system") if by_clock else self._by()
        when = self.now if by_clock else self._when()
        if self.reading.placement is not None and signal in _JOINS:
            method = self._place(self.reading.placement, program, method, terms, evidence)
        entry = Entry(
            decision.change,
            program.slug,
            program.version,
            method,
            standing.state,
            decision.to,
            when,
            terms,
        )
        self._keep(entry, actor, evidence)

    def _place(
        self,
        code: str,
        program: Program,
        method: Method,
        terms: dict[str, str],
        evidence: dict[str, Json],
    ) -> Method:
        """Note where the person met the program; answers the method, which a poster decides."""
        placement = self.shop.placements.get(code)
        evidence["placement"] = placed(code, placement, program.slug)
        if placement is None:
            return method
        terms["placement"] = code
        if self.origin is not None or placement.program != program.slug:
            return method
        if placement.posters:
            evidence["disclosure"] = placement.posters[0].disclosure
        return Method.QR_CODE if placement.channel is Channel.POSTER else method

    def _by(self) -> tuple[Method, str]:
        if self.origin is None:
            return Method.SMS_KEYWORD, "person"
        return self.origin.method, self.origin.actor

    def _when(self) -> datetime:
        """When it happened: a till, a file or the carrier's log may tell of something earlier."""
        happened = self.origin.happened_at if self.origin else self.text.sent_at
        return self.now if happened is None else min(happened, self.now)

    def _keep(self, entry: Entry, actor: str, evidence: Mapping[str, Json]) -> None:
        self.changes.append(ConsentChange(entry, actor, evidence, self.text.sid or None))
        self.person = apply(self.person, entry)

    def _ask(
        self, program: Program, standing: Standing, evidence: dict[str, Json]
    ) -> dict[str, str]:
        """The terms of a question that is asked now, or later; what is asked joins the evidence."""
        resting = standing.state in (State.NONE, State.UNSUBSCRIBED)
        terms = {"prior": str(standing.state if resting else standing.prior)}
        if self.origin is not None and self.origin.later:
            return terms | {"asked_at": LATER, "expires_at": instant(self.now + ASK_WITHIN)}
        question = self.say(Reply.ASK_TO_CONFIRM, program)
        evidence["asked"] = {
            "text": question.body,
            "disclosure": digest(question.body),
            "language": question.language,
        }
        terms["expires_at"] = instant(self.now + program.confirm_within)
        terms["question"] = digest(question.body)
        if self._when() != self.now:
            # The person acted earlier; the question is asked, and its time runs, from now on.
            terms["asked_at"] = instant(self.now)
        return terms

    def _question(self, program: Program, standing: Standing) -> Json:
        """What was answered. The words are repeated here while the program still speaks them."""
        asked: dict[str, Json] = {
            "disclosure": standing.question,
            "asked_at": written(standing.asked_at),
        }
        for language in (self.person.language, program.language, self.reading.language):
            words = render(Reply.ASK_TO_CONFIRM, program.voice, language) if language else ""
            if digest(words) == standing.question:
                return asked | {"text": words}
        return asked

    def _evidence(self) -> dict[str, Json]:
        if self.origin is not None:
            return dict(self.origin.evidence)
        text, reading = self.text, self.reading
        found = text.sent_at is not None
        source: dict[str, Json] = {"source": FOUND} if found else {}
        return source | {
            "text": {
                "sid": text.sid,
                "from": text.address,
                "to": text.sender,
                "body": text.body,
                "channel": text.channel,
                "opt_out_type": text.opt_out_type,
            },
            "signature": UNSIGNED if found else "valid",
            "reading": {
                "signal": reading.signal,
                "rule": reading.rule,
                "language": reading.language,
            },
        }
