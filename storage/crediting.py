"""What may have earned an order, read for many orders at once; and the credits as they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from psycopg.rows import dict_row
from sqlalchemy import BigInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection

# An order carries its click's id whatever label the click has: who orders is a person.
_CLICKS: Final = """
SELECT o.id AS order_pk, c.id, c.recipient_id, c.campaign_id, p.program, c.at, true AS carried
FROM orders o JOIN clicks c ON c.id = ANY(o.click_ids) JOIN campaigns p ON p.id = c.campaign_id
WHERE o.id = ANY(%(orders)s)
UNION
SELECT o.id, c.id, c.recipient_id, c.campaign_id, p.program, c.at, c.id = ANY(o.click_ids)
FROM orders o JOIN clicks c ON c.subscriber_id = o.subscriber_id AND c.label = 'human'
     AND c.at BETWEEN o.ordered_at - %(longest)s AND o.ordered_at
JOIN campaigns p ON p.id = c.campaign_id
WHERE o.id = ANY(%(orders)s)
"""
# A code that a whole campaign shares counts from the campaign's launch; the message is the
# customer's own, where the order says who the customer is. A code of a pool is one person's, given
# when they confirmed, and earns for the program, whoever uses it.
_CAMPAIGN_COUPONS: Final = """
SELECT o.id AS order_pk, upper(p.settings ->> 'coupon') AS code, r.id AS recipient_id,
       p.id AS campaign_id, p.program, p.launched_at AS given_at,
       (p.settings ->> 'coupon_expires_at')::timestamptz AS expires_at
FROM orders o JOIN campaigns p ON upper(p.settings ->> 'coupon') = ANY(o.coupons)
LEFT JOIN recipients r ON r.campaign_id = p.id AND r.subscriber_id = o.subscriber_id
     AND r.state = 'accepted'
WHERE o.id = ANY(%(orders)s) AND p.launched_at IS NOT NULL
UNION ALL
SELECT o.id, c.key, NULL, NULL, c.program, c.given_at, c.expires_at
FROM orders o JOIN coupons c ON c.key = ANY(o.coupons)
WHERE o.id = ANY(%(orders)s) AND c.given_at IS NOT NULL
"""
_DELIVERIES: Final = """
SELECT o.id AS order_pk, r.id AS recipient_id, r.campaign_id, p.program, r.delivered_at AS at
FROM orders o JOIN recipients r ON r.subscriber_id = o.subscriber_id
JOIN campaigns p ON p.id = r.campaign_id
WHERE o.id = ANY(%(orders)s) AND r.delivered_at BETWEEN o.ordered_at - %(longest)s AND o.ordered_at
"""
_ORDERED: Final = "SELECT id, ordered_at FROM orders WHERE id = ANY(%s)"
_KEPT: Final = """
SELECT order_pk, basis, program, campaign_id, recipient_id, earned_at, rule, version, click_id,
       coupon
FROM credits WHERE order_pk = ANY(%s)
"""
_KEEP: Final = """
INSERT INTO credits (order_pk, basis, program, campaign_id, recipient_id, earned_at, rule, version,
                     click_id, coupon)
SELECT * FROM json_to_recordset(%s::json) AS r (
    order_pk bigint, basis text, program text, campaign_id bigint, recipient_id bigint,
    earned_at timestamptz, rule text, version text, click_id bigint, coupon text)
ON CONFLICT (order_pk) DO UPDATE SET
    (basis, program, campaign_id, recipient_id, earned_at, rule, version, click_id, coupon,
     computed_at)
    = (excluded.basis, excluded.program, excluded.campaign_id, excluded.recipient_id,
       excluded.earned_at, excluded.rule, excluded.version, excluded.click_id, excluded.coupon,
       assent_now())
"""
_DROP: Final = "DELETE FROM credits WHERE order_pk = ANY(%s)"
_LOCK: Final = "SELECT id FROM orders WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
# Orders that a click which has just become known may have led to.
_TOUCHED: Final = """
SELECT id FROM orders WHERE click_ids && %(clicks)s::bigint[]
UNION
SELECT o.id FROM orders o JOIN clicks c ON c.subscriber_id = o.subscriber_id
     AND c.label = 'human' AND c.at BETWEEN o.ordered_at - %(longest)s AND o.ordered_at
