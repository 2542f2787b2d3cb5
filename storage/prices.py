"""What texts of campaigns cost by the carrier's own word, which comes late and may never come.

A price is in the carrier's log some time after the text. Which hour of it is to be read next is a
mark (``delivery.ReadMarkRow``), in seconds since 1970. A text is known by the reports about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from storage.database import Connection
from storage.tallies import ADD_SQL, KEY

_REPORT: Final = f"""
WITH v AS MATERIALIZED (
    SELECT * FROM unnest(%s::bigint[], %s::bigint[]) AS v (id, micros)
), old AS MATERIALIZED (
    SELECT r.id, r.price_micros, r.expected_micros FROM recipients r JOIN v USING (id)
    WHERE r.state = 'accepted' AND r.price_micros IS DISTINCT FROM v.micros
    ORDER BY r.id FOR UPDATE OF r
), changed AS (
    UPDATE recipients r SET price_micros = v.micros
    FROM v JOIN old USING (id) WHERE r.id = v.id
    RETURNING {KEY}, r.price_micros AS now, old.price_micros AS was, old.expected_micros AS expected
), counted AS (
    SELECT r.campaign_id, r.variant, r.method, r.hour, w.what, '' AS why, w.n
    FROM changed r, LATERAL (VALUES
        ('reported', r.now - coalesce(r.was, 0)),
        ('expected', CASE WHEN r.was IS NULL THEN -r.expected END),
        ('unpriced', -(r.was IS NULL AND r.expected IS NULL)::int::bigint)
    ) AS w (what, n) WHERE w.n <> 0
), {ADD_SQL}
SELECT count(*) FROM changed
"""  # noqa: S608 - parts of statements, which are our own

READER: Final = "prices"
WINDOW: Final = timedelta(hours=1)
_BEGIN: Final = """
INSERT INTO read_marks (reader, seq)
VALUES (%(reader)s, floor(extract(epoch FROM assent_now() - %(later)s))::bigint)
ON CONFLICT (reader) DO NOTHING
"""
_DUE: Final = """
SELECT to_timestamp(seq), to_timestamp(seq) + %(window)s FROM read_marks
WHERE reader = %(reader)s AND to_timestamp(seq) + %(window)s <= assent_now() - %(later)s
"""
_READ: Final = """
UPDATE read_marks SET seq = extract(epoch FROM %s::timestamptz)::bigint WHERE reader = %s
"""
_KNOWN: Final = """
SELECT DISTINCT sid, recipient_id FROM delivery_reports
WHERE sid = ANY(%s) AND recipient_id IS NOT NULL
"""


def due(connection: Connection, later: timedelta) -> tuple[datetime, datetime] | None:
    """The hour of texts to ask the carrier about next; None while it ended less than ``later`` ago.

    The first time begins with the texts of ``later`` ago: what went before keeps its list price.
    """
    values = {"reader": READER, "later": later, "window": WINDOW}
    connection.execute(_BEGIN, values)
    row = connection.execute(_DUE, values).fetchone()
    return (row[0], row[1]) if row else None


def asked(connection: Connection, until: datetime) -> None:
    """Note that the carrier was asked about all texts up to a moment."""
    connection.execute(_READ, (until, READER))


def report_texts(connection: Connection, micros: Mapping[str, int]) -> int:
    """Note prices by the SIDs of texts; those that are not of campaigns are passed over."""
    known = connection.execute(_KNOWN, (list(micros),)).fetchall()
    return report(connection, {recipient: micros[sid] for sid, recipient in known})


def report(connection: Connection, micros: Mapping[int, int]) -> int:
    """Note prices in millionths of a US dollar, by recipient; answers how many are news.

    A reported price takes the place of the expected one in every sum.
    """
    values = (list(micros), list(micros.values()))
    ((changed,),) = connection.execute(_REPORT, values).fetchall()
    return int(changed)
