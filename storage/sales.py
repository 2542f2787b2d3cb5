"""What each order counts for in reports, and the sums over them, kept up with every change.

An order's row here is what the sums hold of it. Whenever the order, its changes or its credit may
have changed, it is counted anew: the row says what to take away, the order what to add. So refunds,
cancellations, clicks that become known late and recomputed credits all go one way, and to count
twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection
from storage.orders import CHANGES, NET

# What stands for "none" in the keys of sums: no campaign (a coupon of a pool), no known message,
# no link (a coupon, a delivery).
NO_CAMPAIGN: Final = 0
NONE: Final = -1


class SaleRow(Base):
    """An order that something earned, as it is counted now. ``hour`` is when it was placed."""

    __tablename__ = "sales"
    __table_args__ = (Index("ix_sales_campaign", "campaign_id", "hour"),)

    order_pk: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program: Mapped[str]
    campaign_id: Mapped[int]
    variant: Mapped[int] = mapped_column(SmallInteger)
    link_number: Mapped[int] = mapped_column(SmallInteger)
    method: Mapped[str]
    basis: Mapped[str]
    currency: Mapped[str]
    hour: Mapped[datetime]
    canceled: Mapped[int] = mapped_column(SmallInteger)
    gross_minor: Mapped[int]
    net_minor: Mapped[int]


class SaleTallyRow(Base):
    """Sums over ``sales``; ``orders`` are all that were placed, ``canceled`` among them."""

    __tablename__ = "sale_tallies"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program: Mapped[str] = mapped_column(primary_key=True)
    variant: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    link_number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    method: Mapped[str] = mapped_column(primary_key=True)
    basis: Mapped[str] = mapped_column(primary_key=True)
    currency: Mapped[str] = mapped_column(primary_key=True)
    orders: Mapped[int]
    canceled: Mapped[int]
    gross_minor: Mapped[int]
    net_minor: Mapped[int]


_COLUMNS: Final = """
order_pk, program, campaign_id, variant, link_number, method, basis, currency, hour, canceled,
gross_minor, net_minor
"""
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 17))"
# What is known of a message stays known when its person is erased, and the credit points nowhere.
_COUNTED: Final = f"""
    SELECT o.id AS order_pk, k.program, coalesce(k.campaign_id, {NO_CAMPAIGN}) AS campaign_id,
           coalesce(r.variant, s.variant, {NONE})::smallint AS variant,
           coalesce(c.link_number, s.link_number, {NONE})::smallint AS link_number,
           coalesce(r.method, s.method, '') AS method, k.basis, o.currency,
           date_trunc('hour', o.ordered_at, 'UTC') AS hour,
           (x.canceled_at IS NOT NULL)::int::smallint AS canceled, o.amount_minor AS gross_minor,
           ({NET})::bigint AS net_minor
    FROM orders o JOIN credits k ON k.order_pk = o.id
    LEFT JOIN recipients r ON r.id = k.recipient_id
    LEFT JOIN clicks c ON c.id = k.click_id
    LEFT JOIN sales s ON s.order_pk = o.id AND s.basis = k.basis
         AND s.campaign_id = coalesce(k.campaign_id, {NO_CAMPAIGN})
         AND (k.recipient_id IS NULL AND k.click_id IS NULL AND k.coupon IS NULL)
    {CHANGES}
    WHERE o.id = ANY(%(orders)s)
"""  # noqa: S608 - parts of statements, which are our own
_COUNT: Final = f"""
WITH now AS MATERIALIZED ({_COUNTED}), gone AS (
    DELETE FROM sales s WHERE s.order_pk = ANY(%(orders)s)
      AND NOT EXISTS (SELECT FROM now WHERE now.order_pk = s.order_pk) RETURNING s.*
), kept AS (
    INSERT INTO sales AS s ({_COLUMNS}) SELECT {_COLUMNS} FROM now ORDER BY order_pk
    ON CONFLICT (order_pk) DO UPDATE SET (program, campaign_id, variant, link_number, method, basis,
                                          currency, hour, canceled, gross_minor, net_minor)
        = (excluded.program, excluded.campaign_id, excluded.variant, excluded.link_number,
           excluded.method, excluded.basis, excluded.currency, excluded.hour, excluded.canceled,
           excluded.gross_minor, excluded.net_minor)
    RETURNING old.*
), moves AS (
    SELECT 1 AS sign, {_COLUMNS} FROM now
    UNION ALL SELECT -1, {_COLUMNS} FROM gone
    UNION ALL SELECT -1, {_COLUMNS} FROM kept WHERE order_pk IS NOT NULL
)
INSERT INTO sale_tallies AS t (campaign_id, program, variant, link_number, method, basis, currency,
                               orders, canceled, gross_minor, net_minor)
SELECT campaign_id, program, variant, link_number, method, basis, currency, sum(sign),
       sum(sign * canceled), sum(sign * gross_minor), sum(sign * net_minor)
FROM moves GROUP BY 1, 2, 3, 4, 5, 6, 7 ORDER BY 1, 2, 3, 4, 5, 6, 7
ON CONFLICT (campaign_id, program, variant, link_number, method, basis, currency) DO UPDATE
SET orders = t.orders + excluded.orders, canceled = t.canceled + excluded.canceled,
    gross_minor = t.gross_minor + excluded.gross_minor, net_minor = t.net_minor + excluded.net_minor
"""  # noqa: S608


def lock(connection: Connection, merchant: str, order_id: str) -> None:
    """Let nobody else tell of this order before the commit, also while it is not known yet.

    An order and its refund that come in the same instant would each be counted without the other.
    """
    connection.execute(_LOCK, (f"{merchant}\x1f{order_id}",))


def count(connection: Connection, orders: Sequence[int]) -> None:
    """Count orders anew. The caller holds a lock on each of them, taken by an earlier statement."""
    if orders:
        connection.execute(_COUNT, {"orders": list(orders)})
