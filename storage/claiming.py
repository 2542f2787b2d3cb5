"""Claim recipients, fence them, and settle what became of them: the three statements of a batch.

A claim marks rows ``sending`` in a transaction of its own, before the carrier hears of any. It
passes over people who are being decided about at this moment (their row is locked), so whoever
withdraws after a claim sees the claimed row, and can wait for it. The fence is the lock on the
claimed rows, held by a second transaction while the carrier is called. Settling names the attempt:
only the attempt that is still the row's own counts. Nothing here commits.
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from storage.campaigns import RecipientState
from storage.database import Connection
from storage.listening import HOLD_SQL
from storage.paces import LEVEL_SQL
from storage.tallies import ADD_SQL, KEY, WORTH

# Instants are wrapped in a sub-select: a volatile function would keep indexes from being used.
_DUE: Final = """
SELECT c.id, c.sender, count(*) OVER (PARTITION BY c.sender)
FROM campaigns c
WHERE c.state = 'running' AND EXISTS (
    SELECT FROM recipients r WHERE r.campaign_id = c.id AND r.state = 'planned'
    AND r.not_before <= (SELECT assent_now()))
ORDER BY c.id
"""
_CLAIM: Final = """
WITH go AS MATERIALIZED (
    SELECT c.id FROM campaigns c, instance i
    WHERE c.id = %(campaign)s AND c.state = 'running'
      AND i.epoch = %(epoch)s AND i.held_since IS NULL
      AND NOT EXISTS (SELECT FROM switches WHERE on_since IS NOT NULL
                      AND (name = 'kill' OR NOT %(probing)s))
      AND ({heard}) IS NULL
), pace AS MATERIALIZED ({level}), owed AS (
    SELECT coalesce(sum(m.sms_segments), 0) AS segments FROM messages m
    WHERE m.state = 'queued' AND m.sender = %(sender)s AND m.not_before <= (SELECT now FROM pace)
), room AS (
    SELECT greatest(0, least(%(limit)s, ceil((p.level - o.segments) / %(each)s / %(share)s)))
        AS messages
    FROM pace p, owed o WHERE p.level - o.segments >= 1
), due AS MATERIALIZED (
    SELECT r.id FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id
    WHERE r.campaign_id = (SELECT id FROM go) AND r.state = 'planned'
      AND r.not_before <= (SELECT now FROM pace) AND (r.crashes > 0) = %(suspect)s
    ORDER BY r.not_before, r.id LIMIT coalesce((SELECT messages FROM room), 0)
    FOR UPDATE OF r SKIP LOCKED FOR SHARE OF s SKIP LOCKED
), claimed AS (
    UPDATE recipients r SET state = 'sending', claimed_at = (SELECT now FROM pace),
        attempt_id = (%(token)s || lpad(to_hex(r.id), 16, '0'))::uuid
    FROM due WHERE r.id = due.id RETURNING r.id
), spent AS (
    UPDATE sender_paces p SET level = pace.level - (SELECT count(*) FROM due) * %(each)s,
                              at = pace.now
    FROM pace WHERE p.sender = pace.sender
)
SELECT (SELECT level FROM pace), (SELECT array_agg(id) FROM claimed)
"""
_MARKED: Final = """
SELECT attempt_id FROM recipients WHERE state = 'sending'
AND attempt_id BETWEEN (%(token)s || '0000000000000000')::uuid
                   AND (%(token)s || 'ffffffffffffffff')::uuid
ORDER BY id
"""
_FENCE: Final = """
SELECT id FROM recipients WHERE id = ANY(%(ids)s) AND state = 'sending'
AND attempt_id = (%(token)s || lpad(to_hex(id), 16, '0'))::uuid
FOR UPDATE SKIP LOCKED
"""
_SETTLE: Final = """
WITH v AS MATERIALIZED (
    SELECT * FROM json_to_recordset(%(rows)s::json) AS v (
        id bigint, attempt uuid, state text, reason text, sid text, code text, segments smallint,
        micros bigint, body text, decision jsonb, not_before timestamptz, not_after timestamptz,
        crashed boolean)
), old AS MATERIALIZED (
    SELECT r.id, r.state, r.reason, r.claimed_at FROM recipients r JOIN v ON r.id = v.id
    WHERE r.attempt_id = v.attempt
      AND (r.state = 'sending' OR r.state = 'unknown' AND v.state <> 'planned')
    ORDER BY r.id FOR UPDATE OF r
), changed AS (
    UPDATE recipients r SET state = v.state, reason = v.reason, carrier_sid = v.sid,
        error_code = v.code, sms_segments = coalesce(v.segments, r.sms_segments),
        expected_micros = coalesce(v.micros, r.expected_micros),
        body = coalesce(v.body, r.body), decision = coalesce(v.decision, r.decision),
        settled_at = CASE WHEN v.state = 'planned' THEN NULL ELSE assent_now() END,
        attempt_id = CASE WHEN v.state = 'planned' THEN NULL ELSE r.attempt_id END,
        claimed_at = CASE WHEN v.state IN ('planned', 'refused', 'expired') THEN NULL
                          ELSE r.claimed_at END,
        not_before = coalesce(v.not_before, r.not_before),
        not_after = coalesce(v.not_after, r.not_after),
        crashes = r.crashes + coalesce(v.crashed, false)::int
    FROM v JOIN old ON old.id = v.id WHERE r.id = v.id
    RETURNING {key}, r.state, r.reason, r.sms_segments, r.expected_micros, r.price_micros,
              old.state AS before, old.reason AS because,
              date_trunc('hour', old.claimed_at, 'UTC') AS old_hour
), counted AS (
    SELECT campaign_id, variant, method, hour, state AS what, coalesce(reason, '') AS why, 1 AS n
    FROM changed WHERE state <> 'planned'
    UNION ALL
    SELECT campaign_id, variant, method, old_hour, before, coalesce(because, ''), -1
    FROM changed WHERE before = 'unknown'
    UNION ALL
    SELECT r.campaign_id, r.variant, r.method, r.hour, w.what, w.why, w.n
    FROM changed r, {worth} WHERE r.state = 'accepted' AND w.n <> 0
), {tally}
SELECT count(*) FROM changed
"""
_SETTLE_SQL: Final = _SETTLE.format(key=KEY, worth=WORTH, tally=ADD_SQL)


@dataclass(frozen=True, slots=True)
class DueCampaign:
    """A campaign that has something to send now; ``rivals`` share its sender, itself included."""

    id: int
    sender: str
    rivals: int


@dataclass(frozen=True, slots=True)
class Claimant:
    """On whose behalf is claimed. ``epoch`` is the life of the database this process knows.

    ``probing``: one text may go although the breaker is open. ``suspect``: claim messages that a
    worker died with, which are sent one by one.
    """

    epoch: int
    probing: bool = False
    suspect: bool = False


@dataclass(frozen=True, slots=True)
class Claim:
    """Messages that are ours: their ids, and the token that is half of each attempt's id.

    ``level`` is what the sender's bucket held before, in SMS segments.
    """

    token: str
    ids: tuple[int, ...]
    level: float

    def attempt(self, recipient_id: int) -> UUID:
        """The attempt's id of one message."""
        return UUID(f"{self.token}{recipient_id:016x}")


