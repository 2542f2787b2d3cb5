"""Check people's entries, and the current consent table against them, exactly.

Two streams in the order of the subjects, merged person by person, so that memory does not grow
with the ledger. :func:`check` does so for everybody; a whole ledger is looked at more quickly by
``storage.scanning`` first, which leaves only suspects to :func:`examine`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from psycopg import DataError
from psycopg.abc import Buffer
from psycopg.rows import TupleRow
from psycopg.types.datetime import TimestamptzLoader

from keywords.consent import Change
from keywords.ledger import GENESIS, Fault, Link, verify
from keywords.people import Standing
from storage.database import Connection
from storage.projection import Current, columns, differences, replayed
from storage.transaction import atomic

# The copies of envelope fields that an entry keeps in columns of its own, in the order of _CHAINS.
# ``storage.scanning`` compares each of them too.
COPIES: Final = (
    "event",
    "change",
    "program",
    "method",
    "occurred_at",
    "recorded_at",
    "message_sid",
    "placement",
)
_CHAINS: Final = """
SELECT e.subject, e.n, e.envelope, e.prev, e.hash, e.evidence_digest, v.salt, v.evidence,
       e.event, e.change, e.program, e.method, e.occurred_at, e.recorded_at, e.message_sid,
       e.placement, l.log
FROM consent_events e LEFT JOIN consent_evidence v USING (event) CROSS JOIN ledger_log l
WHERE %(everybody)s OR e.subject = ANY(%(subjects)s)
ORDER BY e.subject, e.n
"""
_STANDING: Final = tuple(columns(Standing("")))
_PEOPLE: Final = f"""
SELECT s.ref, s.language, s.suspended, s.chain_n, s.chain_head, {
    ", ".join(f"t.{name}" for name in _STANDING)
}
FROM subscribers s LEFT JOIN subscriptions t ON t.subscriber_id = s.id
WHERE %(everybody)s OR s.ref = ANY(%(subjects)s)
ORDER BY s.ref
"""  # noqa: S608 - the names are those of a class
# What is wrong with evidence that is not there, or still is.
MISSING: Final = "the evidence is missing, and no later entry says that it was destroyed"
KEPT: Final = "the evidence is still there, although a later entry says that it was destroyed"
_BATCH: Final = 2_000
_SUSPECTS: Final = 500
_LINK: Final = 8


@dataclass(frozen=True, slots=True)
class Checked:
    """One person's part of the check: how many entries, and what does not hold."""

    subject: UUID
    entries: int
    faults: Sequence[Fault]


@dataclass(frozen=True, slots=True)
class _Known:
    """A person as the tables have them, and where they say the chain ends."""

    n: int
    head: bytes
    current: Current


def size(connection: Connection) -> int:
    """How many entries there are to check, for showing progress."""
    ((entries,),) = connection.execute("SELECT count(*) FROM consent_events").fetchall()
    return int(entries)


def check(connection: Connection) -> Iterator[Checked]:
    """Everybody, in the order of their references, each with their faults (usually none).

    Chain: nothing altered, missing or moved. Copies: columns say what the envelope says. End: the
    subscriber's row knows the last entry. Projection: the current state is the replay's. Take all
    of the iterator: the snapshot is held until it ends.
    """
    with snapshot(connection):
        yield from _checked(connection, None)


def examine(connection: Connection, subjects: Sequence[UUID]) -> Iterator[Fault]:
    """The faults of these people, as :func:`check` finds them. Call inside :func:`snapshot`."""
    for first in range(0, len(subjects), _SUSPECTS):
        for checked in _checked(connection, subjects[first : first + _SUSPECTS]):
            yield from checked.faults


@contextmanager
def snapshot(connection: Connection) -> Iterator[None]:
    """One view of the database until the block is left; writers are not disturbed."""
    with atomic(connection):
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        connection.execute("SET LOCAL statement_timeout = 0")
        yield


def _checked(connection: Connection, subjects: Sequence[UUID] | None) -> Iterator[Checked]:
    """These people, or everybody, in the order of their references."""
    values = {"everybody": subjects is None, "subjects": list(subjects or ())}
    entries = _rows(connection, "chains", _CHAINS, values)
    people = _rows(connection, "people", _PEOPLE, values)
    for subject, chain, person in _merged(entries, people):
        yield Checked(subject, len(chain), list(_faults(subject, chain, person)))


def _rows(
    connection: Connection, name: str, statement: str, values: Mapping[str, Any]
) -> Iterator[TupleRow]:
    with connection.cursor(name) as cursor:
        cursor.adapters.register_loader("timestamptz", _AnyTime)
        cursor.itersize = _BATCH
        yield from cursor.execute(statement, values)


