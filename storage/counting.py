"""Two readers that count what is appended: entries of the ledger, and texts the carrier has sent.

Each has a mark, which moves in the transaction that adds the counts to the table of meters, so
that everything is counted once, whoever reads. A reader that starts counts from today on: what
Prometheus looks at is how fast a number grows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from psycopg.rows import class_row

from storage.database import Connection
from storage.delivery import SETTLED

CONSENT: Final = "metrics.consent"
SENT: Final = "metrics.sent"
_MARKS: Final[Mapping[str, str]] = {
    CONSENT: "SELECT max(leaf) FROM ledger_leaves",
    SENT: "SELECT max(seq) FROM delivery_reports",
}
_MARK: Final = """
INSERT INTO read_marks (reader, seq) VALUES (%s, coalesce(({newest}), -1))
ON CONFLICT (reader) DO UPDATE SET seq = read_marks.seq RETURNING seq
"""
_MOVE: Final = "UPDATE read_marks SET seq = %s WHERE reader = %s"
# Leaves have no gaps, so a page is a range.
_ENTRIES: Final = """
SELECT max(l.leaf), e.change, e.method, count(*)
FROM ledger_leaves l JOIN consent_events e USING (event)
WHERE l.leaf > %(mark)s AND l.leaf <= %(mark)s + %(limit)s
GROUP BY e.change, e.method
"""
# Only up to the newest report below which no other one can still turn up.
_PAGE: Final = """
SELECT max(seq) FROM (
    SELECT seq FROM delivery_reports
    WHERE seq > %(mark)s AND seq <= (
        SELECT max(seq) FROM delivery_reports
        WHERE seq > %(mark)s AND at < assent_now() - %(settled)s)
    ORDER BY seq LIMIT %(limit)s) AS page
"""
# A carrier says "sent" of a text once. A text that has another SID than the one on record was
# accepted twice; one that was accepted after its person had left the program was too late.
_TEXTS: Final = """
SELECT min(s.phone) AS phone, m.kind AS kind, count(*) AS texts,
       coalesce(sum(coalesce(r.sms_segments, m.sms_segments)), 0)::bigint AS segments,
       count(*) FILTER (WHERE coalesce(r.carrier_sid, m.carrier_sid) <> d.sid) AS twice,
       count(*) FILTER (WHERE t.state = 'unsubscribed' AND r.settled_at > t.unsubscribed_at)
           AS after_stop
FROM delivery_reports d
LEFT JOIN recipients r ON r.id = d.recipient_id
LEFT JOIN messages m ON m.id = d.message_id
LEFT JOIN campaigns c ON c.id = r.campaign_id
LEFT JOIN subscriptions t ON t.subscriber_id = r.subscriber_id AND t.program = c.program
JOIN subscribers s ON s.id = coalesce(r.subscriber_id, m.subscriber_id)
WHERE d.seq > %(mark)s AND d.seq <= %(last)s AND d.status = 'sent'
GROUP BY left(s.phone, 5), m.kind
"""


@dataclass(frozen=True, slots=True)
class Entries:
    """So many entries of one kind that came about in one way."""

    change: str
    method: str
    n: int


@dataclass(frozen=True, slots=True)
class Texts:
    """Texts to numbers that begin alike, of which ``phone`` is one; ``kind`` None for campaigns.

    ``twice`` were accepted by the carrier a second time, ``after_stop`` after an opt-out.
    """

    phone: str
    kind: str | None
    texts: int
    segments: int
    twice: int
    after_stop: int


def entries(connection: Connection, limit: int) -> tuple[list[Entries], bool]:
    """Entries that were not counted yet, and whether there may be more; moves the mark.

    Call inside the transaction that keeps the counts.
    """
    mark = _open(connection, CONSENT)
    rows = connection.execute(_ENTRIES, {"mark": mark, "limit": limit}).fetchall()
    if not rows:
        return [], False
    last = max(leaf for leaf, *_ in rows)
    connection.execute(_MOVE, (last, CONSENT))
    return [Entries(*rest) for _, *rest in rows], last - mark == limit


def texts(connection: Connection, limit: int) -> tuple[list[Texts], bool]:
    """The same for texts that the carrier has sent; a page is so many reports of any status."""
    mark = _open(connection, SENT)
    values: dict[str, Any] = {"mark": mark, "limit": limit, "settled": SETTLED}
    ((last,),) = connection.execute(_PAGE, values).fetchall()
    if last is None:
        return [], False
    with connection.cursor(row_factory=class_row(Texts)) as cursor:
        found = cursor.execute(_TEXTS, values | {"last": last}).fetchall()
    connection.execute(_MOVE, (last, SENT))
    return found, last - mark >= limit


def _open(connection: Connection, reader: str) -> int:
    statement = _MARK.format(newest=_MARKS[reader])
    ((mark,),) = connection.execute(statement, (reader,)).fetchall()
    return int(mark)
