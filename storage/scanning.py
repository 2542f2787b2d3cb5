"""Look at the whole ledger once, quickly, and name the people whose entries need a closer look.

Entries stream in the order in which they lie, with all that has to be compared beside each; one
loop hashes, compares, and puts each behind the one it follows. Then the people stream by, and are
held against what their entries make. Sorting by person would cost more than all of the hashing, so
the ends of the chains are remembered instead, of a few million entries at a time.

Nothing here says what is wrong: whoever is not plainly in order is a suspect, and
``storage.verifying`` examines suspects exactly. What this must never do is pass somebody over who
has a fault; that what it lets through is sound is argued in ``storage.shapes`` and tried in the
tests, against the exact check.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from psycopg.rows import TupleRow

from keywords.ledger import GENESIS
from keywords.merkle import HASH_BYTES
from storage import scan_queries as queries
from storage.database import Connection
from storage.plans import TIME
from storage.scan_queries import SID, SUBJECT
from storage.shapes import ENVELOPE, Shapes

_STEP: Final = 1_000
# Entries whose people are remembered at once: a quarter of a kilobyte each.
_AT_ONCE: Final = 2_000_000
_NOTHING: Final = GENESIS + Shapes.START
_TIMES: Final = len(_NOTHING)


@dataclass(slots=True)
class Scan:
    """What was seen: how much, how many entries have no leaf yet, whom to examine.

    ``torn`` is true when a leaf holds another hash than its entry.
    """

    people: int = 0
    entries: int = 0
    unsealed: int = 0
    torn: bool = False
    suspects: list[UUID] = field(default_factory=list)


def scan(connection: Connection, found: Scan) -> Generator[int]:
    """Fill ``found``; yields, now and then, how many entries there were since the last time.

    Call inside a transaction, and take all of the iterator, or close it.
    """
    queries.prepare(connection)
    ((count,),) = connection.execute("SELECT count(*) FROM consent_events").fetchall()
    parts, shapes = list(_parts(count // _AT_ONCE + 1)), Shapes()
    for part in parts:
        chains = _Chains()
        with closing(queries.entries(connection, part if len(parts) > 1 else None)) as rows:
            yield from _read(rows, chains, found, shapes)
        with closing(queries.people(connection, part)) as rows:
            found.suspects += sorted(_judge(rows, chains, found, shapes))


def _parts(count: int) -> Iterator[dict[str, UUID]]:
    """All identities in so many equal parts."""
    whole = 1 << 128
    for part in range(count):
        first, last = whole * part // count, whole * (part + 1) // count - 1
        yield {"first": UUID(int=first), "last": UUID(int=last)}


@dataclass(slots=True)
class _Chains:
    """People's entries so far, and who has a fault.

    ``ends`` has the last hash, the chain's number and all times in one piece, to be quick to find.
    ``early`` are entries that came before the one they follow: those of one moment have no order.
    """

    ends: dict[bytes, bytes] = field(default_factory=dict)
    bad: set[bytes] = field(default_factory=set)
    early: dict[tuple[bytes, bytes], tuple[bytes, int, bytes]] = field(default_factory=dict)


def _read(rows: Iterator[TupleRow], chains: _Chains, found: Scan, shapes: Shapes) -> Iterator[int]:
    """Check every entry by itself, and put it behind the one that it follows."""
    ends, early, sha256, join = chains.ends, chains.early, hashlib.sha256, b"".join
    shape_of, longer = shapes.of, shapes.chains.get
    end_of, seen = ends.get, 0
    for hashed, digest, middle, moved, occurred, kind, shown, bound, leaf in rows:
        shape, times = shape_of(kind, hashed, middle, occurred or moved[:TIME], moved)
        subject, prev = moved[SUBJECT], hashed[1:ENVELOPE]
        computed = sha256(hashed).digest()
        if shown is None:
            shape = -shape
        elif sha256(shown).digest() != bound:
            chains.bad.add(subject)
        if computed != digest or not middle[SID].isalnum():
            chains.bad.add(subject)
        end = end_of(subject, _NOTHING)
        if end.startswith(prev):
            chain = end[HASH_BYTES:_TIMES]
            chain = longer((chain, shape)) or shapes.longer(chain, shape)
            ends[subject] = join((computed, chain, end[_TIMES:], times))
        else:
            early[subject, prev] = computed, shape, times
        seen += 1
        if leaf is not True:
            found.torn |= leaf is False
            found.unsealed += leaf is None
        if seen == _STEP:
            found.entries += seen
            yield seen
            seen = 0
    _settle(chains, shapes)
    found.entries += seen
    yield seen


def _settle(chains: _Chains, shapes: Shapes) -> None:
    """Put what came early behind what it follows; who has entries that follow nothing is bad."""
    early = chains.early
    for subject in {subject for subject, _ in early}:
        last, chain, times = _apart(chains.ends.get(subject, _NOTHING))
        while (subject, last) in early:
            last, shape, more = early.pop((subject, last))
            chain = shapes.chains.get((chain, shape)) or shapes.longer(chain, shape)
            times += more
        chains.ends[subject] = last + chain + times
    chains.bad.update(subject for subject, _ in early)


def _apart(end: bytes) -> tuple[bytes, bytes, bytes]:
    """The last hash of a chain, its number, and all of its times."""
    return end[:HASH_BYTES], end[HASH_BYTES:_TIMES], end[_TIMES:]


def _judge(
    rows: Iterator[TupleRow], chains: _Chains, found: Scan, shapes: Shapes
) -> Iterator[UUID]:
    """Everybody whose entries do not end as their row says, or do not make their state."""
    ends, bad, plan = chains.ends, chains.bad, shapes.plan
    for subject, length, head, lines in _grouped(rows):
        found.people += 1
        end = ends.pop(subject, _NOTHING)
        planned = plan(end[HASH_BYTES:_TIMES])
        if not (
            planned is not None
            and end[:HASH_BYTES] == head
            and planned.length == length
            and planned.fits(end[_TIMES:], lines)
        ):
            bad.add(subject)
    found.people += len(ends)
    return (UUID(subject.decode()) for subject in bad.union(ends))


def _grouped(rows: Iterator[TupleRow]) -> Iterator[tuple[bytes, int, bytes, list[bytes]]]:
    """People, each with the lines of their state."""
    person: tuple[bytes, int, bytes, list[bytes]] | None = None
    for subject, length, head, state, line in rows:
        if person is not None and person[0] == subject:
            person[3].append(line)
            continue
        if person is not None:
            yield person
        person = subject, length, head, [state] if line is None else [state, line]
    if person is not None:
        yield person
