"""The outbox: queued messages are claimed before the carrier is called, and settled after it.

Claim first: a message is ``sending``, with an attempt of its own, in the database before anything
goes out. Whoever dies between claim and settlement leaves a row that becomes ``unknown`` and is
never sent again blindly. Times are those of the database's clock. Call inside
``transaction.atomic``; nothing here commits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.rows import dict_row

from keywords.consent import State
from keywords.people import Standing
from keywords.segments import count
from keywords.turn import Spoken
from storage.database import Connection
from storage.identifiers import uuid7
from storage.messages import MessageState

# A person who is being decided about at this moment is passed over: the next round finds the
# message, a STOP waits for nobody, and locks cannot wait for each other in a circle.
_LOCK_DUE = """
SELECT m.id, m.subscriber_id, s.phone, s.suspended, m.sender, m.program, m.kind, m.body,
       m.created_at, m.not_after, assent_now() AS now
FROM messages m JOIN subscribers s ON s.id = m.subscriber_id
WHERE m.state = 'queued' AND m.not_before <= assent_now()
  AND (m.not_after IS NULL OR m.not_after > assent_now())
  AND EXISTS (SELECT FROM instance WHERE held_since IS NULL)
ORDER BY m.not_before, m.id LIMIT %s
FOR UPDATE OF m SKIP LOCKED FOR SHARE OF s SKIP LOCKED
"""
# A statement of its own: it must see what was committed while the locks were being taken.
_STANDINGS = """
SELECT subscriber_id, program, state, asked_at, expires_at, reminded_at
FROM subscriptions WHERE subscriber_id = ANY(%s)
"""
# What these texts cost is taken from their senders' buckets, which may owe it: they go first, and
# campaigns wait.
_TAKE = """
WITH taken AS (
    UPDATE messages SET state = 'sending', attempt_id = gen_random_uuid(),
                        claimed_at = assent_now()
    WHERE id = ANY(%s) AND state = 'queued' RETURNING id, attempt_id, sender, sms_segments
), spent AS (
    UPDATE sender_paces p SET level = p.level - t.segments
    FROM (SELECT sender, sum(sms_segments) AS segments FROM taken GROUP BY sender) AS t
    WHERE p.sender = t.sender
)
SELECT id, attempt_id FROM taken
"""
_SUPPRESS = """
UPDATE messages m SET state = 'suppressed', error_code = v.reason, settled_at = assent_now()
FROM unnest(%s::uuid[], %s::text[]) AS v (id, reason)
WHERE m.id = v.id AND m.state = 'queued'
"""
_SETTLE = """
UPDATE messages m
SET state = v.state, carrier_sid = v.sid, error_code = v.code,
    settled_at = CASE WHEN v.state = 'queued' THEN NULL ELSE assent_now() END,
    attempt_id = CASE WHEN v.state = 'queued' THEN NULL ELSE m.attempt_id END,
    claimed_at = CASE WHEN v.state = 'queued' THEN NULL ELSE m.claimed_at END,
    not_before = coalesce(assent_now() + v.wait, m.not_before)
FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::interval[])
     AS v (id, attempt, state, sid, code, wait)
