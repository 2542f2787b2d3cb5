"""``conversions``: orders by signed server calls, their later events, and who earned them."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any, Final

from bot.api.conversion_models import (
    ConversionAnswer,
    ConversionChangeAnswer,
    ConversionPage,
    Conversions,
    CreditDifference,
    NewConversion,
    NewConversionChange,
    Recomputation,
    Recompute,
    WindowsModel,
    conversion_answer,
)
from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from keywords.phone import InvalidPhone, parse
from storage import crediting as credits_
from storage import orders
from storage.catalogue import ProgramRow
from storage.keys import Scope
from storage.orders import NewChange, NewOrder, OrderDiffers
from worker import crediting, ordering
from worker.policy import click_ids
from worker.policy.attribution import Credit

SOURCE: Final = "api"
_EARLY: Final = timedelta(minutes=5)
_LONGEST: Final = timedelta(days=400)
_NOW: Final = "SELECT assent_now()"


def create_conversion(call: Call, json_data: NewConversion) -> ConversionAnswer:
    """Record an order and say who earned it.

    The same order again gets the same answer; 409 when it was recorded with another amount.
    """
    order = _order(call, json_data)
    connection = call.work.connection
    try:
        key, _ = ordering.take(connection, order)
    except OrderDiffers:
        detail = "This order was recorded with another amount or currency."
        raise Problem(Kind.CONFLICT, detail) from None
    return _shown(call, key)


def change_conversion(call: Call, json_data: NewConversionChange) -> ConversionChangeAnswer:
    """Record that an order was paid, refunded (in part or whole) or cancelled.

    Each ``change_id`` counts once. The event may come before its order.
    """
    event = NewChange(
        json_data.merchant,
        json_data.order_id,
        json_data.kind,
        json_data.change_id,
        _moment(call, json_data.at, "at"),
        SOURCE,
        json_data.amount_minor,
    )
    recorded = ordering.change(call.work.connection, event)
    found = orders.find(call.work.connection, event.merchant, event.order_id)
    answer = None if found is None else conversion_answer(found)
    return ConversionChangeAnswer(recorded=recorded, order=answer)


def list_conversions(call: Call, query_data: ConversionPage) -> Conversions:
    """Orders in the order in which they became known."""
    after = decode(query_data.cursor or None, int)
    found = orders.page(call.work.connection, after[0] if after else 0, query_data.limit + 1)
    shown, following = split(found, query_data.limit, lambda order: (order.id,))
    return Conversions(items=[conversion_answer(order) for order in shown], next=following)


def get_conversion(call: Call, conversion: str) -> ConversionAnswer:
    """One order."""
    plain = conversion.isascii() and conversion.isdecimal() and len(conversion) < 19
    if not plain:
        raise not_found("conversion")
    return _shown(call, int(conversion))


def recompute_credits(call: Call, json_data: Recompute) -> Recomputation:
    """Judge the orders of a time by today's rules: show what differs; with ``write``, keep it."""
    if not json_data.start < json_data.end <= json_data.start + _LONGEST:
        message = f"The end must come after the start, by at most {_LONGEST.days} days."
        raise invalid([FieldError(field="end", message=message)])
    changed = crediting.recompute(
        call.work.connection, json_data.start, json_data.end, write=json_data.write
    )
    if json_data.write:
        call.audit("credits.recomputed", "conversions", changed=len(changed))
    items = [
        CreditDifference(order=each.order, before=_plain(each.before), after=_plain(each.after))
        for each in changed
    ]
    return Recomputation(written=json_data.write, items=items)


def get_windows(call: Call, slug: str) -> WindowsModel:
    """For how long after a click, or a delivery, a program may earn an order."""
    _require_program(call, slug)
    kept = credits_.windows(call.work.connection).get(slug)
    if kept is None:
        return WindowsModel()
    click, delivered = kept
    hours = None if delivered is None else delivered // 3600
    return WindowsModel(click_hours=click // 3600, delivered_hours=hours)


def put_windows(call: Call, slug: str, json_data: WindowsModel) -> WindowsModel:
    """Set a program's windows. Credits that are kept stay until somebody recomputes them."""
    _require_program(call, slug)
    delivered = json_data.delivered_hours
    seconds = None if delivered is None else delivered * 3600
    credits_.save_windows(call.work.connection, slug, json_data.click_hours * 3600, seconds)
    call.audit("attribution.changed", f"program:{slug}", **json_data.model_dump())
    return json_data


def _order(call: Call, given: NewConversion) -> NewOrder:
    carried = click_ids.of_texts([given.click_id] if given.click_id else [])
    landed = click_ids.of_address(given.landing_site)
    return NewOrder(
        given.merchant,
        given.order_id,
        _moment(call, given.ordered_at, "ordered_at"),
        given.amount_minor,
        given.currency,
        SOURCE,
        _phone(given),
        tuple(dict.fromkeys(carried + landed)),
        tuple(given.coupons),
        given.landing_site,
    )


def _phone(given: NewConversion) -> str | None:
    if given.phone is None:
        return None
    try:
        return parse(given.phone, given.country).e164
    except InvalidPhone as error:
        raise invalid([FieldError("phone", str(error), error.code)]) from None


def _moment(call: Call, given: datetime | None, field: str) -> datetime:
    """When it happened: now, unless the shop says when. Nothing happens in the future."""
    ((now,),) = call.work.connection.execute(_NOW).fetchall()
    assert isinstance(now, datetime)
    if given is None:
        return now
    if not now - _LONGEST <= given <= now + _EARLY:
        message = f"Give a time of the last {_LONGEST.days} days, not in the future."
        raise invalid([FieldError(field, message, "time")])
    return min(given, now)


def _shown(call: Call, key: int) -> ConversionAnswer:
    found = orders.get(call.work.connection, key)
    if found is None:
        raise not_found("conversion")
    return conversion_answer(found)


def _plain(credit: Credit | None) -> dict[str, Any] | None:
    if credit is None:
        return None
    return asdict(credit) | {"at": credit.at.isoformat(), "basis": str(credit.basis)}


def _require_program(call: Call, slug: str) -> None:
    if "\0" in slug or call.session.get(ProgramRow, slug) is None:
        raise not_found("program")


OPERATIONS: Final = (
    (
        Operation("POST", "/conversions", Scope.ORDERS, ConversionAnswer, body=NewConversion),
        create_conversion,
    ),
    (
        Operation(
            "POST",
            "/conversions/changes",
            Scope.ORDERS,
            ConversionChangeAnswer,
            body=NewConversionChange,
        ),
        change_conversion,
    ),
    (
        Operation("GET", "/conversions", Scope.READ, Conversions, query=ConversionPage),
        list_conversions,
    ),
    (
        Operation("POST", "/conversions/recompute", Scope.ADMIN, Recomputation, body=Recompute),
        recompute_credits,
    ),
    (Operation("GET", "/conversions/<conversion>", Scope.READ, ConversionAnswer), get_conversion),
    (Operation("GET", "/programs/<slug>/attribution", Scope.READ, WindowsModel), get_windows),
    (
        Operation(
            "PUT", "/programs/<slug>/attribution", Scope.WRITE, WindowsModel, body=WindowsModel
        ),
        put_windows,
    ),
)
