"""Shopify's orders: placed, paid, edited, refunded, cancelled; in any order, and more than once."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from bot.resources import Resources
from bot.shopify import order_payloads
from bot.shopify.deliveries import Delivery, Done, Handler, moment
from storage.orders import ChangeKind, OrderDiffers
from storage.transaction import Work
from worker import ordering

_NOW: Final = "SELECT assent_now()"
_CURRENCY: Final = "SELECT currency FROM orders WHERE merchant = %s AND order_id = %s"


def placed(work: Work, _: Resources, delivery: Delivery) -> Done:
    """``orders/create``, and ``orders/updated`` for one that we had missed."""
    return Done(_take(work, delivery, _now(work)))


def paid(work: Work, _: Resources, delivery: Delivery) -> Done:
    """``orders/paid``: the order too, should it not be known yet."""
    now = _now(work)
    result = _take(work, delivery, now)
    at = moment(delivery.payload.get("updated_at")) or now
    event = order_payloads.later(
        delivery.payload, delivery.envelope.domain, ChangeKind.PAID, min(at, now)
    )
    news = ordering.change(work.connection, event)
    return Done("paid" if news else result)


def canceled(work: Work, _: Resources, delivery: Delivery) -> Done:
    """``orders/cancelled``: nothing is left of what the order earned.

    The topic stands in a header that Shopify does not sign, so an order that does not itself say
    that it was cancelled was not: somebody may have sent another delivery's body again.
    """
    now = _now(work)
    at = moment(delivery.payload.get("cancelled_at"))
    if at is None:
        return Done("ignored.not_cancelled")
    event = order_payloads.later(
        delivery.payload, delivery.envelope.domain, ChangeKind.CANCELED, min(at, now)
    )
    return Done("canceled" if ordering.change(work.connection, event) else "known")


def refunded(work: Work, _: Resources, delivery: Delivery) -> Done:
    """``refunds/create``: a part or the whole; it may come before its order."""
    now, merchant = _now(work), delivery.envelope.domain
    order_id = str(delivery.payload.get("order_id"))
    row = work.connection.execute(_CURRENCY, (merchant, order_id)).fetchone()
    currency = row[0] if row else _currency_of(delivery)
    event = order_payloads.refund(delivery.payload, merchant, currency, now)
    return Done("refunded" if ordering.change(work.connection, event) else "known")


TOPICS: Final[Mapping[str, Handler]] = {
    "orders/create": placed,
    "orders/updated": placed,
    "orders/paid": paid,
    "orders/cancelled": canceled,
    "refunds/create": refunded,
}


def _take(work: Work, delivery: Delivery, now: datetime) -> str:
    payload = delivery.payload
    if payload.get("test") is True:
        return "ignored.test"
    order = order_payloads.order(payload, delivery.envelope.domain, now)
    try:
        _, new = ordering.take(work.connection, order)
    except OrderDiffers:
        # An order that was edited: what was placed stays, refunds tell what was given back.
        return "noted.edited"
    return "placed" if new else "known"


def _currency_of(delivery: Delivery) -> str:
    """The currency that a refund names itself, for an order that is not known yet."""
    transactions = delivery.payload.get("transactions")
    for each in transactions if isinstance(transactions, list) else []:
        if isinstance(each, dict) and isinstance(each.get("currency"), str):
            return str(each["currency"]).upper()
    return "USD"


def _now(work: Work) -> datetime:
    ((now,),) = work.connection.execute(_NOW).fetchall()
    assert isinstance(now, datetime)
    return now
