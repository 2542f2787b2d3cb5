"""Requests for erasure: those that wait for the end of a legal hold, and receipts of those done.

A person whose request waits is *restricted*: nothing goes out to them, and only keys with the scope
``compliance`` may read about them. A row holds nothing of the person.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.campaigns import one_of
from storage.database import Connection
from storage.holds import HELD


class Ground(StrEnum):
    """Why somebody is erased. A closed list, because it is kept for ever and words would name them.

    ``REQUEST``: they asked (GDPR Art. 17(1)(a) and (b)). ``UNLAWFUL``: the data should not have
    been held. ``REASSIGNED``: the number is somebody else's. ``RETENTION``: the time was over.
    """

    REQUEST = "request"
    UNLAWFUL = "unlawful"
    REASSIGNED = "reassigned"
    RETENTION = "retention"


class ErasureRow(Base):
    """One request. ``done_at`` is None while a hold forbids it; ``receipt`` is the signed JSON."""

    __tablename__ = "erasures"
    __table_args__ = (
        CheckConstraint(one_of("ground", Ground), name="ground"),
        CheckConstraint("(done_at IS NULL) = (receipt IS NULL)", name="receipt"),
        Index("uq_erasures_subscriber_id", "subscriber_id", unique=True),
        Index("ix_erasures_waiting", "requested_at", postgresql_where=text("done_at IS NULL")),
    )

    subject: Mapped[UUID] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int]
    ground: Mapped[str]
    requested_by: Mapped[str]
    requested_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    done_at: Mapped[datetime | None]
    receipt: Mapped[str | None]


@dataclass(frozen=True, slots=True)
class Erasure:
    """A request. ``done_at`` and ``receipt`` are None while it waits."""

    subject: UUID
    subscriber_id: int
    ground: Ground
    requested_at: datetime
    done_at: datetime | None
    receipt: str | None


_COLUMNS: Final = "subject, subscriber_id, ground, requested_at, done_at, receipt"
_REQUEST: Final = """
INSERT INTO erasures (subject, subscriber_id, ground, requested_by) VALUES (%s, %s, %s, %s)
ON CONFLICT (subject) DO NOTHING
"""
_DONE: Final = """
UPDATE erasures SET done_at = assent_now(), receipt = %s WHERE subject = %s AND done_at IS NULL
"""
_FIND: Final = f"SELECT {_COLUMNS} FROM erasures WHERE subject = %s"  # noqa: S608
_RESTRICTED: Final = """
SELECT EXISTS (SELECT FROM erasures WHERE subscriber_id = %s AND done_at IS NULL)
"""
_RELEASED: Final = f"""
SELECT s.phone, e.ground FROM erasures e JOIN subscribers s ON s.id = e.subscriber_id
WHERE e.done_at IS NULL AND NOT {HELD.format(person="e.subscriber_id")}
ORDER BY e.requested_at LIMIT %s
"""  # noqa: S608 - a part of a statement, which is our own


def request(
    connection: Connection, subject: UUID, subscriber_id: int, ground: Ground, by: str
) -> None:
    """Note a request; the first one of a person counts."""
    connection.execute(_REQUEST, (subject, subscriber_id, str(ground), by))


def done(connection: Connection, subject: UUID, receipt: str) -> None:
    """Note that a request was carried out."""
    connection.execute(_DONE, (receipt, subject))


def find(connection: Connection, subject: UUID) -> Erasure | None:
    """The request about this subject; None when there was none."""
    row = connection.execute(_FIND, (subject,)).fetchone()
    if row is None:
        return None
    ref, subscriber_id, ground, *rest = row
    return Erasure(ref, subscriber_id, Ground(ground), *rest)


def restricted(connection: Connection, subscriber_id: int) -> bool:
    """Whether a person's request for erasure waits for the end of a hold."""
    ((found,),) = connection.execute(_RESTRICTED, (subscriber_id,)).fetchall()
    return bool(found)


def released(connection: Connection, limit: int) -> Sequence[tuple[str, Ground]]:
    """Numbers of people whose request waits although no hold is in force any more, and why."""
    rows = connection.execute(_RELEASED, (limit,))
    return [(phone, Ground(ground)) for phone, ground in rows]
