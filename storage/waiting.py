"""Questions that wait for their turn: who is pending and has not been asked yet.

An import makes many people pending at once. Their questions go out at the pace of the sender and
by day, so each waits here for its turn; the person's standing says that nothing was asked. A row
says when to look again, not that the question may go: that is decided under the person's lock.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Index
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class WaitingQuestionRow(Base):
    """One question of a program to one subscriber, not to be looked at before ``not_before``."""

    __tablename__ = "waiting_questions"
    __table_args__ = (Index("ix_waiting_questions_due", "program", "not_before"),)

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program: Mapped[str] = mapped_column(primary_key=True)
    not_before: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A question whose turn may have come. ``phone`` is None when its person is gone."""

    subscriber_id: int
    phone: str | None


@dataclass(frozen=True, slots=True)
class Queue:
    """A program with questions that may be due, and its sender's segments per second."""

    program: str
    sender: str
    rate: float


_ADD: Final = """
INSERT INTO waiting_questions (subscriber_id, program, not_before)
SELECT id, program, assent_now() FROM unnest(%s::bigint[], %s::text[]) AS w (id, program)
ON CONFLICT (subscriber_id, program) DO NOTHING
"""
_QUEUES: Final = """
SELECT p.slug, p.sender, s.segments_per_second FROM programs p JOIN senders s ON s.number = p.sender
WHERE EXISTS (SELECT 1 FROM waiting_questions w
              WHERE w.program = p.slug AND w.not_before <= assent_now())
ORDER BY p.slug
"""
_NEXT: Final = """
SELECT w.subscriber_id, s.phone
FROM waiting_questions w LEFT JOIN subscribers s ON s.id = w.subscriber_id
WHERE w.program = %s AND w.not_before <= assent_now()
ORDER BY w.not_before, w.subscriber_id LIMIT %s
FOR UPDATE OF w SKIP LOCKED
"""
_POSTPONE: Final = """
UPDATE waiting_questions w SET not_before = v.until
FROM unnest(%s::bigint[], %s::timestamptz[]) AS v (id, until)
WHERE w.subscriber_id = v.id AND w.program = %s
"""
_REMOVE: Final = "DELETE FROM waiting_questions WHERE program = %s AND subscriber_id = ANY(%s)"
_COUNT: Final = "SELECT program, count(*) FROM waiting_questions GROUP BY program"


def add(connection: Connection, questions: Sequence[tuple[int, str]]) -> None:
    """Let questions wait, each a subscriber and a program; one that waits already stays."""
    if questions:
        columns: list[list[Any]] = [list(column) for column in zip(*questions, strict=True)]
        connection.execute(_ADD, columns)


def queues(connection: Connection) -> list[Queue]:
    """The programs with questions to look at."""
    return [Queue(*row) for row in connection.execute(_QUEUES)]


def following(connection: Connection, program: str, limit: int) -> list[Waiting]:
    """The next questions of a program, locked until the transaction ends."""
    return [Waiting(*row) for row in connection.execute(_NEXT, (program, limit))]


def postpone(connection: Connection, program: str, until: Sequence[tuple[int, datetime]]) -> None:
    """Look at these subscribers' questions again at these moments."""
    if until:
        ids, moments = zip(*until, strict=True)
        connection.execute(_POSTPONE, (list(ids), list(moments), program))


def remove(connection: Connection, program: str, subscribers: Sequence[int]) -> None:
    """These questions wait no longer."""
    if subscribers:
        connection.execute(_REMOVE, (program, list(subscribers)))


def waiting(connection: Connection) -> dict[str, int]:
    """How many questions wait, by program."""
    return dict(connection.execute(_COUNT).fetchall())
