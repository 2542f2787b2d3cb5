"""The figures of a campaign, or of any part of one, from what was counted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from worker.policy.prices import CURRENCY
from worker.statistics.figures import Figure, amount, rate
from worker.statistics.totals import SaleKey, Sales, Totals, classes

_CLICK: Final = "click"
# Micros of a US dollar in one cent.
_MICROS_A_CENT: Final = 10_000


def figures(totals: Totals, margin: float | None = None) -> list[Figure]:
    """Every figure that these counts have.

    ``margin`` is the share of revenue that is left before marketing, 0 to 1; without it there is
    no ROI, because revenue alone is not what a shop earns.
    """
    return [*_reaching(totals), *_clicking(totals), *_leaving(totals), *_selling(totals, margin)]


def link_figures(totals: Totals) -> list[Figure]:
    """The figures of one link, over the texts of its variant. A text's cost is not a link's."""
    return [*_clicking(totals), *_selling(totals, None)]


def _reaching(totals: Totals) -> Iterator[Figure]:
    accepted, delivered = totals.accepted, totals.delivered
    failed = totals.undelivered
    yield amount("sent", accepted)
    yield rate("delivery_rate", delivered, delivered + sum(failed.values()))
    yield rate("unconfirmed_rate", totals.unconfirmed, accepted)
    for kind, n in classes(failed).items():
        yield rate("failed_rate", n, accepted, kind)
    if totals.read:
        yield rate("open_rate", totals.read, delivered)
    yield amount("cost", totals.cost)


def _clicking(totals: Totals) -> Iterator[Figure]:
    yield rate("ctr", totals.clickers, totals.delivered)
    yield rate("cvr", totals.orders(_CLICK), totals.clickers)
    yield rate("order_rate", totals.orders(_CLICK), totals.delivered)


def _leaving(totals: Totals) -> Iterator[Figure]:
    yield rate("optout_rate", totals.optouts, totals.delivered)
    yield rate("optouts_per_thousand", totals.optouts, totals.delivered)


def _selling(totals: Totals, margin: float | None) -> Iterator[Figure]:
    for key, sales in sorted(totals.sales.items()):
        yield from _of_basis(totals, key, sales, margin)


def _of_basis(totals: Totals, key: SaleKey, sales: Sales, margin: float | None) -> Iterator[Figure]:
    of = f"{key.basis}.{key.currency}"
    net = sales.net_minor
    yield amount("revenue", net, of)
    yield rate("revenue_per_delivered", net, totals.delivered, of)
    yield rate("revenue_per_sent", net, totals.accepted, of)
    if key.currency == CURRENCY and totals.cost:
        earned = net * _MICROS_A_CENT
        yield rate("roas", earned, totals.cost, of)
        if margin is not None:
            yield rate("roi", round(earned * margin) - totals.cost, totals.cost, of)
