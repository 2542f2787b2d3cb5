"""Look at the whole ledger once, quickly, and name the people whose entries need a closer look.

One query sorts people and their entries by person, with all that has to be compared beside each;
one loop hashes, compares and takes the next. Nothing here says what is wrong: whoever is not
plainly in order is a suspect, and ``storage.verifying`` examines suspects exactly. What this must
never do is pass somebody over who has a fault; that what it lets through is sound is argued in
``storage.shapes`` and tried in the tests, against the exact check.

The server's part is to read, join, sort and write identities and times as the envelopes have
them. Hash joins are off: the tables share the order of ``event``, so that merging costs no memory.
"""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow
from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import TIMESTAMP

from keywords.ledger import GENESIS
from storage.database import Connection
from storage.people import SubscriptionRow
from storage.shapes import COLUMNS, END, FIELD, INSTANT, KIND, LINE, VALUE, Shapes

_CHUNK: Final = 1_000
_MEMORY: Final = "64MB"
_FORMAT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
_SETTINGS: Final = (
    f"SET LOCAL work_mem = '{_MEMORY}'",
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_nestloop = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    "SET LOCAL jit = off",
)
_NO_TERMS: Final = len(b"{}" + END)
_AT: Final = b"@"
# The hashed bytes begin with a byte for the kind and the hash before, then comes the envelope.
_ENVELOPE: Final = 1 + 32
# Where things are in the parts that the query writes, which have fixed lengths up to there.
_TIME: Final = 27
_SUBJECT: Final = slice(_TIME + len('","subject":"'), _TIME + len('","subject":"') + 36)
_SID: Final = slice(
    len(f'"event":"{"":36}","evidence":"{"":64}","log":"{"":36}","message_sid":"'), -1
)
_BEFORE_RECORDED: Final = b'"recorded_at":"'
_BEFORE_EVENT: Final = b'"event":"'


def _written(moment: str, before: str = "") -> str:
    """A moment as the ledger writes it; what no envelope can say is written otherwise.

    ``to_char`` would not tell years before Christ from those after, and knows no infinity.
    """
    usual = f"{moment} >= '0001-01-01 00:00Z' AND {moment} < '10000-01-01 00:00Z'"
    written = f"to_char({moment}, '{before}{_FORMAT}')"
    return f"CASE WHEN {usual} THEN {written} WHEN {moment} IS NOT NULL THEN '{'?' * _TIME}' END"


def _told(column: str, kind: object = None) -> str:
    """A column as ``storage.shapes`` writes values."""
    if isinstance(kind, TIMESTAMP):
        return f"""coalesce({_written(column, f'"{VALUE}"')}, '')"""
    return f"coalesce('{VALUE}' || {column}, '')"


_STATE: Final = f" || '{FIELD}' || ".join(
    _told(f"t.{name}", SubscriptionRow.__table__.c[name].type) for name in COLUMNS
)
_KIND: Final = f" || '{FIELD}' || ".join(_told(name) for name in KIND)
# Three parts of an envelope that only this entry has: who it is and what it is bound to; when it
# was recorded and of whom; and when it happened, if that is another time.
_MIDDLE: Final = """
'"event":"' || event || '","evidence":"' || encode(evidence_digest, 'hex')
|| '","log":"' || (SELECT log FROM ledger_log)
|| coalesce('","message_sid":"' || message_sid || '"', '","message_sid":null')
"""
_MOVED: Final = f"""{_written("recorded_at")} || '","subject":"' || subject || '","terms":'"""
_OCCURRED: Final = f"CASE WHEN occurred_at <> recorded_at THEN {_written('occurred_at')} END"
_ROWS: Final = f"""
SELECT CASE WHEN entry THEN '\\x01'::bytea || prev || envelope END, hash,
       CASE WHEN entry THEN {_MIDDLE} ELSE state END,
       CASE WHEN entry THEN {_MOVED} ELSE subject::text END, {_OCCURRED}, {_KIND},
       '\\x02'::bytea || salt || evidence, evidence_digest, leaf
FROM (
    SELECT e.subject, true AS entry, e.hash, e.prev, e.envelope, e.event, e.evidence_digest,
           e.message_sid, e.recorded_at, e.occurred_at, {", ".join(f"e.{name}" for name in KIND)},
           v.salt, v.evidence, l.hash = e.hash AS leaf, NULL AS state
    FROM consent_events e
    LEFT JOIN consent_evidence v USING (event) LEFT JOIN ledger_leaves l USING (event)
    UNION ALL
    SELECT s.ref, false, s.chain_head, NULL, NULL, NULL, NULL,
           NULL, NULL, NULL, NULL, NULL, NULL, NULL, s.chain_n,
           NULL, NULL, NULL, {_told("s.language")} || '{FIELD}{VALUE}' || s.suspended::text
           || coalesce(E'\\n' || t.lines, '')
    FROM subscribers s LEFT JOIN (
        SELECT t.subscriber_id, string_agg({_STATE}, E'\\n' ORDER BY t.program COLLATE "C") AS lines
        FROM subscriptions t GROUP BY t.subscriber_id
    ) t ON t.subscriber_id = s.id
    ORDER BY 1, 2, n OFFSET 0
) rows
"""  # noqa: S608 - the names are those of our own columns
assert LINE == "\n"


