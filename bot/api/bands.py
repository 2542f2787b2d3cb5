"""``programs/<slug>/bands``: the fifths that a program's customers are cut into, and where."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any, Final

from bot.api.door import Call
from bot.api.models import Model
from bot.api.operation import Operation
from bot.api.problems import Kind, Problem, not_found
from bot.api.programs import find
from keywords.money import written
from storage import bands
from storage.bands import FEWEST, Bands
from storage.keys import Scope


class BandsAnswer(Model):
    """Where the bands of a program's customers begin.

    A band is one plus how many of the four cut points lie below a person's value: ``recency`` is
    the time of their last order, ``frequency`` how many orders they have, ``money`` what they
    spent in a currency, in minor units, less refunds. Canceled orders do not count. ``sentences``
    say it in words, lowest band first.
    """

    program: str
    computed_at: datetime
    customers: int
    recency: list[datetime]
    frequency: list[int]
    money: dict[str, list[int]]
    sentences: list[str]


def get_bands(call: Call, slug: str) -> BandsAnswer:
    """The bands that segments of a program go by now; they are computed once a day.

    404 as long as the program has no five customers.
    """
    find(call.session, slug)
    found = bands.newest(call.work.connection, slug)
    if found is None:
        raise not_found("band")
    return _answer(found)


def compute_bands(call: Call, slug: str) -> BandsAnswer:
    """Compute the bands of a program's customers now.

    Campaigns that were launched before keep those of their launch. 409 when there are no five
    customers.
    """
    find(call.session, slug)
    made = bands.compute(call.work.connection, slug)
    if made is None:
        raise Problem(Kind.CONFLICT, f"Bands are made from {FEWEST} customers on.")
    call.audit("bands.computed", f"program:{slug}", customers=made.customers)
    return _answer(made)


def _answer(found: Bands) -> BandsAnswer:
    values = {
        name: getattr(found, name) for name in BandsAnswer.model_fields if name != "sentences"
    }
    return BandsAnswer(**values, sentences=list(_sentences(found)))


def _sentences(found: Bands) -> Iterator[str]:
    yield from _of("recency_band", "last order", found.recency, _moment, "after", "until")
    yield from _of("frequency_band", "number of orders", found.frequency, str)
    for currency, points in sorted(found.money.items()):
        yield from _of("money_band", "spent", points, _amount_in(currency))


def _of(
    field: str,
    what: str,
    points: Sequence[Any],
    say: Callable[[Any], str],
    above: str = "above",
    up_to: str = "up to",
) -> Iterator[str]:
    """Bands in which nobody can be, between two equal cut points, are left out."""
    yield f"{field} 1: {what} {up_to} {say(points[0])}"
    for band, (low, high) in enumerate(pairwise(points), 2):
        if low != high:
            yield f"{field} {band}: {what} {above} {say(low)}, {up_to} {say(high)}"
    yield f"{field} {len(points) + 1}: {what} {above} {say(points[-1])}"


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S.%f} UTC"


def _amount_in(currency: str) -> Callable[[Any], str]:
    return lambda amount: f"{written(amount, currency)} {currency}"


OPERATIONS: Final = (
    (Operation("GET", "/programs/<slug>/bands", Scope.READ, BandsAnswer), get_bands),
    (Operation("POST", "/programs/<slug>/bands", Scope.CAMPAIGNS, BandsAnswer), compute_bands),
)
