"""Orders as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field, StringConstraints

from bot.api.models import Model, Page
from storage.orders import ChangeKind, Order
from worker.policy import click_ids
from worker.policy.money import MOST

Reference = Annotated[
    str, StringConstraints(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")
]
Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]
Minor = Annotated[int, Field(strict=True, ge=0, le=MOST)]
Code = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\x00-\x20\x7f]+$")
]
ClickId = Annotated[str, StringConstraints(pattern="^[0-7][0-9a-f]{15}$")]
Address = Annotated[str, StringConstraints(max_length=4000, pattern=r"^[^\x00-\x1f\x7f]*$")]
Phone = Annotated[str, StringConstraints(min_length=3, max_length=64)]


class NewConversion(Model):
    """An order. ``amount_minor`` is in the smallest unit of the currency (cents of USD).

    What may tell who earned it: the customer's ``phone``, the ``click_id`` that our script kept,
    the ``landing_site`` of the visit (whose address holds the click's id), the ``coupons`` used.
    """

    merchant: Reference = "default"
    order_id: Reference
    ordered_at: AwareDatetime | None = None
    amount_minor: Minor
    currency: Currency
    phone: Phone | None = None
    country: Annotated[str, StringConstraints(pattern="^[A-Z]{2}$")] = "US"
    click_id: ClickId | None = None
    landing_site: Address | None = None
    coupons: Annotated[list[Code], Field(max_length=20)] = Field(default_factory=list)


class NewConversionChange(Model):
    """A later event of an order. ``change_id`` is the shop's own, so that it counts once."""

    merchant: Reference = "default"
    order_id: Reference
    kind: ChangeKind
    change_id: Reference
    amount_minor: Minor = 0
    at: AwareDatetime | None = None


class CreditAnswer(Model):
    """Who earned an order, on what basis, and by which rule of which version."""

    basis: Literal["click", "coupon", "delivered"]
    program: str
    campaign_id: int | None
    recipient_id: int | None
    earned_at: datetime
    rule: str
    version: str
    click_id: str | None
    coupon: str | None
    computed_at: datetime


class ConversionAnswer(Model):
    """An order and what became of it. ``net_minor`` is what is left after refunds."""

    id: int
    merchant: str
    order_id: str
    ordered_at: datetime
    amount_minor: int
    net_minor: int
    currency: str
    source: str
    recorded_at: datetime
    paid_at: datetime | None
    canceled_at: datetime | None
    coupons: list[str]
    click_ids: list[str]
    landing_site: str | None
    credit: CreditAnswer | None


class Conversions(Model):
    """A page of orders, in the order in which they became known."""

    items: list[ConversionAnswer]
    next: str | None


class ConversionChangeAnswer(Model):
    """What was recorded. ``order`` is null while the order itself is not known yet."""

    recorded: bool
    order: ConversionAnswer | None


class ConversionPage(Page):
    """Which orders."""


class Recompute(Model):
    """The orders of a time, to be judged anew; without ``write`` it is only shown what differs."""

    start: AwareDatetime
    end: AwareDatetime
    write: Annotated[bool, Field(strict=True)] = False


class CreditDifference(Model):
    """An order whose credit differs: as it is, and as today's rules have it."""

    order: int
    before: dict[str, Any] | None
    after: dict[str, Any] | None


class Recomputation(Model):
    """What a recomputation changes, or would change."""

    written: bool
    items: list[CreditDifference]


class WindowsModel(Model):
    """How long a program may earn an order: hours after a click, and after a delivery or never."""

    click_hours: Annotated[int, Field(strict=True, ge=1, le=24 * 90)] = 120
    delivered_hours: Annotated[int, Field(strict=True, ge=1, le=24 * 7)] | None = None


def conversion_answer(order: Order) -> ConversionAnswer:
    """An order as it is shown."""
    values = {name: getattr(order, name) for name in ConversionAnswer.model_fields}
    credit = order.credit
    if credit is not None and credit["click_id"] is not None:
        credit = credit | {"click_id": click_ids.write(credit["click_id"])}
    values["click_ids"] = [click_ids.write(click) for click in order.click_ids]
    return ConversionAnswer.model_validate(values | {"credit": credit})