@dataclass(slots=True)
class Scan:
    """What was seen: how much, how many entries have a leaf, whom to examine.

    ``torn`` is true when a leaf holds another hash than its entry.
    """

    people: int = 0
    entries: int = 0
    leaves: int = 0
    torn: bool = False
    suspects: list[UUID] = field(default_factory=list)


def scan(connection: Connection, found: Scan) -> Generator[int]:
    """Fill ``found``; yields, now and then, how many entries there were since the last time.

    Call inside a transaction, and take all of the iterator.
    """
    for setting in _SETTINGS:
        connection.execute(setting)
    told = 0
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("text", ByteaBinaryLoader)
        # Closed before the transaction ends, whatever happens: the connection is its own till then.
        with closing(_stream(cursor)) as rows:
            for person in _people(rows, found, Shapes()):
                found.people += 1
                if person is not None:
                    found.suspects.append(UUID(person.decode()))
                if found.entries - told >= _CHUNK:
                    yield found.entries - told
                    told = found.entries
    yield found.entries - told


def _stream(cursor: Cursor[TupleRow]) -> Generator[TupleRow]:
    yield from cursor.stream(_ROWS, binary=True, size=_CHUNK)


@dataclass(slots=True)
class _Chain:
    """One person while their entries pass: what the rows say, and what was seen so far."""

    subject: bytes
    end: bytes = GENESIS
    length: bytes = b""
    state: bytes = b""
    sound: bool = False
    last: bytes = GENESIS
    shapes: list[int] = field(default_factory=list)
    times: list[bytes] = field(default_factory=list)

    def verdict(self, shapes: Shapes) -> bytes | None:
        """None when the chain is sound, ends where the row says and makes the state it has."""
        if not self.sound or self.last != self.end or self.length != _length(len(self.shapes)):
            return self.subject
        plan = shapes.plan(tuple(self.shapes))
        sound = plan is not None and plan.state(self.times) == self.state
        return None if sound else self.subject


def _length(entries: int) -> bytes:
    """How the row of a person with so many entries tells it: a kind with nothing but a number."""
    return f"{FIELD * (len(KIND) - 1)}{VALUE}{entries}".encode()


def _people(rows: Iterator[TupleRow], found: Scan, shapes: Shapes) -> Iterator[bytes | None]:
    """Each person: None when all is well, their reference when it is not."""
    chain: _Chain | None = None
    known, learn, sha256, split = shapes.known.get, shapes.learn, hashlib.sha256, INSTANT.split
    for hashed, digest, middle, moved, occurred, kind, shown, bound, leaf in rows:
        if hashed is None:
            if chain is not None:
                yield chain.verdict(shapes)
            chain = _Chain(moved, digest, kind, middle, sound=True)
            continue
        if chain is None or moved[_SUBJECT] != chain.subject:
            if chain is not None:
                yield chain.verdict(shapes)
            chain = _Chain(moved[_SUBJECT])
        first = hashed.find(_BEFORE_EVENT, _ENVELOPE)
        second = first + len(middle)
        third = hashed.find(_BEFORE_RECORDED, second) + len(_BEFORE_RECORDED)
        tail = hashed[third + len(moved) :]
        parts = split(tail) if len(tail) > _NO_TERMS else [tail]
        at = occurred or moved[:_TIME]
        literal = hashed[second:third].replace(at, _AT, 1)
        key = (hashed[_ENVELOPE:first], kind, literal, *parts[::2])
        chain.shapes.append(known(key) or learn(key, hashed[_ENVELOPE:]))
        chain.times += [at, *parts[1::2]]
        chain.sound = (
            chain.sound
            and hashed[1:_ENVELOPE] == chain.last
            and sha256(hashed).digest() == digest
            and (shown is None or sha256(shown).digest() == bound)
            and hashed.startswith(middle, first)
            and hashed.startswith(moved, third)
            and middle[_SID].isalnum()
        )
        chain.last = digest
        found.entries += 1
        found.leaves += leaf is not None
        found.torn |= leaf is False
    if chain is not None:
        yield chain.verdict(shapes)
