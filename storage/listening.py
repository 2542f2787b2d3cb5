"""Do we hear what people text? Nothing is marketed to anybody while a STOP may be lying unheard.

Twilio tries a webhook for fifteen seconds and never again, so a text that came while nobody
answered is only in its log. The web processes say that they are there; a worker reads the log up
to a moment, over and over. Campaigns may claim texts only while the log was read lately, the web
is there, and the log was read beyond the end of its last absence.

Moments here are the machine's own and not ``assent_now()``: they are compared with the carrier's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import class_row
from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection

BEAT_S: Final = 3.0
WEB, TICKER = "web", "ticker"


class PresenceRow(Base):
    """A kind of process that says it is there. ``since`` is the end of its last absence."""

    __tablename__ = "presences"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    name: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    seen_at: Mapped[datetime]


class HeardRow(Base):
    """The one row: everything that the carrier took before ``until`` is in our tables.

    None until the log was first read. ``found`` counts texts that no webhook had brought.
    """

    __tablename__ = "heard"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    until: Mapped[datetime | None]
    found: Mapped[int] = mapped_column(server_default=text("0"))
    found_at: Mapped[datetime | None]


# A process that was silent for so long may have missed a text.
_AWAY: Final = timedelta(seconds=15)
# A web that was never seen before has missed nothing: the number is new to us.
_BEAT: Final = """
INSERT INTO presences AS p (name, since, seen_at) VALUES (%(name)s, '-infinity', clock_timestamp())
ON CONFLICT (name) DO UPDATE SET seen_at = excluded.seen_at,
    since = CASE WHEN p.seen_at < excluded.seen_at - %(away)s THEN excluded.seen_at ELSE p.since END
"""
# What holds marketing, or NULL. Part of every claim.
HOLD_SQL: Final = """
SELECT CASE WHEN w.until IS NULL THEN NULL
            WHEN p.seen_at < clock_timestamp() - interval '15 seconds' THEN 'web_away'
            WHEN p.since > w.until THEN 'outage_not_read'
            WHEN w.until < clock_timestamp() - interval '10 minutes' THEN 'log_not_read' END
FROM heard w LEFT JOIN presences p ON p.name = 'web'
"""
_LOOK: Final = f"""
SELECT w.until, w.found, w.found_at, clock_timestamp() AS now, ({HOLD_SQL}) AS hold FROM heard w
"""  # noqa: S608 - a part of a statement, which is our own
_DONE: Final = """
UPDATE heard SET until = greatest(until, %(until)s), found = found + %(found)s,
    found_at = CASE WHEN %(found)s > 0 THEN clock_timestamp() ELSE found_at END
"""

SENTENCES: Final = {
    "web_away": "No web process answers, so nobody would hear a STOP.",
    "outage_not_read": "Texts that came while we were down are being fetched from the carrier.",
    "log_not_read": "The carrier's log of inbound texts could not be read for ten minutes.",
}


@dataclass(frozen=True, slots=True)
class Heard:
    """How far we have heard. ``hold`` is a key of ``SENTENCES``, or None."""

    until: datetime | None
    found: int
    found_at: datetime | None
    now: datetime
    hold: str | None


def beat(connection: Connection, name: str = WEB) -> None:
    """Say that a process of this kind is there."""
    connection.execute(_BEAT, {"name": name, "away": _AWAY})


def look(connection: Connection) -> Heard:
    """How far we have heard, and whether that holds marketing."""
    with connection.cursor(row_factory=class_row(Heard)) as cursor:
        found = cursor.execute(_LOOK).fetchone()
    assert found is not None
    return found


def done(connection: Connection, until: datetime, found: int) -> None:
    """All that the carrier took before ``until`` is here now; ``found`` texts were missing."""
    connection.execute(_DONE, {"until": until, "found": found})