@dataclass(frozen=True, slots=True)
class Settled:
    """What became of one attempt; ``not_before`` is when a PLANNED one is tried again.

    ``crashed`` says that a worker died with it; ``micros`` what it is expected to cost.
    """

    id: int
    attempt: UUID
    state: RecipientState
    reason: str | None = None
    sid: str | None = None
    code: str | None = None
    segments: int | None = None
    micros: int | None = None
    body: str | None = None
    decision: Mapping[str, Any] | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    crashed: bool = False


def recipient_of(attempt: UUID) -> int:
    """The recipient that an attempt belongs to: the second half of its id."""
    return attempt.int & 0xFFFF_FFFF_FFFF_FFFF


def due_campaigns(connection: Connection) -> list[DueCampaign]:
    """Campaigns that run and have something to send now."""
    return [DueCampaign(*row) for row in connection.execute(_DUE, prepare=True)]


def new_token() -> str:
    """The half of the attempts' ids that is the same for all that are claimed together."""
    return os.urandom(8).hex()


def claim(
    connection: Connection,
    campaign: DueCampaign,
    limit: int,
    each: float,
    claimant: Claimant,
    token: str | None = None,
) -> Claim:
    """Claim at most ``limit`` due messages, as the sender's pace allows.

    ``each`` is how many SMS segments a text of this campaign is likely to have; what is due in the
    outbox has its segments set aside first. ``token`` is from :func:`new_token`.
    """
    token = token or new_token()
    values = {
        "campaign": campaign.id,
        "sender": campaign.sender,
        "share": campaign.rivals,
        "limit": limit,
        "each": max(each, 1.0),
        "token": token,
        "epoch": claimant.epoch,
        "probing": claimant.probing,
        "suspect": claimant.suspect,
    }
    statement = _CLAIM.format(level=LEVEL_SQL, heard=HOLD_SQL)
    ((level, ids),) = connection.execute(statement, values, prepare=True).fetchall()
    return Claim(token, tuple(sorted(ids or ())), float(level or 0.0))


def claimed(connection: Connection, token: str) -> list[UUID]:
    """The attempts of a claim that are in mid-call still, as far as the database knows."""
    return [attempt for (attempt,) in connection.execute(_MARKED, {"token": token})]


def fence(connection: Connection, claimed: Claim) -> frozenset[int]:
    """Lock the claimed messages until the transaction ends; answers those that are ours still.

    Whoever is withdrawn at this moment has their message locked by the withdrawal; it is left out.
    """
    values = {"ids": list(claimed.ids), "token": claimed.token}
    return frozenset(row[0] for row in connection.execute(_FENCE, values, prepare=True))


def settle(connection: Connection, rows: Sequence[Settled]) -> int:
    """Write what became of attempts, and count it; answers how many rows that changed.

    A row that was given up as ``unknown`` meanwhile is still settled, but never planned again.
    """
    if not rows:
        return 0
    document = _encode([_row(settled) for settled in sorted(rows, key=lambda s: s.id)])
    ((changed,),) = connection.execute(_SETTLE_SQL, {"rows": document}, prepare=True).fetchall()
    return int(changed)


def _row(settled: Settled) -> dict[str, Any]:
    found = {name: getattr(settled, name) for name in Settled.__slots__}
    return {name: value for name, value in found.items() if value not in (None, False)}


def _default(value: object) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


_encode: Final = json.JSONEncoder(
    default=_default, separators=(",", ":"), check_circular=False
).encode
