"""A person as the conversation sees them, and how one ledger entry changes that view.

:func:`apply` is used twice: live, when a text is answered, and by the replay that rebuilds the
current consent table from the ledger. That the two agree is therefore not a matter of discipline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from keywords.consent import INERT, Change, State
from keywords.signals import Frequency, Period

# In place of a moment: the question has not been asked yet.
LATER = "later"


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands with one program: the projection of their ledger entries.

    ``prior`` is the state before the open question; ``question`` the digest of its disclosure.
    A pending standing without ``asked_at`` waits for its question: nobody can answer it yet.
    """

    program: str
    state: State = State.NONE
    prior: State = State.NONE
    frequency: Frequency | None = None
    asked_at: datetime | None = None
    expires_at: datetime | None = None
    reminded_at: datetime | None = None
    question: str | None = None
    confirmed_at: datetime | None = None
    paused_until: datetime | None = None
    unsubscribed_at: datetime | None = None
    method: str | None = None
    version: int | None = None


@dataclass(frozen=True, slots=True)
class Entry:
    """The part of a ledger entry that the projection depends on."""

    change: Change
    program: str | None
    version: int | None
    method: str
    before: str
    after: str
    occurred_at: datetime
    terms: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SaidBefore:
    """One reply of the last hour: its kind, and a mark of text and answer (see ``guard``)."""

    kind: str
    mark: bytes


@dataclass(frozen=True, slots=True)
class Person:
    """A phone number, the facts that a conversation needs, and the replies of the last hour."""

    ref: UUID
    phone: str
    language: str | None = None
    suspended: bool = False
    standings: Mapping[str, Standing] = field(default_factory=dict)
    said: tuple[SaidBefore, ...] = field(default=())

    def standing(self, program: str) -> Standing:
        """Where this person stands with ``program``; ``none`` when it never came up."""
        return self.standings.get(program) or Standing(program)

    def having_stood(self, standing: Standing) -> Person:
        """The same person with one standing changed."""
        standings = {**self.standings, standing.program: standing}
        return Person(self.ref, self.phone, self.language, self.suspended, standings, self.said)

    def having_said(self, said: SaidBefore) -> Person:
        """The same person after one more reply."""
        replies = (*self.said, said)
        return Person(self.ref, self.phone, self.language, self.suspended, self.standings, replies)


def apply(person: Person, entry: Entry) -> Person:
    """The person after one ledger entry."""
    if entry.change in INERT:
        return person
    match entry.change:
        case Change.LANGUAGE_CHANGED:
            return replace(person, language=entry.terms["language"])
        case Change.SUSPENDED | Change.SUSPENSION_LIFTED:
            return replace(person, suspended=entry.change is Change.SUSPENDED)
    assert entry.program is not None
    return person.having_stood(_stand(person.standing(entry.program), entry))


def replay(person: Person, entries: Iterable[Entry]) -> Person:
    """The person that a whole ledger makes of a blank one."""
    for entry in entries:
        person = apply(person, entry)
    return person


def _stand(standing: Standing, entry: Entry) -> Standing:
    match entry.change:
        case Change.OPTIN_REMINDED:
            return replace(standing, reminded_at=entry.occurred_at)
        case Change.OPTIN_REQUESTED | Change.RESUBSCRIBE_REQUESTED:
            return _ask(standing, entry)
        case Change.OPTIN_ASKED:
            return replace(_ask(standing, entry), method=standing.method)
        case Change.PREFERENCE_CHANGED:
            return replace(standing, frequency=read_frequency(entry.terms["frequency"]))
        case Change.OPTIN_CONFIRMED:
            return _confirm(standing, entry)
    return _settle(standing, entry)


def _ask(standing: Standing, entry: Entry) -> Standing:
    """A question is open, or is to be; what was true before it stays known."""
    return Standing(
        program=standing.program,
        state=State.PENDING,
        prior=State(entry.terms["prior"]),
        frequency=standing.frequency,
        asked_at=_asked_at(entry),
        expires_at=datetime.fromisoformat(entry.terms["expires_at"]),
        question=entry.terms.get("question"),
        confirmed_at=standing.confirmed_at,
        unsubscribed_at=standing.unsubscribed_at,
        method=entry.method,
        version=entry.version,
    )


def _asked_at(entry: Entry) -> datetime | None:
    asked_at = entry.terms.get("asked_at")
    if asked_at == LATER:
        return None
    return datetime.fromisoformat(asked_at) if asked_at else entry.occurred_at


def _confirm(standing: Standing, entry: Entry) -> Standing:
    """A new consent is to the program as promised now: an old wish does not carry over."""
    return Standing(
        program=standing.program,
        state=State.SUBSCRIBED,
        confirmed_at=entry.occurred_at,
        method=standing.method or entry.method,
        version=entry.version,
    )


def _settle(standing: Standing, entry: Entry) -> Standing:
    """A change that ends something: open questions and pauses are over."""
    ended = entry.change in (Change.OPTOUT, Change.OPTIN_DECLINED)
    until = entry.terms.get("paused_until")
    return Standing(
        program=standing.program,
        state=State(entry.after),
        frequency=standing.frequency,
        confirmed_at=standing.confirmed_at,
        paused_until=datetime.fromisoformat(until) if until else None,
        unsubscribed_at=entry.occurred_at if ended else standing.unsubscribed_at,
        method=entry.method if ended else standing.method,
        version=standing.version,
    )


def write_frequency(frequency: Frequency) -> str:
    """A frequency as the ledger writes it: "2/week"."""
    return f"{frequency.count}/{frequency.period}"


def read_frequency(text: str) -> Frequency:
    """The frequency that :func:`write_frequency` wrote."""
    count, period = text.split("/")
    return Frequency(int(count), Period(period))
