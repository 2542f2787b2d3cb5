"""Take an order, or news of one: recorded once, judged, and told to those who want to know.

One way for the API, the shop's webhooks and the demo: in the caller's transaction, so that an
order is never without its credit.
"""

from __future__ import annotations

from typing import Any

from keywords.ledger import instant
from storage import crediting as credits_
from storage import orders, sales
from storage.database import Connection
from storage.orders import NewChange, NewOrder, Order
from storage.webhooks import Event
from worker import crediting
from worker.policy import click_ids
from worker.webhooks.feeding import tell


def take(connection: Connection, order: NewOrder) -> tuple[int, bool]:
    """Record an order and judge it; its key, and whether it is new.

    Raises :class:`storage.orders.OrderDiffers`.
    """
    sales.lock(connection, order.merchant, order.order_id)
    key, new = orders.place(connection, order)
    if new:
        crediting.credit(connection, [key])
        _tell(connection, orders.get(connection, key), "placed")
    return key, new


def change(connection: Connection, event: NewChange) -> bool:
    """Record that an order was paid, refunded or cancelled; False when it was known."""
    sales.lock(connection, event.merchant, event.order_id)
    news = orders.change(connection, event)
    if news:
        order = orders.find(connection, event.merchant, event.order_id)
        if order is not None:
            credits_.lock(connection, [order.id])
            sales.count(connection, [order.id])
        _tell(connection, order, str(event.kind))
    return news


def _tell(connection: Connection, order: Order | None, what: str) -> None:
    if order is not None:
        happened = (order.subscriber_id, order.recorded_at, shown(order) | {"change": what})
        tell(connection, Event.ORDER, [happened])


def shown(order: Order) -> dict[str, Any]:
    """An order and its credit, as a shop's own system is told of it."""
    credit = order.credit
    return {
        "merchant": order.merchant,
        "order_id": order.order_id,
        "ordered_at": instant(order.ordered_at),
        "amount_minor": order.amount_minor,
        "net_minor": order.net_minor,
        "currency": order.currency,
        "click_ids": [click_ids.write(click) for click in order.click_ids],
        "coupons": list(order.coupons),
        "credit": credit and {name: credit[name] for name in _CREDIT},
    }


_CREDIT = ("basis", "program", "campaign_id", "recipient_id", "rule", "version")