WHERE m.id = v.id AND m.attempt_id = v.attempt AND m.state IN ('sending', 'unknown')
"""
_EXPIRE = """
UPDATE messages SET state = 'expired', settled_at = assent_now()
WHERE id IN (SELECT id FROM messages WHERE state = 'queued' AND not_after <= assent_now()
             LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_ABANDON = """
UPDATE messages SET state = 'unknown', settled_at = assent_now()
WHERE id IN (SELECT id FROM messages
             WHERE state = 'sending' AND claimed_at < assent_now() - %s
             LIMIT %s FOR UPDATE SKIP LOCKED)
"""
_WAITING = """
SELECT assent_now() - min(not_before) FROM messages
WHERE state = 'queued' AND not_before <= assent_now()
  AND (not_after IS NULL OR not_after > assent_now())
"""
_ENQUEUE = """
INSERT INTO messages (id, subscriber_id, program, sender, kind, reply, language, body, encoding,
                      sms_segments, state, dedupe_key, not_before, not_after, created_at)
SELECT %(id)s::uuid, %(subscriber)s::bigint, %(program)s, %(sender)s, %(kind)s, %(reply)s,
       %(language)s, %(body)s, %(encoding)s, %(segments)s::bigint, 'queued', %(key)s,
       %(now)s::timestamptz, %(until)s::timestamptz, %(now)s::timestamptz
WHERE %(id)s::uuid IS NOT NULL
ON CONFLICT (dedupe_key) WHERE dedupe_key IS NOT NULL DO NOTHING
"""
_REACHABILITY = """
UPDATE subscribers SET reachability = %s, reachability_at = assent_now() WHERE id = %s
"""


@dataclass(frozen=True, slots=True)
class Due:
    """A queued message whose time has come, and all that "may it go now?" depends on.

    ``standing`` is the person's with the message's program, None when that never came up.
    """

    id: UUID
    subscriber_id: int
    phone: str
    suspended: bool
    sender: str
    program: str | None
    kind: str
    body: str
    created_at: datetime
    not_after: datetime | None
    now: datetime
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of one attempt. ``wait`` belongs to QUEUED: how long before the next one."""

    id: UUID
    attempt: UUID
    state: MessageState
    sid: str | None = None
    code: str | None = None
    wait: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Posting:
    """A text to be sent once: a second posting with the same ``dedupe_key`` does nothing."""

    subscriber_id: int
    sender: str
    kind: str
    spoken: Spoken
    dedupe_key: str
    not_after: datetime


def due(connection: Connection, limit: int) -> list[Due]:
    """Lock the next due messages, and their people against any decision, until the commit."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_LOCK_DUE, (limit,)).fetchall()
    people = sorted({row["subscriber_id"] for row in rows})
    standings = {
        (person, program): Standing(program, State(state), *_rest(rest))
        for person, program, state, *rest in connection.execute(_STANDINGS, (people,))
    }
    return [
        Due(**row, standing=standings.get((row["subscriber_id"], row["program"]))) for row in rows
    ]


def _rest(columns: Sequence[Any]) -> tuple[State, None, Any, Any, Any]:
    """The fields of a Standing after ``state``: prior, frequency, then the question's times."""
    asked_at, expires_at, reminded_at = columns
    return State.NONE, None, asked_at, expires_at, reminded_at


def take(connection: Connection, ids: Sequence[UUID]) -> dict[UUID, UUID]:
    """Claim queued messages: each gets a new attempt. Answers the attempts by message."""
    if not ids:
        return {}
    return dict(connection.execute(_TAKE, (list(ids),)).fetchall())


def suppress(connection: Connection, reasons: Mapping[UUID, str]) -> None:
    """Close queued messages that must not go, each with the rule that says so."""
    if reasons:
        connection.execute(_SUPPRESS, (list(reasons), list(reasons.values())))


def settle(connection: Connection, settlements: Sequence[Settlement]) -> int:
    """Write what became of attempts; answers how many rows that changed.

    Only the attempt that is still the message's own counts, and a settlement that comes after
    the message was given up as ``unknown`` still does.
    """
    if not settlements:
        return 0
    rows = [(s.id, s.attempt, str(s.state), s.sid, s.code, s.wait) for s in settlements]
    columns = [list(column) for column in zip(*rows, strict=True)]
    return connection.execute(_SETTLE, columns).rowcount


def expire(connection: Connection, limit: int) -> int:
    """Close queued messages whose last moment has passed."""
    return connection.execute(_EXPIRE, (limit,)).rowcount


def give_up(connection: Connection, older_than: timedelta, limit: int) -> int:
    """Call ``unknown`` what a dead worker left in ``sending``; it is never queued again."""
    return connection.execute(_ABANDON, (older_than, limit)).rowcount


def waiting(connection: Connection) -> timedelta | None:
    """How long the oldest due message has been waiting; None when nothing is due."""
    row = connection.execute(_WAITING).fetchone()
    return row[0] if row else None


def post(connection: Connection, now: datetime, posting: Posting | None) -> None:
    """Queue a text that may go at once, unless one with its ``dedupe_key`` was queued before.

    None queues nothing by the same statement: whoever takes the time must not learn which it was.
    """
    values = _NOTHING if posting is None else _values(now, posting)
    connection.execute(_ENQUEUE, {**values, "now": now})


def _values(now: datetime, posting: Posting) -> dict[str, Any]:
    spoken, size = posting.spoken, count(posting.spoken.body)
    return {
        "id": uuid7(now),
        "subscriber": posting.subscriber_id,
        "program": spoken.program,
        "sender": posting.sender,
        "kind": posting.kind,
        "reply": str(spoken.kind),
        "language": spoken.language,
        "body": spoken.body,
        "encoding": str(size.encoding),
        "segments": size.segments,
        "key": posting.dedupe_key,
        "until": posting.not_after,
    }


_NOTHING: Final[Mapping[str, None]] = dict.fromkeys(
    (
        *("id", "subscriber", "program", "sender", "kind", "reply", "language", "body"),
        *("encoding", "segments", "key", "until"),
    )
)


def mark_reachability(connection: Connection, subscriber_id: int, reachability: str) -> None:
    """Note what the carrier said about a number. Consent is another matter and stays as it is."""
    connection.execute(_REACHABILITY, (reachability, subscriber_id))
