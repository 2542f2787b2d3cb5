"""What must be tidied up behind campaigns: rows of dead workers, of canceled campaigns, what ended.

Each statement takes a bounded number of rows, passes over those that somebody holds, and counts
what it changes.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from storage.database import Connection
from storage.tallies import ADD_SQL, KEY

_CHANGE: Final = """
WITH chosen AS MATERIALIZED ({chosen}), changed AS (
    UPDATE recipients r SET state = '{state}', reason = {reason}, settled_at = assent_now()
    FROM chosen WHERE r.id = chosen.id RETURNING {key}, r.state, r.reason
), counted AS (
    SELECT campaign_id, variant, method, hour, state AS what, coalesce(reason, '') AS why, 1 AS n
    FROM changed
), {tally}
SELECT count(*) FROM changed
"""
_ABANDONED: Final = """
    SELECT id FROM recipients
    WHERE state = 'sending' AND claimed_at < (SELECT assent_now()) - %(older)s
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_CANCELED: Final = """
    SELECT r.id FROM campaigns c JOIN recipients r ON r.campaign_id = c.id AND r.state = 'planned'
    WHERE c.state = 'canceled' AND c.finished_at > (SELECT assent_now()) - interval '7 days'
    LIMIT %(limit)s FOR UPDATE OF r SKIP LOCKED
"""
_POISONED: Final = """
    SELECT id FROM recipients WHERE state = 'planned' AND crashes >= %(most)s
    LIMIT %(limit)s FOR UPDATE SKIP LOCKED
"""
_WAITING: Final = """
SELECT assent_now() - min(since) FROM (
    SELECT c.updated_at AS since FROM campaigns c WHERE c.state = 'planning'
    UNION ALL
    SELECT c.starts_at FROM campaigns c
    WHERE c.state = 'scheduled' AND c.starts_at <= (SELECT assent_now())
    UNION ALL
    SELECT greatest(p.at, c.updated_at, due.since)
    FROM campaigns c LEFT JOIN sender_paces p ON p.sender = c.sender
    CROSS JOIN LATERAL (
        SELECT r.not_before AS since FROM recipients r
        WHERE r.campaign_id = c.id AND r.state = 'planned'
          AND r.not_before <= (SELECT assent_now())
        ORDER BY r.not_before LIMIT 1) AS due
    WHERE c.state = 'running'
) AS waiting
"""


def give_up(connection: Connection, older_than: timedelta, limit: int) -> int:
    """Call ``unknown`` what a dead worker left in ``sending``; it is never sent again."""
    values = {"older": older_than, "limit": limit}
    return _change(connection, _ABANDONED, "unknown", "NULL", values)


def close_canceled(connection: Connection, limit: int) -> int:
    """Close what a canceled campaign has not sent."""
    return _change(connection, _CANCELED, "canceled", "'campaign.canceled'", {"limit": limit})


def quarantine(connection: Connection, most: int, limit: int) -> int:
    """Refuse messages that so many workers died with: the others must get on (F22)."""
    values = {"most": most, "limit": limit}
    return _change(connection, _POISONED, "refused", "'sending.quarantined'", values)


def waiting(connection: Connection) -> timedelta | None:
    """How long there has been work that nobody takes up; None when there is none."""
    row = connection.execute(_WAITING).fetchone()
    return row[0] if row else None


def _change(
    connection: Connection, chosen: str, state: str, reason: str, values: Mapping[str, object]
) -> int:
    statement = _CHANGE.format(chosen=chosen, state=state, reason=reason, key=KEY, tally=ADD_SQL)
    ((changed,),) = connection.execute(statement, values).fetchall()
    return int(changed)
