"""Orders and what became of them: placed once, changed by later events, never edited.

An order is unique on merchant and order id for ever; a refund or a cancellation is a row of its
own, which may even come first. The credit of an order is one row, so that there can never be two.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from psycopg.rows import dict_row
from sqlalchemy import ARRAY, BigInteger, CheckConstraint, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class ChangeKind(StrEnum):
    """What can happen to an order after it was placed."""

    PAID = "paid"
    REFUNDED = "refunded"
    CANCELED = "canceled"


class OrderRow(Base):
    """An order. ``amount_minor`` is in the smallest unit of ``currency`` (ISO 4217).

    ``click_ids`` are those that the order itself carried; ``coupons`` its discount codes in upper
    case; ``landing_site`` the address that the visit began with, as the shop told it.
    """

    __tablename__ = "orders"
    __table_args__ = (
        CheckConstraint("amount_minor >= 0", name="amount"),
        CheckConstraint("currency ~ '^[A-Z]{3}$'", name="currency"),
        Index("uq_orders_merchant_order_id", "merchant", "order_id", unique=True),
        Index("ix_orders_person", "subscriber_id", "ordered_at"),
        Index("ix_orders_ordered_at", "ordered_at"),
        Index("ix_orders_click_ids", "click_ids", postgresql_using="gin"),
        Index("ix_orders_coupons", "coupons", postgresql_using="gin"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    merchant: Mapped[str]
    order_id: Mapped[str]
    ordered_at: Mapped[datetime]
    amount_minor: Mapped[int]
    currency: Mapped[str]
    subscriber_id: Mapped[int | None]
    click_ids: Mapped[list[int]] = mapped_column(ARRAY(BigInteger))
    coupons: Mapped[list[str]] = mapped_column(ARRAY(Text))
    landing_site: Mapped[str | None]
    source: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class OrderChangeRow(Base):
    """A later event of an order, known by the shop's own id for it."""

    __tablename__ = "order_changes"
    __table_args__ = (
        CheckConstraint(
            f"kind IN ({', '.join(repr(str(kind)) for kind in ChangeKind)})", name="kind"
        ),
        CheckConstraint("amount_minor >= 0", name="amount"),
    )

    merchant: Mapped[str] = mapped_column(primary_key=True)
    order_id: Mapped[str] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(primary_key=True)
    change_id: Mapped[str] = mapped_column(primary_key=True)
    amount_minor: Mapped[int]
    at: Mapped[datetime]
    source: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class CreditRow(Base):
    """Who earned an order: the answer of ``worker.policy.attribution`` and the rule behind it."""

    __tablename__ = "credits"
    __table_args__ = (Index("ix_credits_campaign", "campaign_id", "order_pk"),)

    order_pk: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    basis: Mapped[str]
    program: Mapped[str]
    campaign_id: Mapped[int | None]
    recipient_id: Mapped[int | None]
    earned_at: Mapped[datetime]
    rule: Mapped[str]
    version: Mapped[str]
    click_id: Mapped[int | None]
    coupon: Mapped[str | None]
    computed_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


@dataclass(frozen=True, slots=True)
class NewOrder:
    """An order as a shop tells of it; ``phone`` is E.164 or None."""

    merchant: str
    order_id: str
    ordered_at: datetime
    amount_minor: int
    currency: str
    source: str
    phone: str | None = None
    click_ids: tuple[int, ...] = ()
    coupons: tuple[str, ...] = ()
    landing_site: str | None = None


@dataclass(frozen=True, slots=True)
class NewChange:
    """A later event as a shop tells of it."""

    merchant: str
    order_id: str
    kind: ChangeKind
    change_id: str
    at: datetime
    source: str
    amount_minor: int = 0


@dataclass(frozen=True, slots=True)
class Order:
    """An order with what became of it. ``net_minor`` is what is left of the amount."""

    id: int
    merchant: str
    order_id: str
    ordered_at: datetime
    amount_minor: int
    net_minor: int
    currency: str
    source: str
    recorded_at: datetime
    coupons: list[str] = field(default_factory=list)
    click_ids: list[int] = field(default_factory=list)
    landing_site: str | None = None
    subscriber_id: int | None = None
    canceled_at: datetime | None = None
    paid_at: datetime | None = None
    credit: dict[str, Any] | None = None


class OrderDiffers(ValueError):
    """There is an order with this merchant and id, and it says something else."""