class _AnyTime(TimestamptzLoader):
    """Times as they are; as text where Python has none, such as infinity, which is a fault too."""

    def load(self, data: Buffer) -> Any:
        """The moment, or what PostgreSQL calls it."""
        try:
            return super().load(data)
        except DataError:
            return bytes(data).decode("ascii")


def _merged(
    entries: Iterable[TupleRow], people: Iterable[TupleRow]
) -> Iterator[tuple[UUID, list[TupleRow], _Known | None]]:
    """Both streams by subject. PostgreSQL and Python order UUIDs alike: by their bytes."""
    chains, known = _grouped(entries), _grouped(people)
    chain, person = next(chains, None), next(known, None)
    while chain is not None or person is not None:
        subject = min(group[0] for group in (chain, person) if group is not None)
        rows: list[TupleRow] = []
        row: _Known | None = None
        if chain is not None and chain[0] == subject:
            rows, chain = chain[1], next(chains, None)
        if person is not None and person[0] == subject:
            row, person = _known(person[1]), next(known, None)
        yield subject, rows, row


def _grouped(rows: Iterable[TupleRow]) -> Iterator[tuple[UUID, list[TupleRow]]]:
    for subject, group in groupby(rows, key=itemgetter(0)):
        yield subject, list(group)


def _known(rows: Sequence[TupleRow]) -> _Known:
    _, language, suspended, n, head, *_ = rows[0]
    standings = [dict(zip(_STANDING, row[5:], strict=True)) for row in rows]
    subscriptions = {s["program"]: s for s in standings if s["program"] is not None}
    return _Known(n, head, Current(language, suspended, subscriptions))


def _faults(subject: UUID, rows: Sequence[TupleRow], known: _Known | None) -> Iterator[Fault]:
    chain = [Link(*row[:_LINK]) for row in rows]
    broken = verify(chain)
    yield from broken
    envelopes = [_envelope(link) for link in chain]
    yield from _evidence_faults(subject, chain, envelopes)
    for link, envelope, row in zip(chain, envelopes, rows, strict=True):
        yield from (Fault(subject, link.n, what) for what in _copy_faults(envelope, row[_LINK:]))
    last, head = (chain[-1].n, chain[-1].hash) if chain else (0, GENESIS)
    if known is None:
        yield Fault(subject, last, "the subscriber of these entries is missing")
        return
    if (known.n, known.head) != (last, head):
        yield Fault(subject, last, f"the chain ends here, the subscriber's row says at {known.n}")
    if not broken:
        yield from (Fault(subject, last, what) for what in _projection(subject, envelopes, known))


def _evidence_faults(
    subject: UUID, chain: Sequence[Link], envelopes: Sequence[Mapping[str, Any]]
) -> Iterator[Fault]:
    """Evidence may be missing below an entry that says it was destroyed, and must be there."""
    said = [
        link.n
        for link, envelope in zip(chain, envelopes, strict=True)
        if envelope.get("change") == Change.EVIDENCE_DESTROYED
    ]
    destroyed = max(said, default=0)
    for link in chain:
        if link.evidence is None and link.n >= destroyed:
            yield Fault(subject, link.n, MISSING)
        elif link.evidence is not None and link.n < destroyed:
            yield Fault(subject, link.n, KEPT)


def _envelope(link: Link) -> dict[str, Any]:
    """What was hashed; empty when it cannot be read, which ``verify`` has named."""
    try:
        envelope = json.loads(link.envelope)
    except ValueError:
        return {}
    return envelope if isinstance(envelope, dict) else {}


def _copy_faults(envelope: Mapping[str, Any], copies: Sequence[Any]) -> Iterator[str]:
    if not envelope:
        return
    terms = envelope.get("terms")
    told = {**envelope, "placement": terms.get("placement") if isinstance(terms, dict) else None}
    *told_by_columns, log = copies
    for name, column in zip(COPIES, told_by_columns, strict=True):
        if _written(told.get(name), column) != column:
            yield f"the column {name} was altered"
    if envelope.get("log") != str(log):
        yield "the envelope belongs to another ledger"


def _written(value: Any, like: Any) -> Any:
    """An envelope's value as the column has it; the value itself when it cannot be."""
    try:
        if isinstance(like, datetime):
            return datetime.fromisoformat(value)
        return UUID(value) if isinstance(like, UUID) else value
    except (TypeError, ValueError, AttributeError):
        return value


def _projection(
    subject: UUID, envelopes: Sequence[Mapping[str, Any]], known: _Known
) -> Iterator[str]:
    try:
        person = replayed(subject, envelopes)
    except (KeyError, ValueError, TypeError, AssertionError):
        yield "these entries cannot be replayed"
        return
    yield from differences(person, known.current)
