"""The two queries of ``storage.scanning``: entries, and people as the tables have them.

The server writes everything as the envelopes have it, so that comparing is comparing bytes.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from typing import Any, Final
from uuid import UUID

from psycopg.rows import TupleRow
from psycopg.types.string import ByteaBinaryLoader
from sqlalchemy import TIMESTAMP

from storage.database import Connection
from storage.ledger import EventRow
from storage.people import SubscriberRow, SubscriptionRow
from storage.plans import COLUMNS, FIELD, TIME, VALUE
from storage.shapes import KIND

# Rows that are handed over at once; more would not fit the processor's cache.
_CHUNK: Final = 200
_MEMORY: Final = "64MB"
_FORMAT: Final = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
# The tables share the order of ``event``, so merging them costs no memory and no sorting.
_SETTINGS: Final = (
    f"SET LOCAL work_mem = '{_MEMORY}'",
    "SET LOCAL enable_hashjoin = off",
    "SET LOCAL enable_nestloop = off",
    "SET LOCAL max_parallel_workers_per_gather = 0",
    "SET LOCAL jit = off",
)
# Where things are in what is written below, which has fixed lengths up to there.
SUBJECT: Final = slice(TIME + len('","subject":"'), TIME + len('","subject":"') + 36)
SID: Final = slice(
    len(f'"event":"{"":36}","evidence":"{"":64}","log":"{"":36}","message_sid":"'), -1
)


def _written(moment: str, before: str = "") -> str:
    """A moment as the ledger writes it; what no envelope can say is written otherwise.

    ``to_char`` would not tell years before Christ from those after, and knows no infinity.
    """
    usual = f"{moment} >= '0001-01-01 00:00Z' AND {moment} < '10000-01-01 00:00Z'"
    written = f"to_char({moment}, '{before}{_FORMAT}')"
    return f"CASE WHEN {usual} THEN {written} WHEN {moment} IS NOT NULL THEN '{'?' * TIME}' END"


def _told(table: Any, alias: str, *names: str) -> str:
    """Columns as ``storage.plans`` writes values."""
    return " || ".join(
        _value(f"{alias}.{name}", table.__table__.c[name], FIELD if place else "")
        for place, name in enumerate(names)
    )


def _value(name: str, column: Any, before: str) -> str:
    if isinstance(column.type, TIMESTAMP):
        written = _written(name, f'"{before}{VALUE}"')
    else:
        written = f"'{before}{VALUE}' || {name}"
    return f"coalesce({written}, '{before}')"


# Three parts of an envelope that only this entry has: who it is and what it is bound to; when it
# was recorded and of whom; and when it happened, if that is another time.
_MIDDLE: Final = """
'"event":"' || event || '","evidence":"' || encode(evidence_digest, 'hex')
|| (SELECT '","log":"' || log FROM ledger_log)
|| coalesce('","message_sid":"' || message_sid || '"', '","message_sid":null')
"""
# A byte that went from one column to the other must not look as if it had never moved.
_HASHED: Final = (
    "CASE WHEN octet_length(e.prev) = 32 THEN '\\x01'::bytea || e.prev || e.envelope ELSE '' END"
)
_MOVED: Final = f"""{_written("recorded_at")} || '","subject":"' || subject || '","terms":'"""
_OCCURRED: Final = f"CASE WHEN occurred_at <> recorded_at THEN {_written('occurred_at')} END"
_ENTRIES: Final = f"""
SELECT {_HASHED}, e.hash, {_MIDDLE}, {_MOVED}, {_OCCURRED},
       {_told(EventRow, "e", *KIND)},
       '\\x02'::bytea || v.salt || v.evidence, e.evidence_digest, l.hash = e.hash
FROM consent_events e
LEFT JOIN consent_evidence v USING (event) LEFT JOIN ledger_leaves l USING (event)
"""  # noqa: S608 - the names are those of our own columns
_ENTRIES_OF: Final = f"{_ENTRIES} WHERE e.subject BETWEEN %(first)s AND %(last)s"
# A row for each subscription, and one for each person without any.
_PEOPLE: Final = f"""
SELECT s.ref::text, s.chain_n, s.chain_head,
       {_told(SubscriberRow, "s", "language", "suspended")},
       CASE WHEN t.subscriber_id IS NOT NULL THEN {_told(SubscriptionRow, "t", *COLUMNS)} END
FROM subscribers s LEFT JOIN subscriptions t ON t.subscriber_id = s.id
WHERE s.ref BETWEEN %(first)s AND %(last)s
ORDER BY s.id
"""  # noqa: S608


def prepare(connection: Connection) -> None:
    """Settings of this transaction under which the two queries run well."""
    for setting in _SETTINGS:
        connection.execute(setting)


def entries(connection: Connection, part: Mapping[str, UUID] | None) -> Generator[TupleRow]:
    """Each entry, of everybody or of the people from ``first`` to ``last``.

    The bytes that were hashed, the hash, what is the entry's own (``storage.shapes.Own``: middle
    and moved; when it happened only if that is another time than when it was recorded), its kind,
    the bytes of the evidence and their digest, and whether its leaf has its hash (None: no leaf).
    """
    return _stream(connection, _ENTRIES if part is None else _ENTRIES_OF, part)


def people(connection: Connection, part: Mapping[str, UUID]) -> Generator[TupleRow]:
    """Reference, end of the chain (number, hash), person's own state, and a subscription's."""
    return _stream(connection, _PEOPLE, part)


def _stream(
    connection: Connection, statement: str, values: Mapping[str, UUID] | None
) -> Generator[TupleRow]:
    """Close it before the transaction ends, whatever happens: the connection is its own."""
    with connection.cursor() as cursor:
        cursor.adapters.register_loader("text", ByteaBinaryLoader)
        yield from cursor.stream(statement, values, binary=True, size=_CHUNK)
