"""One campaign's report: all of it, and by variant, by how people had joined, and by link."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from storage import results
from storage.database import Connection
from storage.results import Choice, Counted, Delays, Launched
from worker.statistics.totals import SaleKey, Sales, Totals

# Of a text, what a link's own rates are over.
_OVER = frozenset({"accepted", "delivery"})


@dataclass(frozen=True, slots=True)
class LinkPart:
    """What came of one link; its texts are those of its variant that may have been clicked."""

    number: int
    variant: int
    destination: str
    totals: Totals


@dataclass(frozen=True, slots=True)
class Report:
    """A campaign's counts. Variants are by number; -1 are sales of which no message is known.

    ``held`` counts messages that wait for a later moment, by reason.
    """

    campaign: Launched
    total: Totals
    variants: Mapping[int, Totals]
    methods: Mapping[str, Totals]
    links: tuple[LinkPart, ...]
    held: Mapping[str, int]
    delays: Delays


def report(connection: Connection, number: int) -> Report | None:
    """The report of a campaign; None for one that there is not."""
    found = results.launched(connection, Choice(), number)
    if not found:
        return None
    counted = results.campaign(connection, number)
    parts = _Parts()
    parts.take(counted)
    held = results.held(connection, number) if parts.total.open else {}
    links = tuple(
        LinkPart(key, variant, to, _link(parts, key, variant))
        for key, variant, to in results.links(connection, number)
    )
    delays = results.delays(connection, number)
    return Report(found[0], parts.total, parts.variants, parts.methods, links, held, delays)


class _Parts:
    """The same counts, added up in four ways."""

    def __init__(self) -> None:
        self.total = Totals()
        self.variants: dict[int, Totals] = {}
        self.methods: dict[str, Totals] = {}
        self.links: dict[int, Totals] = {}

    def take(self, counted: Counted) -> None:
        for variant, method, what, why, n in counted.texts:
            for part in self._of(variant, method):
                part.count(what, why, n)
        for variant, link, method, raw, human, clickers, of_link in counted.clicks:
            for part in self._of(variant, method):
                part.click(raw, human, clickers)
            self.links.setdefault(link, Totals()).click(raw, human, of_link)
        for variant, link, method, basis, currency, *sums in counted.sales:
            key, sales = SaleKey(basis, currency), Sales(*sums)
            for part in (*self._of(variant, method), self.links.setdefault(link, Totals())):
                part.sell(key, sales)

    def _of(self, variant: int, method: str) -> tuple[Totals, Totals, Totals]:
        return (
            self.total,
            self.variants.setdefault(variant, Totals()),
            self.methods.setdefault(method, Totals()),
        )


def _link(parts: _Parts, number: int, variant: int) -> Totals:
    """A link's clicks and sales, over the texts that had it."""
    texts = parts.variants.get(variant, Totals()).texts
    found = Totals(Counter({key: n for key, n in texts.items() if key[0] in _OVER}))
    found.add(parts.links.get(number, Totals()))
    return found
