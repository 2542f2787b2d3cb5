"""What was counted of a campaign, or of any part of one; sums of several are totals too."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

from worker.errors import judge

NO_CODE: Final = "none"
_FAILED: Final = ("undelivered", "failed", "canceled")
_ARRIVED: Final = ("delivered", "read")


class SaleKey(NamedTuple):
    """What sales may not be added up over: the basis of the credit, and the currency."""

    basis: str
    currency: str


@dataclass(frozen=True, slots=True)
class Sales:
    """Orders: all that were placed, those canceled among them, and money in minor units."""

    orders: int = 0
    canceled: int = 0
    gross_minor: int = 0
    net_minor: int = 0

    def __add__(self, other: Sales) -> Sales:
        return Sales(
            self.orders + other.orders,
            self.canceled + other.canceled,
            self.gross_minor + other.gross_minor,
            self.net_minor + other.net_minor,
        )


@dataclass(slots=True)
class Totals:
    """Counts. ``texts`` is by (what, why) as the tallies have them (``storage.tallies``).

    ``what`` is a final state of a message, "plan" (everybody planned), "delivery" (the carrier's
    last word), "optout", or "segments", "expected", "reported", "unpriced" (see :meth:`cost`).
    """

    texts: Counter[tuple[str, str]] = field(default_factory=Counter)
    raw_clicks: int = 0
    human_clicks: int = 0
    clickers: int = 0
    sales: dict[SaleKey, Sales] = field(default_factory=dict)
    _states: Counter[str] | None = field(default=None, compare=False, repr=False)

    def count(self, what: str, why: str, n: int) -> None:
        """Count ``n`` more texts; every change of ``texts`` goes this way, or by :meth:`add`."""
        self.texts[what, why] += n
        self._states = None

    def click(self, raw: int, human: int, clickers: int) -> None:
        """Count hits, those of people, and people."""
        self.raw_clicks += raw
        self.human_clicks += human
        self.clickers += clickers

    def add(self, other: Totals) -> None:
        """Add the counts of another part."""
        self.texts.update(other.texts)
        self._states = None
        self.click(other.raw_clicks, other.human_clicks, other.clickers)
        for key, sales in other.sales.items():
            self.sell(key, sales)

    def sell(self, key: SaleKey, sales: Sales) -> None:
        """Add sales of one basis and currency."""
        self.sales[key] = self.sales.get(key, Sales()) + sales

    def state(self, state: str) -> int:
        """How many ended as ``state``, for whatever reason; or were planned, for "plan"."""
        if self._states is None:
            self._states = Counter()
            for (what, _), n in self.texts.items():
                self._states[what] += n
        return self._states[state]

    def reasons(self, state: str) -> dict[str, int]:
        """Those by reason."""
        return {why: n for (what, why), n in sorted(self.texts.items()) if what == state and n}

    @property
    def accepted(self) -> int:
        """Texts that the carrier took."""
        return self.state("accepted")

    @property
    def delivered(self) -> int:
        """Texts that arrived."""
        return sum(self.texts["delivery", word] for word in _ARRIVED)

    @property
    def read(self) -> int:
        """Texts reported as read; no carrier reports that of an SMS."""
        return self.texts["delivery", "read"]

    @property
    def undelivered(self) -> dict[str, int]:
        """Texts that did not arrive, by error code; ``NO_CODE`` where none was given."""
        found: Counter[str] = Counter()
        for why, n in self.reasons("delivery").items():
            word, _, code = why.partition(".")
            if word in _FAILED:
                found[code or NO_CODE] += n
        return dict(found)

    @property
    def unconfirmed(self) -> int:
        """Accepted, without a last word of the carrier."""
        return max(self.accepted - self.delivered - sum(self.undelivered.values()), 0)

    @property
    def optouts(self) -> int:
        """Different people who opted out soon after."""
        return self.state("optout")

    @property
    def open(self) -> int:
        """Planned, and not come to an end."""
        ended = ("accepted", "rejected", "refused", "unknown", "expired", "canceled", "holdout")
        return max(self.state("plan") - sum(self.state(each) for each in ended), 0)

    @property
    def cost(self) -> int:
        """Micros: reported prices, and expected ones of texts without a reported price."""
        return self.state("expected") + self.state("reported")

    def orders(self, basis: str) -> int:
        """Orders of one basis in all currencies."""
        return sum(sales.orders for key, sales in self.sales.items() if key.basis == basis)


def classes(codes: Mapping[str, int]) -> dict[str, int]:
    """Error codes by whose fault they are; those without a code, or "carrier.21211", too."""
    found: Counter[str] = Counter()
    for code, n in codes.items():
        number = code.rpartition(".")[2]
        found[str(judge(int(number)).kind) if number.isdecimal() else NO_CODE] += n
    return dict(sorted(found.items()))


def summed(parts: Iterable[Totals]) -> Totals:
    """All parts together."""
    total = Totals()
    for part in parts:
        total.add(part)
    return total


def counted(rows: Iterable[tuple[Any, str, str, int]]) -> defaultdict[Any, Totals]:
    """Totals by key, from rows of key, what, why and n."""
    found: defaultdict[Any, Totals] = defaultdict(Totals)
    for key, what, why, n in rows:
        found[key].count(what, why, n)
    return found
