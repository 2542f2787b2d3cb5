"""What a program does about people who never react: the rule as the shop has set it.

Without a row the rule is that of ``worker/data/sunset.toml``, and nothing is paused by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row
from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class SunsetRow(Base):
    """``days`` without a reaction to ``texts`` campaign texts pause a program for a person.

    Once a day by itself while it is ``enabled``: ``ran_at`` is when that was last, ``paused`` how
    many people were paused then.
    """

    __tablename__ = "sunset_rules"
    __table_args__ = (
        CheckConstraint("days BETWEEN 30 AND 3660", name="days"),
        CheckConstraint("texts >= 1", name="texts"),
    )

    program: Mapped[str] = mapped_column(primary_key=True)
    days: Mapped[int]
    texts: Mapped[int]
    enabled: Mapped[bool]
    updated_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    updated_by: Mapped[str]
    ran_at: Mapped[datetime | None]
    paused: Mapped[int] = mapped_column(server_default=text("0"))


@dataclass(frozen=True, slots=True)
class Setting:
    """A program's rule, as in the table."""

    program: str
    days: int
    texts: int
    enabled: bool
    updated_at: datetime
    updated_by: str
    ran_at: datetime | None
    paused: int


_GET: Final = """
SELECT program, days, texts, enabled, updated_at, updated_by, ran_at, paused
FROM sunset_rules WHERE program = %s
"""
_PUT: Final = """
INSERT INTO sunset_rules (program, days, texts, enabled, updated_by) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (program) DO UPDATE SET days = excluded.days, texts = excluded.texts,
    enabled = excluded.enabled, updated_by = excluded.updated_by, updated_at = assent_now()
"""
# Whoever takes a rule has it for the day, so that two processes do not do the same work.
_TAKE: Final = """
UPDATE sunset_rules SET ran_at = assent_now(), paused = 0 WHERE program = (
    SELECT program FROM sunset_rules
    WHERE enabled AND (ran_at IS NULL OR ran_at < (SELECT assent_now()) - interval '1 day')
    ORDER BY program LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING program, days, texts, enabled, updated_at, updated_by, ran_at, paused
"""
_DONE: Final = "UPDATE sunset_rules SET paused = %s WHERE program = %s"


def get(connection: Connection, program: str) -> Setting | None:
    """A program's rule; None when nobody has set one."""
    with connection.cursor(row_factory=class_row(Setting)) as cursor:
        return cursor.execute(_GET, (program,)).fetchone()


def put(
    connection: Connection, program: str, days: int, texts: int, *, enabled: bool, by: str
) -> Setting:
    """Set a program's rule; what it did before stays on record."""
    connection.execute(_PUT, (program, days, texts, enabled, by))
    found = get(connection, program)
    assert found is not None
    return found


def take(connection: Connection) -> Setting | None:
    """The next rule that is enabled and was not applied for a day, marked as applied now."""
    with connection.cursor(row_factory=class_row(Setting)) as cursor:
        return cursor.execute(_TAKE).fetchone()


def done(connection: Connection, program: str, paused: int) -> None:
    """Note how many people a rule has paused."""
    connection.execute(_DONE, (paused, program))
