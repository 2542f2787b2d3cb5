"""What the clock has made due: whom the ticker must look at, and what may be forgotten.

These queries only find people. What follows is decided under each person's lock, by the consent
machine, from what is true by then.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeAlias

from storage.database import Connection
from storage.transaction import atomic

_LEADER: Final = 4_151_900_002  # any fixed number that no other advisory lock of ours has

# The join leaves out programs that the shop does not know: nobody could decide about them.
_EXPIRED = """
SELECT s.phone FROM subscriptions t JOIN subscribers s ON s.id = t.subscriber_id
JOIN programs p ON p.slug = t.program
WHERE t.state = 'pending' AND t.expires_at <= assent_now()
ORDER BY t.expires_at LIMIT %s
"""
_PAUSES = """
SELECT s.phone FROM subscriptions t JOIN subscribers s ON s.id = t.subscriber_id
JOIN programs p ON p.slug = t.program
WHERE t.state = 'paused' AND t.paused_until <= assent_now()
ORDER BY t.paused_until LIMIT %s
"""
_REMINDERS = """
SELECT t.asked_at, t.subscriber_id, t.program, s.phone, assent_now()
FROM subscriptions t JOIN subscribers s ON s.id = t.subscriber_id
JOIN programs p ON p.slug = t.program
WHERE t.state = 'pending' AND t.reminded_at IS NULL AND t.expires_at > assent_now()
  AND NOT s.suspended AND s.reachability <> 'invalid'
  AND t.asked_at + make_interval(hours => (p.body ->> 'remind_after_hours')::int)
      <= assent_now()
  AND (t.asked_at, t.subscriber_id, t.program) > (%s, %s, %s)
ORDER BY t.asked_at, t.subscriber_id, t.program LIMIT %s
"""

Place: TypeAlias = tuple[datetime | str, int, str]
START: Final[Place] = ("-infinity", 0, "")


@dataclass(frozen=True, slots=True)
class Unanswered:
    """An open question whose reminder is due. ``place`` is where the next page begins."""

    place: Place
    phone: str
    now: datetime


def expired_questions(connection: Connection, limit: int) -> list[str]:
    """The numbers of people with a question that nobody answered in time, sorted."""
    return sorted({phone for (phone,) in connection.execute(_EXPIRED, (limit,))})


def ended_pauses(connection: Connection, limit: int) -> list[str]:
    """The numbers of people whose pause is over, sorted."""
    return sorted({phone for (phone,) in connection.execute(_PAUSES, (limit,))})


def reminders_due(connection: Connection, after: Place, limit: int) -> list[Unanswered]:
    """One page of open questions that may be reminded of, from ``after`` on; first ``START``.

    Pages, because those for whom it is night stay due and must not hide the others.
    """
    rows = connection.execute(_REMINDERS, (*after, limit)).fetchall()
    return [
        Unanswered((asked_at, person, slug), phone, now)
        for asked_at, person, slug, phone, now in rows
    ]


@contextmanager
def leading(connection: Connection) -> Iterator[bool]:
    """Whether this process is the one ticker that works now; held until the block is left.

    The lock belongs to a transaction, not to the session, so that it holds behind a pooler that
    shares sessions. ``connection`` is used for nothing else meanwhile.
    """
    with atomic(connection):
        row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_LEADER,)).fetchone()
        yield bool(row and row[0])
