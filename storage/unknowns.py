"""Texts whose outcome nobody knows: who they were for, and what became of asking the carrier.

Usually a status callback settles them within seconds. What is left after two minutes is looked for
in the carrier's own list; what is not found there after fifteen is closed as not found. Marketing
is never sent again by itself. A confirmation is, once: it was asked for.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from storage.database import Connection
from storage.tallies import ADD_SQL, KEY

ASK_AFTER: Final = timedelta(minutes=2)
GIVE_UP_AFTER: Final = timedelta(minutes=15)
NOT_FOUND: Final = "unknown.not_found"

_RECIPIENTS: Final = """
WITH due AS (
    SELECT id FROM recipients
    WHERE state = 'unknown' AND reason IS NULL
      AND claimed_at < (SELECT assent_now()) - %(after)s
      AND (asked_at IS NULL OR asked_at < assent_now() - %(after)s)
    ORDER BY claimed_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE recipients r SET asked_at = assent_now()
FROM due, campaigns c, subscribers s
WHERE r.id = due.id AND c.id = r.campaign_id AND s.id = r.subscriber_id
RETURNING r.id, r.attempt_id, r.claimed_at, r.body, s.phone, c.sender,
          r.claimed_at < assent_now() - %(give_up)s AS old,
          coalesce((SELECT array_agg(l.number) FROM links l WHERE l.campaign_id = c.id
                    AND l.variant = r.variant), '{}') AS links
"""
_MESSAGES: Final = """
WITH due AS (
    SELECT id FROM messages
    WHERE state = 'unknown' AND error_code IS NULL
      AND claimed_at < (SELECT assent_now()) - %(after)s
      AND (asked_at IS NULL OR asked_at < assent_now() - %(after)s)
    ORDER BY claimed_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE messages m SET asked_at = assent_now()
FROM due, subscribers s WHERE m.id = due.id AND s.id = m.subscriber_id
RETURNING m.id, m.attempt_id, m.claimed_at, m.body, s.phone, m.sender,
          m.claimed_at < assent_now() - %(give_up)s AS old
"""
_CLOSE: Final = """
WITH changed AS (
    UPDATE recipients r SET reason = %(reason)s
    WHERE id = ANY(%(ids)s) AND state = 'unknown' AND reason IS NULL RETURNING {key}
), counted AS (
    SELECT campaign_id, variant, method, hour, 'unknown' AS what, moved.why, moved.n
    FROM changed, (VALUES (%(reason)s::text, 1), ('', -1)) AS moved (why, n)
), {tally}
SELECT count(*) FROM changed
"""
# Once: one that comes back unknown a second time has been queued again before.
_AGAIN: Final = """
UPDATE messages SET
    state = CASE WHEN requeued_at IS NULL AND kind = ANY(%(kinds)s)
                      AND (not_after IS NULL OR not_after > assent_now())
                 THEN 'queued' ELSE state END,
    requeued_at = coalesce(requeued_at, assent_now()),
    not_before = assent_now(), asked_at = NULL, error_code = %(reason)s
WHERE id = ANY(%(ids)s) AND state = 'unknown' RETURNING state
"""


@dataclass(frozen=True, slots=True)
class UnknownText:
    """A text without an outcome. ``body`` is None where its worker died before it could say.

    ``old``: it has been looked for long enough. ``links`` are the numbers of its links.
    """

    id: int | UUID
    attempt_id: UUID
    claimed_at: datetime
    body: str | None
    phone: str
    sender: str
    old: bool
    links: tuple[int, ...] = ()


def recipients(connection: Connection, limit: int) -> list[UnknownText]:
    """Texts of campaigns that the carrier is to be asked about now; notes that it was."""
    return _due(connection, _RECIPIENTS, limit)


def messages(connection: Connection, limit: int) -> list[UnknownText]:
    """The same for the outbox."""
    return _due(connection, _MESSAGES, limit)


def close(connection: Connection, ids: list[int]) -> int:
    """Nobody has seen these texts of campaigns: they stay unknown, and nobody asks again."""
    values = {"ids": ids, "reason": NOT_FOUND}
    ((count,),) = connection.execute(_CLOSE.format(key=KEY, tally=ADD_SQL), values).fetchall()
    return int(count)


def queue_again(connection: Connection, ids: list[UUID], kinds: list[str]) -> int:
    """Queue those of these ``kinds`` once more, if they were not before; answers how many."""
    values = {"ids": ids, "kinds": kinds, "reason": NOT_FOUND}
    rows = connection.execute(_AGAIN, values).fetchall()
    return sum(state == "queued" for (state,) in rows)


def _due(connection: Connection, statement: str, limit: int) -> list[UnknownText]:
    values = {"after": ASK_AFTER, "give_up": GIVE_UP_AFTER, "limit": limit}
    with connection.cursor(row_factory=class_row(UnknownText)) as cursor:
        return cursor.execute(statement, values).fetchall()