WHERE c.id = ANY(%(clicks)s)
"""
_BETWEEN: Final = """
SELECT id FROM orders WHERE ordered_at >= %s AND ordered_at < %s AND id > %s ORDER BY id LIMIT %s
"""
_WINDOWS: Final = "SELECT program, click_seconds, delivered_seconds FROM attribution_windows"
_SAVE_WINDOWS: Final = """
INSERT INTO attribution_windows (program, click_seconds, delivered_seconds) VALUES (%s, %s, %s)
ON CONFLICT (program) DO UPDATE SET click_seconds = excluded.click_seconds,
    delivered_seconds = excluded.delivered_seconds, updated_at = assent_now()
"""


class AttributionWindowRow(Base):
    """How long after a click, or a delivery (null: never), a program may still earn an order."""

    __tablename__ = "attribution_windows"

    program: Mapped[str] = mapped_column(primary_key=True)
    click_seconds: Mapped[int] = mapped_column(BigInteger)
    delivered_seconds: Mapped[int | None] = mapped_column(BigInteger)
    updated_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


@dataclass(frozen=True, slots=True)
class Known:
    """All that is known of some orders, as rows with their ``order_pk``."""

    ordered_at: Mapping[int, datetime]
    clicks: Sequence[Mapping[str, Any]]
    coupons: Sequence[Mapping[str, Any]]
    deliveries: Sequence[Mapping[str, Any]]


def lock(connection: Connection, orders: Sequence[int]) -> None:
    """Let nobody else decide about these orders before the commit."""
    connection.execute(_LOCK, (list(orders),))


def known(connection: Connection, orders: Sequence[int], longest: timedelta) -> Known:
    """What may have earned these orders, back to ``longest`` before each."""
    values = {"orders": list(orders), "longest": longest}
    with connection.cursor(row_factory=dict_row) as cursor:
        clicks = cursor.execute(_CLICKS, values).fetchall()
        coupons = cursor.execute(_CAMPAIGN_COUPONS, values).fetchall()
        deliveries = cursor.execute(_DELIVERIES, values).fetchall()
    ordered: dict[int, datetime] = dict(connection.execute(_ORDERED, (list(orders),)).fetchall())
    return Known(ordered, clicks, coupons, deliveries)


def kept(connection: Connection, orders: Sequence[int]) -> dict[int, dict[str, Any]]:
    """The credits that are kept, as rows by order."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_KEPT, (list(orders),)).fetchall()
    return {row.pop("order_pk"): row for row in rows}


def keep(connection: Connection, document: str) -> None:
    """Write credits, given as a JSON list of rows; each replaces the order's former one."""
    connection.execute(_KEEP, (document,))


def drop(connection: Connection, orders: Iterable[int]) -> None:
    """Take the credit away from orders that nothing earned."""
    connection.execute(_DROP, (list(orders),))


def touched(connection: Connection, clicks: Sequence[int], longest: timedelta) -> list[int]:
    """The orders that clicks, just become known, may have led to."""
    values = {"clicks": list(clicks), "longest": longest}
    return [key for (key,) in connection.execute(_TOUCHED, values)]


def between(
    connection: Connection, start: datetime, end: datetime, after: int, limit: int
) -> list[int]:
    """Orders placed from ``start`` to before ``end``: one page, from the one after ``after``."""
    return [key for (key,) in connection.execute(_BETWEEN, (start, end, after, limit))]


def windows(connection: Connection) -> dict[str, tuple[int, int | None]]:
    """Seconds after a click, and after a delivery, by program; others have the default."""
    return {p: (click, delivered) for p, click, delivered in connection.execute(_WINDOWS)}


def save_windows(
    connection: Connection, program: str, click_seconds: int, delivered_seconds: int | None
) -> None:
    """Set a program's windows; credits that are kept stay until somebody recomputes them."""
    connection.execute(_SAVE_WINDOWS, (program, click_seconds, delivered_seconds))
