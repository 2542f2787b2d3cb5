"""Bring messages up to what the carrier reported of them: forward only, whatever the order.

A report proves that the carrier took the text, so it settles one that was in mid-call or whose
outcome was unknown. Repeating it changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import class_row

from storage.database import Connection
from storage.delivery import ARRIVED, FAILED, Reported
from storage.tallies import ADD_SQL, KEY, WORTH

_ROWS: Final = """
    SELECT * FROM json_to_recordset(%(rows)s::json) AS v (
        recipient_id bigint, message_id uuid, attempt uuid, sid text, status text, rank smallint,
        code text, arrived_at timestamptz)
"""
# What is counted of a delivery: the last status, with the error of one that failed.
_WHY: Final = """
    CASE WHEN {0}delivery IN ('undelivered', 'failed') AND {0}error_code IS NOT NULL
         THEN {0}delivery || '.' || {0}error_code ELSE {0}delivery END
"""
_SET: Final = """
    state = CASE WHEN r.state IN ('sending', 'unknown') THEN 'accepted' ELSE r.state END,
    settled_at = CASE WHEN r.state IN ('sending', 'unknown') THEN assent_now()
                      ELSE r.settled_at END,
    carrier_sid = coalesce(r.carrier_sid, v.sid),
    error_code = CASE WHEN r.state IN ('sending', 'unknown') THEN v.code
                      ELSE coalesce(v.code, r.error_code) END,
    delivery = CASE WHEN v.rank > coalesce(r.delivery_rank, -1) THEN v.status
                    ELSE r.delivery END,
    delivery_rank = greatest(r.delivery_rank, v.rank),
    delivered_at = coalesce(r.delivered_at, v.arrived_at)
"""
_RECIPIENTS: Final = """
WITH v AS MATERIALIZED ({rows}), old AS MATERIALIZED (
    SELECT r.id, r.state, r.reason, r.delivery, r.error_code
    FROM recipients r JOIN v ON r.id = v.recipient_id WHERE r.attempt_id = v.attempt
    ORDER BY r.id FOR UPDATE OF r
), changed AS (
    UPDATE recipients r SET {set},
        reason = CASE WHEN r.state IN ('sending', 'unknown') THEN NULL ELSE r.reason END
    FROM v JOIN old ON old.id = v.recipient_id WHERE r.id = v.recipient_id
    RETURNING {key}, r.subscriber_id, r.id, r.attempt_id, r.state, v.status, v.code, v.sid,
              r.sms_segments, r.expected_micros, r.price_micros,
              {after} AS now, {before} AS was, old.state AS old_state, old.reason AS old_reason
), counted AS (
    SELECT r.campaign_id, r.variant, r.method, r.hour, w.what, w.why, w.n
    FROM changed r, LATERAL (
        SELECT 'delivery' AS what, r.now AS why, 1 AS n
        WHERE r.now IS DISTINCT FROM r.was AND r.now IS NOT NULL
        UNION ALL
        SELECT 'delivery', r.was, -1 WHERE r.now IS DISTINCT FROM r.was AND r.was IS NOT NULL
        UNION ALL
        SELECT 'accepted', '', 1 WHERE r.old_state IN ('sending', 'unknown')
        UNION ALL
        SELECT 'unknown', coalesce(r.old_reason, ''), -1 WHERE r.old_state = 'unknown') AS w
    UNION ALL
    SELECT r.campaign_id, r.variant, r.method, r.hour, w.what, w.why, w.n
    FROM changed r, {worth} WHERE r.old_state IN ('sending', 'unknown') AND w.n <> 0
), {tally}
SELECT c.subscriber_id, s.phone, k.sender, k.program, 'recipient ' || c.id AS message,
       c.attempt_id::text AS attempt, c.sid, c.status, c.code
FROM changed c JOIN campaigns k ON k.id = c.campaign_id JOIN subscribers s ON s.id = c.subscriber_id
ORDER BY s.phone
"""
_MESSAGES: Final = """
WITH v AS MATERIALIZED ({rows}), changed AS (
    UPDATE messages r SET {set} FROM v
    WHERE r.id = v.message_id AND r.attempt_id = v.attempt
    RETURNING r.subscriber_id, r.sender, r.program, r.id, r.attempt_id, v.sid, v.status, v.code
)
SELECT c.subscriber_id, s.phone, c.sender, c.program, c.id::text AS message,
       c.attempt_id::text AS attempt, c.sid, c.status, c.code
FROM changed c JOIN subscribers s ON s.id = c.subscriber_id ORDER BY s.phone
"""
_HELD: Final = """
WITH free AS MATERIALIZED (
    SELECT id FROM recipients WHERE id = ANY(%(ids)s) ORDER BY id FOR UPDATE SKIP LOCKED
)
SELECT id FROM recipients WHERE id = ANY(%(ids)s) AND id NOT IN (SELECT id FROM free)
"""
_STRIKE: Final = """
INSERT INTO number_strikes (subscriber_id, sid, code, at)
SELECT subscriber_id, sid, code, assent_now()
FROM unnest(%(people)s::bigint[], %(sids)s::text[], %(codes)s::bigint[])
     AS v (subscriber_id, sid, code)
