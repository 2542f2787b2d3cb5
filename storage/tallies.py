"""How many recipients of a campaign came to what: counted as it happens, in the same transaction.

Only what is over is counted, so a row that is claimed and settled a million times an hour costs
one counter for each batch. What is open follows: planned less everything counted.

Two tables are kept by the same statement: by variant and by how people had joined, and by hour.
The hour is that in which the text was handed to the carrier (or it was decided that it would not
be), whenever its fate became known, so that a message is counted in one hour only.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class TallyRow(Base):
    """``n`` recipients of a campaign are ``what`` for the reason ``why`` ("" for none).

    ``what`` is a final :class:`storage.campaigns.RecipientState`, "delivery" with the carrier's
    last word in ``why`` ("delivered", "undelivered.30003"), "plan" for everybody who was planned,
    or "optout" (``storage.optouts``). Of accepted texts ``n`` is also what they add up to:
    "segments", and the price in micros as "expected" or "reported" (``storage.prices``);
    "unpriced" counts those of which neither is known.

    ``method`` is how the person had joined when the campaign was planned, "" where that is not
    known.
    """

    __tablename__ = "tallies"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    variant: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    method: Mapped[str] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    why: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]


class HourTallyRow(Base):
    """The same by hour. ``what`` is a final state, "optout", or the last word: "delivery.sent"."""

    __tablename__ = "hour_tallies"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    what: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[int]


# What statements select of a recipient's row ``r`` to count it.
KEY: Final = """
r.campaign_id, r.variant, coalesce(r.method, '') AS method,
date_trunc('hour', coalesce(r.claimed_at, r.settled_at), 'UTC') AS hour
"""
# What is counted beside the state of an accepted text ``r``: LATERAL, rows of what, why, n.
WORTH: Final = """
LATERAL (VALUES
    ('segments', '', r.sms_segments::bigint),
    ('expected', '', CASE WHEN r.price_micros IS NULL THEN r.expected_micros END),
    ('reported', '', r.price_micros),
    ('unpriced', '', (r.price_micros IS NULL AND r.expected_micros IS NULL)::int::bigint)
) AS w (what, why, n)
"""
# Adds the rows (campaign_id, variant, method, hour, what, why, n) of the WITH query ``counted``;
# two more of its queries. An hour that is null is not counted by hour, nor are sums.
ADD_SQL: Final = """
tallied AS (
    INSERT INTO tallies AS t (campaign_id, variant, method, what, why, n)
    SELECT campaign_id, variant, method, what, why, sum(n) FROM counted
    GROUP BY 1, 2, 3, 4, 5 HAVING sum(n) <> 0 ORDER BY 1, 2, 3, 4, 5
    ON CONFLICT (campaign_id, variant, method, what, why) DO UPDATE SET n = t.n + excluded.n
), tallied_by_hour AS (
    INSERT INTO hour_tallies AS t (campaign_id, hour, what, n)
    SELECT campaign_id, hour,
           CASE what WHEN 'delivery' THEN 'delivery.' || split_part(why, '.', 1) ELSE what END,
           sum(n)
    FROM counted
    WHERE hour IS NOT NULL AND what NOT IN ('segments', 'expected', 'reported', 'unpriced')
    GROUP BY 1, 2, 3 HAVING sum(n) <> 0 ORDER BY 1, 2, 3
    ON CONFLICT (campaign_id, hour, what) DO UPDATE SET n = t.n + excluded.n
)
"""
_READ: Final = """
SELECT what, why, sum(n)::bigint FROM tallies
WHERE campaign_id = %s
  AND what NOT IN ('plan', 'optout', 'segments', 'expected', 'reported', 'unpriced')
GROUP BY what, why HAVING sum(n) <> 0
"""


def read(connection: Connection, campaign_id: int) -> Mapping[tuple[str, str], int]:
    """How many messages of a campaign came to what end, and the last words, by (what, why)."""
    rows = connection.execute(_READ, (campaign_id,))
    return {(what, why): n for what, why, n in rows}
