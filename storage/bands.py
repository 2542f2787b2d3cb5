"""Bands of customers by their last order, the number of orders, and what they spent (RFM).

A program's customers are the people who get it (subscribed or paused) and have an order that was
not canceled. Each of the three values is cut into fifths at four cut points, which are kept: a
person's band is one plus how many cut points lie below their value, so equal values are always in
one band, and anybody can see why a person is in it. Cut points are never changed, only followed by
newer ones; whoever plans a campaign goes by those of its launch from the first chunk to the last.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import class_row
from sqlalchemy import ARRAY, TIMESTAMP, BigInteger, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection
from storage.orders import CHANGES, NET, NOT_CANCELED

BANDS: Final = 5
# Fifths of fewer people than there are bands would be an empty word.
FEWEST: Final = 5
_TIMEOUT_MS: Final = 120_000


class BandsRow(Base):
    """The cut points of a program's customers at one moment, four of each, ascending.

    ``recency`` are times of last orders, ``frequency`` numbers of orders, ``money`` minor units by
    currency: ``{"USD": [1990, …]}``, among those who ordered in that currency.
    """

    __tablename__ = "rfm_bands"
    __table_args__ = (Index("ix_rfm_bands_program", "program", "computed_at"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    program: Mapped[str]
    computed_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    customers: Mapped[int]
    recency: Mapped[list[datetime]] = mapped_column(ARRAY(TIMESTAMP(timezone=True)))
    frequency: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    money: Mapped[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Bands:
    """The newest cut points of a program, as in the table."""

    program: str
    computed_at: datetime
    customers: int
    recency: Sequence[datetime]
    frequency: Sequence[int]
    money: Mapping[str, Sequence[int]]


_CUT: Final = "percentile_disc(ARRAY[0.2, 0.4, 0.6, 0.8]) WITHIN GROUP (ORDER BY {})"
_COMPUTE: Final = f"""
INSERT INTO rfm_bands (program, customers, recency, frequency, money)
WITH kept AS MATERIALIZED (
    SELECT o.subscriber_id, o.ordered_at, o.currency, ({NET})::bigint AS net
    FROM subscriptions t JOIN orders o ON o.subscriber_id = t.subscriber_id {CHANGES}
    WHERE t.program = %(program)s AND t.state IN ('subscribed', 'paused')
      AND x.canceled_at IS NULL
), people AS (
    SELECT subscriber_id, max(ordered_at) AS last_at, count(*) AS orders
    FROM kept GROUP BY subscriber_id
), spent AS (
    SELECT currency, subscriber_id, sum(net)::bigint AS net
    FROM kept GROUP BY currency, subscriber_id
), cuts AS (
    SELECT currency, {_CUT.format("net")} AS points FROM spent GROUP BY currency
)
SELECT %(program)s::text, count(*), {_CUT.format("last_at")}, {_CUT.format("orders")},
       (SELECT jsonb_object_agg(currency, points) FROM cuts)
FROM people HAVING count(*) >= {FEWEST}
"""  # noqa: S608 - constants of this module
_NEWEST: Final = """
SELECT program, computed_at, customers, recency, frequency, money FROM rfm_bands
WHERE program = %s ORDER BY computed_at DESC, id DESC LIMIT 1
"""
_DUE: Final = """
SELECT p.slug FROM programs p WHERE NOT EXISTS (
    SELECT FROM rfm_bands b WHERE b.program = p.slug
    AND b.computed_at > (SELECT assent_now()) - %s)
ORDER BY p.slug
"""

# The cut points that a condition goes by: those of ``as_of``, which is a campaign's launch, or the
# newest. Each is a value of its own, which the server reads once for a statement.
_AT: Final = """
(SELECT b.{} FROM rfm_bands b WHERE b.program = %(program)s
 AND b.computed_at <= coalesce(%(as_of)s::timestamptz, assent_now())
 ORDER BY b.computed_at DESC, b.id DESC LIMIT 1)
"""
_BAND: Final = """
(SELECT 1 + (v.value > k.cuts[1])::int + (v.value > k.cuts[2])::int
          + (v.value > k.cuts[3])::int + (v.value > k.cuts[4])::int
 FROM (SELECT {value} AS value FROM orders o WHERE o.subscriber_id = s.id AND {kept}) v,
      (SELECT {cuts} AS cuts) k)
"""
RECENCY: Final = _BAND.format(
    cuts=_AT.format("recency"), value="max(o.ordered_at)", kept=NOT_CANCELED
)
FREQUENCY: Final = _BAND.format(
    cuts=_AT.format("frequency"), value="nullif(count(*), 0)", kept=NOT_CANCELED
)
# Who pays in several currencies is in the best of their bands.
MONEY: Final = f"""
(SELECT max(1 + (SELECT count(*) FROM jsonb_array_elements({_AT.format("money")} -> v.currency)
                 AS c (point) WHERE c.point::numeric < v.net))
 FROM (SELECT o.currency, sum({NET}) AS net FROM orders o {CHANGES}
       WHERE o.subscriber_id = s.id AND x.canceled_at IS NULL GROUP BY o.currency) v
 WHERE {_AT.format("money")} ? v.currency)
"""  # noqa: S608 - constants of this module


def compute(connection: Connection, program: str) -> Bands | None:
    """Compute and keep a program's cut points; None when there are too few customers.

    Call inside a transaction, which may last for a while where there are millions of orders.
    """
    connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
    made = connection.execute(_COMPUTE, {"program": program}).rowcount
    connection.execute("SET LOCAL statement_timeout TO DEFAULT")
    return newest(connection, program) if made else None


def newest(connection: Connection, program: str) -> Bands | None:
    """The cut points that are gone by today; None when there are none yet."""
    with connection.cursor(row_factory=class_row(Bands)) as cursor:
        return cursor.execute(_NEWEST, (program,)).fetchone()


def due(connection: Connection, age: timedelta) -> list[str]:
    """Programs whose newest cut points are older than ``age``, or who have none."""
    return [slug for (slug,) in connection.execute(_DUE, (age,))]