ON CONFLICT DO NOTHING
"""
_STRIKES: Final = """
SELECT subscriber_id, code, count(*), max(at) - min(at) FROM number_strikes
WHERE subscriber_id = ANY(%s) GROUP BY subscriber_id, code
"""
_CLEAR: Final = "DELETE FROM number_strikes WHERE subscriber_id = ANY(%s)"
_REACHABLE: Final = """
UPDATE subscribers SET reachability = 'reachable', reachability_at = assent_now()
WHERE id = ANY(%s) AND reachability IN ('unknown', 'doubtful', 'unreachable')
"""
_REACHABILITY: Final = """
UPDATE subscribers s SET reachability = v.reachability, reachability_at = assent_now()
FROM unnest(%s::bigint[], %s::text[]) AS v (id, reachability) WHERE s.id = v.id
"""


@dataclass(frozen=True, slots=True)
class Known:
    """A message that a report was about. ``code`` is the error, as text."""

    subscriber_id: int
    phone: str
    sender: str
    program: str | None
    message: str
    attempt: str
    sid: str
    status: str
    code: str | None


@dataclass(frozen=True, slots=True)
class Strikes:
    """How often a number has failed with one code since it last worked, and over how long."""

    count: int
    over: timedelta


def held(connection: Connection, reports: Sequence[Reported]) -> frozenset[int]:
    """The ``seq`` of reports about messages that somebody holds; locks the others.

    A worker holds its batch until the carrier has answered for all of it, and a report may come
    before the answer. Whoever applies reports must not wait for that: it has more to do.
    """
    ids = sorted({report.recipient_id for report in reports if report.recipient_id is not None})
    taken = {key for (key,) in connection.execute(_HELD, {"ids": ids})} if ids else set()
    return frozenset(report.seq for report in reports if report.recipient_id in taken)


def apply(connection: Connection, reports: Sequence[Reported]) -> list[Known]:
    """Bring the messages of these reports up to date; answers what the reports were about."""
    found: list[Known] = []
    for statement, rows in (
        (_RECIPIENTS, _latest(reports, "recipient_id")),
        (_MESSAGES, _latest(reports, "message_id")),
    ):
        if not rows:
            continue
        query = statement.format(
            rows=_ROWS,
            set=_SET,
            after=_WHY.format("r."),
            before=_WHY.format("old."),
            key=KEY,
            worth=WORTH,
            tally=ADD_SQL,
        )
        with connection.cursor(row_factory=class_row(Known)) as cursor:
            found += cursor.execute(query, {"rows": json.dumps(rows)}).fetchall()
    return found


def strike(connection: Connection, known: Sequence[Known]) -> dict[tuple[int, int], Strikes]:
    """Note failures of numbers; answers all strikes of these people, by person and code."""
    if not known:
        return {}
    values = {
        "people": [each.subscriber_id for each in known],
        "sids": [each.sid for each in known],
        "codes": [int(each.code or 0) for each in known],
    }
    connection.execute(_STRIKE, values)
    rows = connection.execute(_STRIKES, (values["people"],))
    return {(person, code): Strikes(count, over) for person, code, count, over in rows}


def works(connection: Connection, people: Sequence[int]) -> None:
    """These numbers have got a text: what spoke against them is over."""
    if people:
        connection.execute(_CLEAR, (list(people),))
        connection.execute(_REACHABLE, (list(people),))


def mark(connection: Connection, reachability: Mapping[int, str]) -> None:
    """Note what failures say of numbers. Consent is another matter and stays as it is."""
    if reachability:
        columns = (list(reachability), list(reachability.values()))
        connection.execute(_REACHABILITY, columns)


def _latest(reports: Sequence[Reported], key: str) -> list[dict[str, Any]]:
    """One row for each message: the furthest status, any error, and when it arrived."""
    found: dict[Any, dict[str, Any]] = {}
    for report in sorted(reports, key=lambda r: r.rank):
        name = getattr(report, key)
        if name is None or report.attempt_id is None:
            continue
        before = found.get((name, report.attempt_id), {})
        found[name, report.attempt_id] = {
            key: str(name),
            "attempt": str(report.attempt_id),
            "sid": report.sid,
            "status": report.status,
            "rank": report.rank,
            "code": str(report.code) if report.code else before.get("code"),
            "arrived_at": _arrived(report, before.get("arrived_at")),
        }
    return list(found.values())


def _arrived(report: Reported, before: str | None) -> str | None:
    arrived: datetime | None = report.at if report.status in ARRIVED else None
    return before or (arrived.isoformat() if arrived else None)


def failed(known: Known) -> bool:
    """Whether a report says that the text will not arrive."""
    return known.status in FAILED and known.code is not None
