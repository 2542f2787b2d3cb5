"""Which message earned an order? One pure function, one answer, and the rule that gave it.

By default the last human click in the five days before the order earns it; else the coupon that
the order used, while it is valid; else nobody. A delivered text without a click earns nothing
unless a program says so, because most who got a text and bought would have bought anyway. There is
never more than one credit for an order, whatever the number of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

VERSION: Final = "2026-11-24"


class Basis(StrEnum):
    """What a credit rests on; reports never add them up in silence."""

    CLICK = "click"
    COUPON = "coupon"
    DELIVERED = "delivered"


class Strength(StrEnum):
    """How sure we are that a click was this customer's: the order carries it, or only the phone."""

    ORDER = "order"  # the order itself carries the click's id
    PERSON = "person"  # the order and the click are of one phone number


@dataclass(frozen=True, slots=True)
class Windows:
    """How long after each event an order may still be earned; ``delivered`` None is off.

    A click counts from its own time (peers: "start = click time"), a delivery from when the text
    reached the phone.
    """

    click: timedelta = timedelta(days=5)
    delivered: timedelta | None = None


DEFAULT: Final = Windows()


@dataclass(frozen=True, slots=True)
class Click:
    """One human click that may belong to the order. ``message`` is the recipient's id."""

    id: int
    message: int
    campaign: int
    program: str
    at: datetime
    strength: Strength


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code that the order used and that we gave out.

    A welcome's code has neither ``message`` nor ``campaign``; one that a whole campaign shares has
    a message only when the customer is known to have got it. Valid in ``given_at`` ≤ order <
    ``expires_at`` (None: for ever).
    """

    code: str
    message: int | None
    campaign: int | None
    program: str
    given_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """One marketing text that reached the customer's phone."""

    message: int
    campaign: int
    program: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Evidence:
    """All that is known about who may have earned an order placed at ``ordered_at``."""

    ordered_at: datetime
    clicks: Sequence[Click] = ()
    coupons: Sequence[Coupon] = ()
    deliveries: Sequence[Delivery] = ()


@dataclass(frozen=True, slots=True)
class Credit:
    """Who earned the order, on what basis, by which version of these rules.

    ``campaign`` and ``message`` are None where the coupon had none; ``at`` is the click, the giving
    of the code or the delivery.
    """

    basis: Basis
    program: str
    campaign: int | None
    message: int | None
    at: datetime
    rule: str
    version: str = VERSION
    click: int | None = None
    coupon: str | None = None


def attribute(evidence: Evidence, windows: dict[str, Windows] | None = None) -> Credit | None:
    """The one credit for an order, or None. ``windows`` are by program; others have the default.

    The answer depends on what is known, never on the order in which it became known.
    """
    by_program = windows or {}
    return _click(evidence, by_program) or _coupon(evidence) or _delivered(evidence, by_program)


def _click(evidence: Evidence, windows: dict[str, Windows]) -> Credit | None:
    """The last click in its window; one that the order itself carries beats all others."""
    counted = [
        click
        for click in evidence.clicks
        if click.at <= evidence.ordered_at
        and evidence.ordered_at - click.at <= windows.get(click.program, DEFAULT).click
    ]
    if not counted:
        return None
    last = max(counted, key=lambda c: (c.strength is Strength.ORDER, c.at, c.id, c.program))
    return Credit(
        Basis.CLICK,
        last.program,
        last.campaign,
        last.message,
        last.at,
        f"click.last.{last.strength}",
        click=last.id,
    )


def _coupon(evidence: Evidence) -> Credit | None:
    counted = [
        coupon
        for coupon in evidence.coupons
        if coupon.given_at <= evidence.ordered_at
        and (coupon.expires_at is None or evidence.ordered_at < coupon.expires_at)
    ]
    if not counted:
        return None
    last = max(counted, key=lambda c: (c.given_at, c.code, c.message or 0))
    return Credit(
        Basis.COUPON,
        last.program,
        last.campaign,
        last.message,
        last.given_at,
        "coupon.valid",
        coupon=last.code,
    )


def _delivered(evidence: Evidence, windows: dict[str, Windows]) -> Credit | None:
    counted = [
        delivery
        for delivery in evidence.deliveries
        if _in_view(delivery, evidence.ordered_at, windows.get(delivery.program, DEFAULT))
    ]
    if not counted:
        return None
    last = max(counted, key=lambda d: (d.at, d.message, d.program))
    rule = "delivered.last"
    return Credit(Basis.DELIVERED, last.program, last.campaign, last.message, last.at, rule)


def _in_view(delivery: Delivery, ordered_at: datetime, windows: Windows) -> bool:
    return (
        windows.delivered is not None
        and delivery.at <= ordered_at
        and ordered_at - delivery.at <= windows.delivered
    )


def differences(
    before: Iterable[tuple[int, Credit | None]], after: Iterable[tuple[int, Credit | None]]
) -> list[tuple[int, Credit | None, Credit | None]]:
    """The orders whose credit a recomputation would change: id, credit before, credit after."""
    old, new = dict(before), dict(after)
    return [
        (order, old.get(order), new.get(order))
        for order in sorted(old.keys() | new.keys())
        if old.get(order) != new.get(order)
    ]
