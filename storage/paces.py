"""How fast a sender may send, shared by all processes: one row each, a bucket of SMS segments.

The bucket fills at the sender's rate up to one second's worth. Whoever claims messages takes their
segments in the transaction of the claim, so the row's lock orders the takers and nothing is lost
when one dies. The segments are an estimate; settling corrects it, and a bucket may owe something
meanwhile. A throttled sender rests until ``resume_at``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import Double

from storage.base import Base
from storage.database import Connection


class PaceRow(Base):
    """One sender's bucket: ``level`` segments at the moment ``at``."""

    __tablename__ = "sender_paces"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    sender: Mapped[str] = mapped_column(primary_key=True)
    level: Mapped[float] = mapped_column(Double)
    at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    resume_at: Mapped[datetime | None]


# What is in the bucket of the sender ``%(sender)s`` now; locks it. To be used as a WITH query.
LEVEL_SQL: Final = """
    SELECT p.sender, assent_now() AS now,
           CASE WHEN p.resume_at > assent_now() THEN 0
                ELSE least(greatest(s.segments_per_second, 1), p.level + s.segments_per_second
                     * extract(epoch FROM assent_now() - p.at)) END AS level
    FROM sender_paces p JOIN senders s ON s.number = p.sender
    WHERE p.sender = %(sender)s FOR UPDATE OF p
"""
_OPEN: Final = """
WITH opened AS (
    INSERT INTO sender_paces (sender, level)
    SELECT number, greatest(segments_per_second, 1) FROM senders WHERE number = ANY(%(senders)s)
    ON CONFLICT (sender) DO NOTHING
)
SELECT number, segments_per_second FROM senders WHERE number = ANY(%(senders)s)
"""
_LEVEL: Final = f"WITH p AS ({LEVEL_SQL}) SELECT level FROM p"  # noqa: S608 - it is our own
_SPEND: Final = "UPDATE sender_paces SET level = level - %s WHERE sender = %s"
_REST: Final = """
UPDATE sender_paces SET resume_at = greatest(resume_at, assent_now() + %s) WHERE sender = %s
"""


def open_paces(connection: Connection, senders: Sequence[str]) -> dict[str, float]:
    """Give senders that have none a full bucket; answers the rate of each."""
    return dict(connection.execute(_OPEN, {"senders": list(senders)}).fetchall())


def level(connection: Connection, sender: str) -> float | None:
    """What is in a bucket now, in SMS segments; locks it. None where nobody has opened one."""
    found = connection.execute(_LEVEL, {"sender": sender}).fetchone()
    return float(found[0]) if found else None


def spend(connection: Connection, sender: str, sms_segments: float) -> None:
    """Take segments out of a bucket, or give some back (negative). It may owe afterwards."""
    if sms_segments:
        connection.execute(_SPEND, (sms_segments, sender))


def rest(connection: Connection, sender: str, wait: timedelta) -> None:
    """Let nothing of a sender that the carrier throttles be claimed for so long."""
    connection.execute(_REST, (wait, sender))
