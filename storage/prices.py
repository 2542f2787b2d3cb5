"""What texts of campaigns cost by the carrier's own word, which comes late and may never come."""

from __future__ import annotations

from collections.abc import Mapping
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


def report(connection: Connection, micros: Mapping[int, int]) -> int:
    """Note prices in millionths of a US dollar, by recipient; answers how many are news.

    A reported price takes the place of the expected one in every sum.
    """
    values = (list(micros), list(micros.values()))
    ((changed,),) = connection.execute(_REPORT, values).fetchall()
    return int(changed)
