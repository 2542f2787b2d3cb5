"""What a Shopify order, or a refund of one, says about money, clicks, coupons and the customer.

Pure: from a payload's JSON to the values that are stored. Amounts are the shop's own money
(``total_price`` and ``currency``); a later edit of an order does not change what was placed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from bot.shopify.deliveries import Fault, NotTaken, moment
from keywords.phone import InvalidPhone, parse
from storage.orders import ChangeKind, NewChange, NewOrder
from worker.policy import click_ids
from worker.policy.money import BadAmount, minor

SOURCE: Final = "shopify"
_COUNTRY: Final = "US"
_LONGEST: Final = 4_000
_MOST_CODES: Final = 20


def order(payload: Mapping[str, Any], merchant: str, now: datetime) -> NewOrder:
    """The order of an ``orders/…`` payload; ``merchant`` is the shop's domain.

    Raises :class:`NotTaken` for a payload without an id or an amount.
    """
    currency = _currency(payload)
    landing = _text(payload.get("landing_site"))
    placed = moment(payload.get("processed_at")) or moment(payload.get("created_at"))
    return NewOrder(
        merchant=merchant,
        order_id=_id(payload),
        ordered_at=min(placed or now, now),
        amount_minor=_amount(payload.get("total_price"), currency),
        currency=currency,
        source=SOURCE,
        phone=phone(payload),
        click_ids=tuple(dict.fromkeys([*_noted_clicks(payload), *click_ids.of_address(landing)])),
        coupons=tuple(_codes(payload))[:_MOST_CODES],
        landing_site=landing,
    )


def refund(payload: Mapping[str, Any], merchant: str, currency: str, now: datetime) -> NewChange:
    """The refund of a ``refunds/create`` payload, in the currency of its order.

    What was paid back counts; where no transaction tells, what the lines were worth. Raises
    :class:`NotTaken`.
    """
    paid_back = [
        _amount(transaction.get("amount"), currency)
        for transaction in _objects(payload.get("transactions"))
        if transaction.get("kind") == "refund" and transaction.get("status") == "success"
    ]
    worth = [
        _amount(line.get("subtotal"), currency) + _amount(line.get("total_tax") or "0", currency)
        for line in _objects(payload.get("refund_line_items"))
    ]
    return NewChange(
        merchant=merchant,
        order_id=_id(payload, "order_id"),
        kind=ChangeKind.REFUNDED,
        change_id=_id(payload),
        at=min(moment(payload.get("created_at")) or now, now),
        source=SOURCE,
        amount_minor=sum(paid_back) if paid_back else sum(worth),
    )


def later(payload: Mapping[str, Any], merchant: str, kind: ChangeKind, at: datetime) -> NewChange:
    """That an order was paid, or cancelled; each happens once."""
    return NewChange(merchant, _id(payload), kind, str(kind), at, SOURCE)


def phone(payload: Mapping[str, Any]) -> str | None:
    """The customer's number: the order's, the customer's, the addresses'; None for none."""
    customer = _object(payload.get("customer"))
    places = (_object(payload.get(name)) for name in ("billing_address", "shipping_address"))
    billing, shipping = places
    country = billing.get("country_code") or shipping.get("country_code") or _COUNTRY
    for written in (
        payload.get("phone"),
        customer.get("phone"),
        billing.get("phone"),
        shipping.get("phone"),
    ):
        if not isinstance(written, str) or not written:
            continue
        try:
            return parse(written, str(country)).e164
        except InvalidPhone:
            continue
    return None


def _id(payload: Mapping[str, Any], name: str = "id") -> str:
    value = payload.get(name)
    if isinstance(value, bool) or not isinstance(value, int | str) or not str(value).strip():
        raise NotTaken(Fault.BAD_PAYLOAD, f"The payload has no {name}.")
    return str(value)[:100]


def _currency(payload: Mapping[str, Any]) -> str:
    value = payload.get("currency")
    if not isinstance(value, str) or len(value) != 3 or not value.isalpha():
        raise NotTaken(Fault.BAD_PAYLOAD, "The payload has no currency.")
    return value.upper()


def _amount(value: object, currency: str) -> int:
    written = value if isinstance(value, str) else str(value) if _is_number(value) else ""
    try:
        return minor(written, currency)
    except BadAmount:
        raise NotTaken(Fault.BAD_PAYLOAD, "The payload has no readable amount.") from None


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _noted_clicks(payload: Mapping[str, Any]) -> Sequence[int]:
    """Clicks that our script wrote into the cart's attributes."""
    noted = _objects(payload.get("note_attributes"))
    values = (note.get("value") for note in noted if note.get("name") == click_ids.PARAMETER)
    return click_ids.of_texts(value for value in values if isinstance(value, str))


def _codes(payload: Mapping[str, Any]) -> Iterable[str]:
    for code in _objects(payload.get("discount_codes")):
        value = code.get("code")
        if isinstance(value, str) and value.strip():
            yield value.strip()[:64].replace("\0", "")


def _objects(value: object) -> list[Mapping[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str | None:
    return value[:_LONGEST].replace("\0", "") if isinstance(value, str) and value else None