_INSERT: Final = """
INSERT INTO orders (merchant, order_id, ordered_at, amount_minor, currency, subscriber_id,
                    click_ids, coupons, landing_site, source)
VALUES (%(merchant)s, %(order_id)s, %(ordered_at)s, %(amount_minor)s, %(currency)s,
        (SELECT id FROM subscribers WHERE phone = %(phone)s), %(click_ids)s, %(coupons)s,
        %(landing_site)s, %(source)s)
ON CONFLICT (merchant, order_id) DO NOTHING RETURNING id
"""
_SAME: Final = """
SELECT id, amount_minor = %(amount_minor)s AND currency = %(currency)s FROM orders
WHERE merchant = %(merchant)s AND order_id = %(order_id)s
"""
_CHANGE: Final = """
INSERT INTO order_changes (merchant, order_id, kind, change_id, amount_minor, at, source)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
# A cancelled order earned nothing; refunds never take more than there was.
NET: Final = """
CASE WHEN x.canceled_at IS NOT NULL THEN 0
     ELSE greatest(o.amount_minor - coalesce(x.refunded, 0), 0) END
"""
CHANGES: Final = """
LEFT JOIN LATERAL (
    SELECT sum(c.amount_minor) FILTER (WHERE c.kind = 'refunded') AS refunded,
           min(c.at) FILTER (WHERE c.kind = 'canceled') AS canceled_at,
           min(c.at) FILTER (WHERE c.kind = 'paid') AS paid_at
    FROM order_changes c WHERE c.merchant = o.merchant AND c.order_id = o.order_id
) x ON true
"""
NOT_CANCELED: Final = """
NOT EXISTS (SELECT FROM order_changes c WHERE c.merchant = o.merchant AND c.order_id = o.order_id
            AND c.kind = 'canceled')
"""
_READ: Final = f"""
SELECT o.id, o.merchant, o.order_id, o.ordered_at, o.amount_minor, ({NET})::bigint AS net_minor,
       o.currency, o.source, o.recorded_at, o.coupons, o.click_ids, o.landing_site, o.subscriber_id,
       x.canceled_at, x.paid_at,
       (SELECT to_jsonb(k) - 'order_pk' FROM credits k WHERE k.order_pk = o.id) AS credit
FROM orders o {CHANGES}
"""  # noqa: S608 - constants of this module


def place(connection: Connection, order: NewOrder) -> tuple[int, bool]:
    """Record an order; answers its key and whether it is new.

    The same order again changes nothing. Raises :class:`OrderDiffers` when it was recorded with
    another amount or currency. Call inside a transaction.
    """
    values = {
        "merchant": order.merchant,
        "order_id": order.order_id,
        "ordered_at": order.ordered_at,
        "amount_minor": order.amount_minor,
        "currency": order.currency,
        "phone": order.phone,
        "click_ids": list(order.click_ids),
        "coupons": [code.upper() for code in order.coupons],
        "landing_site": order.landing_site,
        "source": order.source,
    }
    row = connection.execute(_INSERT, values).fetchone()
    if row is not None:
        return int(row[0]), True
    ((key, same),) = connection.execute(_SAME, values).fetchall()
    if not same:
        raise OrderDiffers
    return int(key), False


def change(connection: Connection, event: NewChange) -> bool:
    """Record a later event; False when it was recorded before. The order may come after it."""
    values = (
        event.merchant,
        event.order_id,
        str(event.kind),
        event.change_id,
        event.amount_minor,
        event.at,
        event.source,
    )
    return connection.execute(_CHANGE, values).rowcount == 1


def get(connection: Connection, key: int) -> Order | None:
    """One order by its key."""
    return next(iter(_orders(connection, f"{_READ} WHERE o.id = %s", (key,))), None)


def find(connection: Connection, merchant: str, order_id: str) -> Order | None:
    """One order by the shop's own id."""
    where = f"{_READ} WHERE o.merchant = %s AND o.order_id = %s"
    return next(iter(_orders(connection, where, (merchant, order_id))), None)


def page(connection: Connection, after: int, limit: int) -> Sequence[Order]:
    """Orders in the order of their recording, from the one after ``after``."""
    return _orders(connection, f"{_READ} WHERE o.id > %s ORDER BY o.id LIMIT %s", (after, limit))


def _orders(connection: Connection, statement: str, values: Sequence[Any]) -> list[Order]:
    with connection.cursor(row_factory=dict_row) as cursor:
        return [Order(**row) for row in cursor.execute(statement, values)]
