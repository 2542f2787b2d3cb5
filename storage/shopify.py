"""Shopify: the shops that may call us, and the deliveries that were taken.

A delivery is taken once, by the id that Shopify gives it and repeats with every retry. What it
said about a person's consent is kept with the moment at which the person changed it: deliveries
come late and out of order, and an older one must not undo a newer.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, ForeignKey, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection

DOMAIN: Final = r"^[a-z0-9][a-z0-9-]{0,59}\.myshopify\.com$"


class ShopifyShopRow(Base):
    """A shop that may call us, and the program that the box at its checkout is about.

    ``language`` is that of its checkout, None for the program's.
    """

    __tablename__ = "shopify_shops"
    __table_args__ = (CheckConstraint(rf"domain ~ '{DOMAIN}'", name="domain"),)

    domain: Mapped[str] = mapped_column(primary_key=True)
    program: Mapped[str] = mapped_column(ForeignKey("programs.slug"))
    language: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class ShopifyDeliveryRow(Base):
    """One delivery and what became of it (``result``: a stable name).

    ``changed_at`` is when ``subscriber_id`` changed what the delivery tells of, as the shop says.
    """

    __tablename__ = "shopify_deliveries"
    __table_args__ = (
        Index("ix_shopify_deliveries_received", "received_at"),
        Index(
            "ix_shopify_deliveries_changed",
            "subscriber_id",
            "topic",
            "changed_at",
            postgresql_where=text("subscriber_id IS NOT NULL"),
        ),
    )

    webhook_id: Mapped[str] = mapped_column(primary_key=True)
    domain: Mapped[str]
    topic: Mapped[str]
    received_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    result: Mapped[str] = mapped_column(server_default="taken")
    subscriber_id: Mapped[int | None]
    changed_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class ShopifyShop:
    """See :class:`ShopifyShopRow`."""

    domain: str
    program: str
    language: str | None = None


_SHOP: Final = "SELECT domain, program, language FROM shopify_shops WHERE domain = %s"
_SHOPS: Final = "SELECT domain, program, language FROM shopify_shops ORDER BY domain"
_ALLOW: Final = """
INSERT INTO shopify_shops (domain, program, language) VALUES (%s, %s, %s)
ON CONFLICT (domain) DO UPDATE SET program = excluded.program, language = excluded.language
"""
_REFUSE: Final = "DELETE FROM shopify_shops WHERE domain = %s"
_TAKE: Final = """
INSERT INTO shopify_deliveries (webhook_id, domain, topic) VALUES (%s, %s, %s)
ON CONFLICT (webhook_id) DO NOTHING
"""
_CLOSE: Final = """
UPDATE shopify_deliveries SET result = %s, subscriber_id = %s, changed_at = %s
WHERE webhook_id = %s
"""
_LAST: Final = """
SELECT max(changed_at) FROM shopify_deliveries WHERE subscriber_id = %s AND topic = %s
"""


def shop(connection: Connection, domain: str) -> ShopifyShop | None:
    """The shop with this domain, None where it may not call us."""
    row = connection.execute(_SHOP, (domain,)).fetchone()
    return None if row is None else ShopifyShop(*row)


def shops(connection: Connection) -> list[ShopifyShop]:
    """Every shop that may call us, by domain."""
    return [ShopifyShop(*row) for row in connection.execute(_SHOPS)]


def allow(connection: Connection, wanted: ShopifyShop) -> None:
    """Let a shop call us, or change what its checkout is about."""
    connection.execute(_ALLOW, (wanted.domain, wanted.program, wanted.language))


def refuse(connection: Connection, domain: str) -> bool:
    """No longer let a shop call us; False where it might not."""
    return connection.execute(_REFUSE, (domain,)).rowcount == 1


def take(connection: Connection, webhook_id: str, domain: str, topic: str) -> bool:
    """Take a delivery; False for one that was taken before.

    Waits for the same delivery in another transaction, and takes it when that one comes to nothing.
    """
    return connection.execute(_TAKE, (webhook_id, domain, topic)).rowcount == 1


def close(
    connection: Connection,
    webhook_id: str,
    result: str,
    subscriber_id: int | None = None,
    changed_at: datetime | None = None,
) -> None:
    """Note what became of a delivery, and what it was about."""
    connection.execute(_CLOSE, (result, subscriber_id, changed_at, webhook_id))


def last_change(connection: Connection, subscriber_id: int, topic: str) -> datetime | None:
    """When a person last changed what deliveries of ``topic`` tell of, by those taken so far.

    Call with the person locked.
    """
    row = connection.execute(_LAST, (subscriber_id, topic)).fetchone()
    return row[0] if row else None
