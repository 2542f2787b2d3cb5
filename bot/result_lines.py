"""Reports as CSV: one figure a line, with its numerator, denominator and definition beside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from bot import csv_lines
from worker.results.campaign import Report
from worker.results.overview import Overview
from worker.results.timeline import Moment
from worker.statistics.figures import DEFINITIONS, Figure
from worker.statistics.results import figures, link_figures
from worker.statistics.totals import SaleKey, Sales, Totals

HEADER: Final = (
    *("part", "key", "label", "figure", "of", "value", "numerator", "denominator", "low", "high"),
    *("unit", "definition"),
)
_MOMENT: Final = (
    *("at", "accepted", "delivered", "undelivered", "unconfirmed", "rejected", "refused"),
    *("unknown", "expired", "canceled", "optouts", "raw_clicks", "human_clicks", "clickers"),
    *("basis", "currency", "orders", "canceled_orders", "gross_minor", "net_minor"),
)
Line = tuple[Any, ...]


def campaign(report: Report, margin: float | None) -> Iterator[str]:
    """A campaign's report."""
    return csv_lines.lines(HEADER, _campaign(report, margin))


def overview(found: Overview, by: str, margin: float | None) -> Iterator[str]:
    """The overview."""
    return csv_lines.lines(HEADER, _overview(found, by, margin))


def timeline(moments: Iterable[Moment]) -> Iterator[str]:
    """A campaign over time; an hour with sales of several kinds has its other counts once."""
    return csv_lines.lines(_MOMENT, (line for moment in moments for line in _moment(moment)))


def _campaign(report: Report, margin: float | None) -> Iterator[Line]:
    name = report.campaign.name
    yield from _part("campaign", report.campaign.id, name, report.total, margin)
    for why, n in sorted(report.held.items()):
        yield _count(("campaign", report.campaign.id, name), "held", why, n)
    for number, totals in sorted(report.variants.items()):
        yield from _part("variant", number if number >= 0 else "", name, totals, margin)
    for method, totals in sorted(report.methods.items()):
        yield from _part("method", method, name, totals, margin)
    for link in report.links:
        where = ("link", link.number, link.destination)
        yield from _clicks(where, link.totals)
        yield from (_figure(where, each) for each in link_figures(link.totals))
    for quartile, seconds in zip(
        ("25%", "50%", "75%"), report.delays.quartiles or (), strict=False
    ):
        found = Figure("time_to_click", seconds, seconds, None, None, quartile)
        yield _figure(("campaign", report.campaign.id, name), found)


def _overview(found: Overview, by: str, margin: float | None) -> Iterator[Line]:
    yield from _part("total", "", "", found.total, margin)
    for line in found.lines:
        yield from _part(by, line.key, line.label, line.totals, margin)


def _part(
    part: str, key: object, label: str, totals: Totals, margin: float | None
) -> Iterator[Line]:
    where = (part, key, label)
    for name, of, n in _counts(totals):
        yield _count(where, name, of, n)
    yield from _clicks(where, totals)
    for each in figures(totals, margin):
        yield _figure(where, each)


def _counts(totals: Totals) -> Iterator[tuple[str, str, int]]:
    yield "planned", "", totals.state("plan")
    yield "open", "", totals.open
    for state in ("holdout", "refused", "expired", "canceled", "rejected", "unknown"):
        for why, n in totals.reasons(state).items():
            yield state, why, n
    yield "delivered", "", totals.delivered
    for code, n in totals.undelivered.items():
        yield "undelivered", code, n
    yield "unconfirmed", "", totals.unconfirmed
    yield "sms_segments", "", totals.state("segments")
    yield "optouts", "", totals.optouts
    for key, sales in sorted(totals.sales.items()):
        yield "orders", f"{key.basis}.{key.currency}", sales.orders
        yield "canceled_orders", f"{key.basis}.{key.currency}", sales.canceled


def _clicks(where: Line, totals: Totals) -> Iterator[Line]:
    yield _count(where, "raw_clicks", "", totals.raw_clicks)
    yield _count(where, "human_clicks", "", totals.human_clicks)
    yield _count(where, "clickers", "", totals.clickers)


def _count(where: Line, name: str, of: str, n: int) -> Line:
    return (*where, name, of, n, n, None, None, None, "count", None)


def _figure(where: Line, figure: Figure) -> Line:
    meaning, limits = DEFINITIONS[figure.key], figure.interval
    return (
        *where,
        figure.key,
        figure.of,
        figure.value,
        figure.numerator,
        figure.denominator,
        limits.low if limits else None,
        limits.high if limits else None,
        meaning.unit,
        meaning.definition,
    )


def _moment(moment: Moment) -> Iterator[Line]:
    totals = moment.totals
    states = (totals.state(each) for each in ("rejected", "refused", "unknown", "expired"))
    counts: Line = (
        *(totals.accepted, totals.delivered, sum(totals.undelivered.values())),
        *(totals.unconfirmed, *states, totals.state("canceled"), totals.optouts),
        *(totals.raw_clicks, totals.human_clicks, totals.clickers),
    )
    nothing: list[tuple[SaleKey | None, Sales | None]] = [(None, None)]
    for key, sales in sorted(totals.sales.items()) or nothing:
        basis, currency = key or (None, None)
        sums = (
            (sales.orders, sales.canceled, sales.gross_minor, sales.net_minor)
            if sales
            else (None,) * 4
        )
        yield (moment.at.isoformat(), *counts, basis, currency, *sums)
        counts = (None,) * len(counts)
