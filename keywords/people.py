"""A person as the conversation sees them, and how one ledger entry changes that view.

:func:`apply` is used twice: live, when a text is answered, and by the replay that rebuilds the
current consent table from the ledger. That the two agree is therefore not a matter of discipline.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from keywords.consent import Change, State
from keywords.signals import Frequency, Period


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a person stands with one program: the projection of their ledger entries.

    ``prior`` is the state before the open question; ``question`` the digest of its disclosure.
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


def apply(person: Person, entry: Entry) -> Person:
    """The person after one ledger entry."""
    match entry.change:
        case Change.LANGUAGE_CHANGED:
            return replace(person, language=entry.terms["language"])
        case Change.SUSPENDED | Change.SUSPENSION_LIFTED:
            return replace(person, suspended=entry.change is Change.SUSPENDED)
    assert entry.program is not None
    standing = _stand(person.standing(entry.program), entry)
    return replace(person, standings={**person.standings, entry.program: standing})


def replay(person: Person, entries: Iterable[Entry]) -> Person:
    """The person that a whole ledger makes of a blank one."""
    for entry in entries:
        person = apply(person, entry)
    return person


def _stand(standing: Standing, entry: Entry) -> Standing:
    at, terms = entry.occurred_at, entry.terms
    match entry.change:
        case Change.OPTIN_REMINDED:
            return replace(standing, reminded_at=at)
        case Change.OPTIN_REQUESTED | Change.RESUBSCRIBE_REQUESTED:
            return replace(
                standing,
                state=State.PENDING,
                prior=State(terms["prior"]),
                asked_at=at,
                expires_at=datetime.fromisoformat(terms["expires_at"]),
                reminded_at=None,
                question=terms.get("question"),
                method=entry.method,
                version=entry.version,
            )
        case Change.PREFERENCE_CHANGED:
            return replace(standing, frequency=read_frequency(terms["frequency"]))
    return _settle(standing, entry)


def _settle(standing: Standing, entry: Entry) -> Standing:
    """A change that answers or ends something: open questions and pauses are over."""
    until = entry.terms.get("paused_until")
    settled = replace(
        standing,
        state=State(entry.after),
        prior=State.NONE,
        asked_at=None,
        expires_at=None,
        reminded_at=None,
        question=None,
        paused_until=datetime.fromisoformat(until) if until else None,
    )
    match entry.change:
        case Change.OPTIN_CONFIRMED:
            # A new consent is to the program as promised now; an old wish does not carry over.
            return replace(
                settled,
                confirmed_at=entry.occurred_at,
                unsubscribed_at=None,
                frequency=None,
                method=standing.method or entry.method,
                version=entry.version,
            )
        case Change.OPTOUT | Change.OPTIN_DECLINED:
            return replace(settled, unsubscribed_at=entry.occurred_at, method=entry.method)
    return settled


def write_frequency(frequency: Frequency) -> str:
    """A frequency as the ledger writes it: "2/week"."""
    return f"{frequency.count}/{frequency.period}"


def read_frequency(text: str) -> Frequency:
    """The frequency that :func:`write_frequency` wrote."""
    count, period = text.split("/")
    return Frequency(int(count), Period(period))
