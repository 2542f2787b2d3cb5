"""What endpoints are told of that is not told where it happens: consent and delivery.

Both are read behind their writers, so that neither an inbound text nor a status callback pays for
it: consent by the ledger's leaves, delivery by its reports, each in an order that late commits
cannot break. A mark says how far a reader has come; it moves in the transaction that queues what
was read.
"""

from __future__ import annotations

from typing import Any, Final

from psycopg.rows import dict_row

from storage.database import Connection
from storage.delivery import SETTLED

CONSENT: Final = "webhooks.consent"
DELIVERY: Final = "webhooks.delivery"
# A reader that starts today tells of what happens from today on.
_CONSENT_MARK: Final = """
INSERT INTO read_marks (reader, seq)
VALUES (%s, coalesce((SELECT max(leaf) FROM ledger_leaves), -1))
ON CONFLICT (reader) DO UPDATE SET seq = read_marks.seq RETURNING seq
"""
_CONSENT: Final = """
SELECT l.leaf, e.event, e.program, e.change, e.method, e.occurred_at, e.recorded_at,
       encode(e.hash, 'hex') AS hash, e.envelope, s.id AS subscriber_id, s.phone
FROM ledger_leaves l JOIN consent_events e USING (event)
LEFT JOIN subscribers s ON s.ref = e.subject
WHERE l.leaf > %s ORDER BY l.leaf LIMIT %s
"""
_DELIVERY_MARK: Final = """
INSERT INTO read_marks (reader, seq)
VALUES (%s, coalesce((SELECT max(seq) FROM delivery_reports), 0))
ON CONFLICT (reader) DO UPDATE SET seq = read_marks.seq RETURNING seq
"""
# Only up to the newest report below which no other one can still turn up.
_DELIVERY: Final = """
SELECT d.seq, d.sid, d.status, d.code, d.at, d.recipient_id,
       d.message_id::text AS message_id, r.campaign_id,
       coalesce(r.subscriber_id, m.subscriber_id) AS subscriber_id, s.phone
FROM delivery_reports d
LEFT JOIN recipients r ON r.id = d.recipient_id
LEFT JOIN messages m ON m.id = d.message_id
LEFT JOIN subscribers s ON s.id = coalesce(r.subscriber_id, m.subscriber_id)
WHERE d.seq > %(mark)s AND d.seq <= (
    SELECT max(seq) FROM delivery_reports
    WHERE seq > %(mark)s AND at < assent_now() - %(settled)s)
ORDER BY d.seq LIMIT %(limit)s
"""
_STOP: Final = "DELETE FROM read_marks WHERE reader = %s"
_MOVE: Final = "UPDATE read_marks SET seq = %s WHERE reader = %s"

Rows = list[dict[str, Any]]


def consent_since(connection: Connection, limit: int) -> Rows:
    """Ledger entries that nobody was told of; the mark moves with this transaction."""
    ((mark,),) = connection.execute(_CONSENT_MARK, (CONSENT,)).fetchall()
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_CONSENT, (mark, limit)).fetchall()
    if rows:
        connection.execute(_MOVE, (rows[-1]["leaf"], CONSENT))
    return rows


def deliveries_since(connection: Connection, limit: int) -> Rows:
    """Settled status reports that nobody was told of; the mark moves with this transaction."""
    ((mark,),) = connection.execute(_DELIVERY_MARK, (DELIVERY,)).fetchall()
    values = {"mark": mark, "settled": SETTLED, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_DELIVERY, values).fetchall()
    if rows:
        connection.execute(_MOVE, (rows[-1]["seq"], DELIVERY))
    return rows


def stop(connection: Connection, reader: str) -> None:
    """Nobody wants to be told any more; whoever does later is told of what happens from then on."""
    connection.execute(_STOP, (reader,))
