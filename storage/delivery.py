"""What the carrier reports of a text after it took it: each report once, in the order it came.

The webhook only appends here; a worker applies the reports to the messages they are about. A
report names the attempt by itself, so it is understood even before the answer of the call that it
belongs to has been written down.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import class_row
from sqlalchemy import Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class ReportRow(Base):
    """One status of one text. Narrow, without foreign keys, never altered.

    ``recipient_id`` or ``message_id`` says which text; neither is set for a text that is not ours
    or carried no attempt.
    """

    __tablename__ = "delivery_reports"
    __table_args__ = (Index("ix_delivery_reports_order", "seq"),)

    sid: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[int | None]
    recipient_id: Mapped[int | None]
    message_id: Mapped[UUID | None]
    attempt_id: Mapped[UUID | None]


class ReadMarkRow(Base):
    """How far a reader of an append-only table has come: everything up to ``seq`` is applied."""

    __tablename__ = "read_marks"

    reader: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int]


class StrikeRow(Base):
    """A failure that may mean that a number does not work; a delivery clears a person's strikes."""

    __tablename__ = "number_strikes"

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sid: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[int]
    at: Mapped[datetime]


# How far a status is (rules 5.2). Reports may come in any order; a message only ever moves on.
RANKS: Final = {
    "accepted": 0,
    "scheduled": 0,
    "queued": 1,
    "sending": 2,
    "sent": 3,
    "delivered": 4,
    "undelivered": 4,
    "failed": 4,
    "canceled": 4,
    "read": 5,
}
# The statuses after which nothing is on its way any more, for better or worse.
FAILED: Final = frozenset({"undelivered", "failed", "canceled"})
ARRIVED: Final = frozenset({"delivered", "read"})
_READER: Final = "messages"
_APPEND: Final = """
INSERT INTO delivery_reports
    (sid, status, rank, code, recipient_id, message_id, attempt_id)
SELECT sid, status, rank, code, recipient_id, message_id, attempt_id
FROM json_to_recordset(%s::json) AS r (sid text, status text, rank smallint, code bigint,
     recipient_id bigint, message_id uuid, attempt_id uuid)
ON CONFLICT (sid, status) DO NOTHING
"""
_OPEN: Final = """
INSERT INTO read_marks (reader, seq) VALUES (%s, 0) ON CONFLICT (reader) DO NOTHING
"""
_MARK: Final = "SELECT seq FROM read_marks WHERE reader = %s FOR UPDATE SKIP LOCKED"
_PAGE: Final = """
SELECT seq, at, sid, status, rank, code, recipient_id, message_id, attempt_id
FROM delivery_reports WHERE seq > %(seq)s AND seq <> ALL(%(applied)s::bigint[])
ORDER BY seq LIMIT %(limit)s
"""
_ADVANCE: Final = """
UPDATE read_marks SET seq = greatest(seq, coalesce((
    SELECT max(seq) FROM delivery_reports
    WHERE seq > read_marks.seq AND seq <= %(seq)s AND at < assent_now() - %(settled)s), 0))
WHERE reader = %(reader)s RETURNING seq
"""
# A report becomes visible when its transaction ends, which is a statement of at most five seconds.
# Before a report of that age no other one can still turn up.
SETTLED: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Report:
    """A status of a text as the carrier told it; the columns are those of the table."""

    sid: str
    status: str
    rank: int
    code: int | None
    recipient_id: int | None
    message_id: UUID | None
    attempt_id: UUID | None


@dataclass(frozen=True, slots=True)
class Reported(Report):
    """A report that is on record: when, and its place in the order."""

    seq: int
    at: datetime


def rank_of(status: str) -> int:
    """How far a status is; one that nobody knows yet says nothing."""
    return RANKS.get(status, -1)


def append(connection: Connection, reports: Sequence[Report]) -> list[None]:
    """Keep reports, each (sid, status) once; durable when this returns.

    One statement, on a connection that commits each by itself.
    """
    connection.execute(_APPEND, (_encode([_row(report) for report in reports]),), prepare=True)
    return [None] * len(reports)


def unread(connection: Connection, applied: Collection[int], limit: int) -> list[Reported] | None:
    """The next reports by ``seq`` that nobody has applied; None while another process reads.

    ``applied`` are those beyond the mark that the caller has applied already. Call inside a
    transaction, and :func:`advance` in the same.
    """
    connection.execute(_OPEN, (_READER,))
    mark = connection.execute(_MARK, (_READER,)).fetchone()
    if mark is None:
        return None
    values = {"seq": mark[0], "applied": list(applied), "limit": limit}
    with connection.cursor(row_factory=class_row(Reported)) as cursor:
        return cursor.execute(_PAGE, values).fetchall()


def advance(connection: Connection, last: int) -> int:
    """Note that everything up to the ``seq`` ``last`` is applied; answers how far that is certain.

    Reports are numbered before they can be seen, so one with a smaller number may turn up later.
    The mark stays behind those that are too young to know.
    """
    values = {"seq": last, "settled": SETTLED, "reader": _READER}
    ((seq,),) = connection.execute(_ADVANCE, values).fetchall()
    return int(seq)


def _row(report: Report) -> dict[str, object]:
    return {
        "sid": report.sid,
        "status": report.status,
        "rank": report.rank,
        "code": report.code,
        "recipient_id": report.recipient_id,
        "message_id": report.message_id.hex if report.message_id else None,
        "attempt_id": report.attempt_id.hex if report.attempt_id else None,
    }


_encode: Final = json.JSONEncoder(separators=(",", ":"), check_circular=False).encode
