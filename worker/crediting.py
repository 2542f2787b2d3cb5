"""Give each order its one credit: read what is known, ask the pure rule, keep the answer.

An order is judged when it is recorded, and again when a click that may have led to it becomes
known later. History is judged anew only on demand, with what would change shown first.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from storage import crediting, sales
from storage.crediting import Known
from storage.database import Connection
from worker.policy.attribution import (
    DEFAULT,
    Basis,
    Click,
    Coupon,
    Credit,
    Delivery,
    Evidence,
    Strength,
    Windows,
    attribute,
    differences,
)

PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Recomputed:
    """One order whose credit a recomputation changes."""

    order: int
    before: Credit | None
    after: Credit | None


def credit(connection: Connection, orders: Sequence[int]) -> dict[int, Credit | None]:
    """Judge orders and keep the answers. Call inside a transaction."""
    if not orders:
        return {}
    crediting.lock(connection, orders)
    answers = judge(connection, orders)
    earned = [_row(order, c) for order, c in answers.items() if c is not None]
    if earned:
        crediting.keep(connection, json.dumps(earned))
    nothing = [order for order, c in answers.items() if c is None]
    if nothing:
        crediting.drop(connection, nothing)
    sales.count(connection, orders)
    return answers


def after_clicks(connection: Connection, clicks: Sequence[int]) -> int:
    """Judge again the orders that clicks, just become known, may have led to; answers how many."""
    if not clicks:
        return 0
    orders = crediting.touched(connection, clicks, _longest(_windows(connection)))
    credit(connection, orders)
    return len(orders)


def judge(connection: Connection, orders: Sequence[int]) -> dict[int, Credit | None]:
    """What today's rules say of orders; nothing is written."""
    windows = _windows(connection)
    found = crediting.known(connection, orders, _longest(windows))
    return {order: attribute(e, windows) for order, e in _evidence(found).items()}


def kept(connection: Connection, orders: Sequence[int]) -> dict[int, Credit]:
    """The credits that orders have now."""
    return {order: _credit(row) for order, row in crediting.kept(connection, orders).items()}


def recompute(
    connection: Connection, start: datetime, end: datetime, *, write: bool
) -> list[Recomputed]:
    """Judge the orders of a time anew; with ``write`` keep the answers. Answers what differs."""
    changed: list[Recomputed] = []
    after = 0
    while orders := crediting.between(connection, start, end, after, PAGE):
        after = orders[-1]
        before = kept(connection, orders)
        judged = credit(connection, orders) if write else judge(connection, orders)
        found = differences(((o, before.get(o)) for o in orders), judged.items())
        changed += [Recomputed(*each) for each in found]
    return changed


def _windows(connection: Connection) -> dict[str, Windows]:
    return {
        program: Windows(
            timedelta(seconds=click),
            None if delivered is None else timedelta(seconds=delivered),
        )
        for program, (click, delivered) in crediting.windows(connection).items()
    }


def _longest(windows: Mapping[str, Windows]) -> timedelta:
    each = (DEFAULT, *windows.values())
    return max([w.click for w in each] + [w.delivered for w in each if w.delivered is not None])


def _evidence(found: Known) -> dict[int, Evidence]:
    clicks: dict[int, list[Click]] = defaultdict(list)
    for row in found.clicks:
        strength = Strength.ORDER if row["carried"] else Strength.PERSON
        message = (row["recipient_id"], row["campaign_id"], row["program"])
        clicks[row["order_pk"]].append(Click(row["id"], *message, row["at"], strength))
    coupons: dict[int, list[Coupon]] = defaultdict(list)
    for row in found.coupons:
        message = (row["recipient_id"], row["campaign_id"], row["program"])
        code = Coupon(row["code"], *message, row["given_at"], row["expires_at"])
        coupons[row["order_pk"]].append(code)
    deliveries: dict[int, list[Delivery]] = defaultdict(list)
    for row in found.deliveries:
        message = (row["recipient_id"], row["campaign_id"], row["program"])
        deliveries[row["order_pk"]].append(Delivery(*message, row["at"]))
    return {
        order: Evidence(at, clicks[order], coupons[order], deliveries[order])
        for order, at in found.ordered_at.items()
    }


def _row(order: int, credit: Credit) -> dict[str, Any]:
    return {
        "order_pk": order,
        "basis": credit.basis,
        "program": credit.program,
        "campaign_id": credit.campaign,
        "recipient_id": credit.message,
        "earned_at": credit.at.isoformat(),
        "rule": credit.rule,
        "version": credit.version,
        "click_id": credit.click,
        "coupon": credit.coupon,
    }


def _credit(row: Mapping[str, Any]) -> Credit:
    return Credit(
        Basis(row["basis"]),
        row["program"],
        row["campaign_id"],
        row["recipient_id"],
        row["earned_at"],
        row["rule"],
        row["version"],
        row["click_id"],
        row["coupon"],
    )
