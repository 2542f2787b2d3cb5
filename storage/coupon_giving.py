"""Coupons for the people who confirm: one statement for a group, and none where nothing is due."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from keywords import incentives
from keywords.replies import Coupon
from keywords.shop import Shop
from storage import coupons
from storage.conversation_writes import Decided
from storage.coupons import Wish
from storage.database import Connection
from storage.locking import Locked


def hand_out(
    connection: Connection, locked: Locked, shop: Shop, decided: Sequence[Decided]
) -> list[Decided]:
    """The same texts, those that confirmed a consent with the code that their writer was given."""
    wishes = [wish for each in decided for wish in _wishes(locked, shop, each)]
    if not wishes:
        return list(decided)
    given = coupons.give(connection, locked.now, wishes)
    codes = {(g.subscriber_id, g.program): Coupon(g.code, g.last_day) for g in given}
    return [_handed(locked, shop, each, codes) for each in decided]


def _wishes(locked: Locked, shop: Shop, each: Decided) -> list[Wish]:
    if each.phone is None:
        return []
    person = locked.ids[each.phone]
    return [Wish(person, d.program, d.pool) for d in incentives.due(each.outcome.changes, shop)]


def _handed(
    locked: Locked, shop: Shop, each: Decided, codes: dict[tuple[int, str], Coupon]
) -> Decided:
    outcome = each.outcome
    for wish in _wishes(locked, shop, each):
        # Taken out: a text of the same group that confirms once more brings no second code.
        coupon = codes.pop((wish.subscriber_id, wish.program), None)
        if coupon is not None:
            outcome = incentives.handed(outcome, shop.programs[wish.program], coupon)
    return replace(each, outcome=outcome)
