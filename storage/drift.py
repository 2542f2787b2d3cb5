"""Where the carrier and the ledger disagree about who has opted out.

Twilio keeps block lists of its own and offers no way to read them, so what it did with our texts is
the evidence. Two kinds: it refuses a number (21610) that the ledger has as a subscriber, or it took
a text to somebody who had unsubscribed. Neither is corrected here: a person reads the report.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from psycopg.rows import class_row

from storage.database import Connection


class Kind(StrEnum):
    """``REFUSED``: blocked there, not here; ``TAKEN``: let through there, unsubscribed here."""

    REFUSED = "refused"
    TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Drift:
    """One disagreement about one program. ``at`` is when the carrier last showed its side.

    ``since`` is when the ledger's side began, None where it does not say.
    """

    subscriber_id: int
    phone: str
    program: str
    sender: str
    kind: Kind
    state: str
    since: datetime | None
    at: datetime


# What the carrier did with the texts of a window of people: the last one that it refused because
# of a block, and the last that it took. Answers to late texts confirm an opt-out and are left out.
_FIND: Final = """
WITH told AS MATERIALIZED (
    SELECT m.subscriber_id, m.sender, coalesce(m.settled_at, m.created_at) AS at,
           m.error_code = '21610' AS blocked
    FROM messages m
    WHERE m.subscriber_id > %(after)s AND m.subscriber_id <= %(until)s
      AND (m.error_code = '21610' OR m.state = 'accepted' AND m.error_code IS NULL)
      AND m.kind <> 'late_answer'
    UNION ALL
    SELECT r.subscriber_id, c.sender, coalesce(r.settled_at, r.claimed_at), r.error_code = '21610'
    FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.subscriber_id > %(after)s AND r.subscriber_id <= %(until)s
      AND r.claimed_at IS NOT NULL
      AND (r.error_code = '21610' OR r.state = 'accepted' AND r.error_code IS NULL)
), last AS (
    SELECT subscriber_id, sender, max(at) FILTER (WHERE blocked) AS refused_at,
           max(at) FILTER (WHERE blocked IS NOT TRUE) AS taken_at
    FROM told GROUP BY subscriber_id, sender
)
SELECT s.id AS subscriber_id, s.phone, t.program, l.sender,
       CASE WHEN t.state = 'unsubscribed' THEN 'taken' ELSE 'refused' END AS kind, t.state,
       CASE WHEN t.state = 'unsubscribed' THEN t.unsubscribed_at ELSE t.confirmed_at END AS since,
       CASE WHEN t.state = 'unsubscribed' THEN l.taken_at ELSE l.refused_at END AS at
FROM last l JOIN subscribers s ON s.id = l.subscriber_id
JOIN subscriptions t ON t.subscriber_id = s.id
JOIN programs p ON p.slug = t.program AND p.sender = l.sender
WHERE t.state IN ('pending', 'subscribed', 'paused')
      AND l.refused_at > coalesce(l.taken_at, '-infinity')
   OR t.state = 'unsubscribed' AND l.taken_at > t.unsubscribed_at
      AND l.taken_at > coalesce(l.refused_at, '-infinity')
ORDER BY s.id, t.program
"""
_LAST: Final = "SELECT coalesce(max(id), 0) FROM subscribers"
_WINDOW: Final = 20_000


def find(connection: Connection, after: int = 0) -> Iterator[Drift]:
    """Every disagreement about people beyond the id ``after``, by id and program.

    Read in windows of people, so that no statement takes long.
    """
    ((last,),) = connection.execute(_LAST).fetchall()
    while after < last:
        values = {"after": after, "until": after + _WINDOW}
        with connection.cursor(row_factory=class_row(Drift)) as cursor:
            yield from cursor.execute(_FIND, values).fetchall()
        after += _WINDOW
