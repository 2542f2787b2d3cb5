"""Forms that came back: each page is used once, and of what happened only counts are kept."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class FormPostRow(Base):
    """A page whose form came back. ``mark`` is a keyed digest of what it said; gone after hours."""

    __tablename__ = "form_posts"

    nonce: Mapped[str] = mapped_column(primary_key=True)
    mark: Mapped[bytes]
    used_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"), index=True)


class FormOutcomeRow(Base):
    """How often a form ended in some way, by program and UTC day. Nothing about any person.

    A count is spread over slots, so that forms that end at once do not wait for each other.
    """

    __tablename__ = "form_outcomes"

    program: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[date] = mapped_column(primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    slot: Mapped[int] = mapped_column(primary_key=True)
    count: Mapped[int]


_USE: Final = "INSERT INTO form_posts (nonce, mark) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_USED: Final = "SELECT mark FROM form_posts WHERE nonce = %s"
_TALLY: Final = """
INSERT INTO form_outcomes AS o (program, day, outcome, slot, count)
VALUES (%s, (assent_now() AT TIME ZONE 'UTC')::date, %s, pg_backend_pid() %% 16, 1)
ON CONFLICT (program, day, outcome, slot) DO UPDATE SET count = o.count + 1
"""
_FORGET: Final = """
DELETE FROM form_posts WHERE nonce IN (
    SELECT nonce FROM form_posts WHERE used_at < assent_now() - %s
    ORDER BY used_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def use(connection: Connection, nonce: str, mark: bytes) -> bytes | None:
    """Use a page up; answers the mark of the form that used it before, or None.

    Somebody who sends the same page at the same moment is waited for.
    """
    if connection.execute(_USE, (nonce, mark)).rowcount:
        return None
    row = connection.execute(_USED, (nonce,)).fetchone()
    return bytes(row[0]) if row else b""


def tally(connection: Connection, program: str, outcome: str) -> None:
    """Count one form that ended in ``outcome``."""
    connection.execute(_TALLY, (program, outcome))


def forget_posts(connection: Connection, older_than: timedelta, limit: int) -> int:
    """Delete pages that were used so long ago that their tokens have ended anyway."""
    return connection.execute(_FORGET, (older_than, limit)).rowcount
