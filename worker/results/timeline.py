"""A campaign over time, by hour or by day (UTC).

Texts stand at the hour in which they were handed over, clicks and orders at their own; a text and
the click that it led to may stand hours apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage import results
from storage.database import Connection
from worker.statistics.totals import SaleKey, Sales, Totals


@dataclass(frozen=True, slots=True)
class Moment:
    """What happened in one hour or day. ``totals.texts`` has the reports without their codes."""

    at: datetime
    totals: Totals


def timeline(connection: Connection, number: int, by: str = "hour") -> list[Moment]:
    """A campaign's hours or days in which something happened, in their order."""
    rows = results.hours(connection, number, by)
    found: dict[datetime, Totals] = {}
    for at, what, n in rows.texts:
        state, _, word = what.partition(".")
        found.setdefault(at, Totals()).count(state, word, n)
    for at, *hits in rows.clicks:
        found.setdefault(at, Totals()).click(*hits)
    for at, basis, currency, *sums in rows.sales:
        found.setdefault(at, Totals()).sell(SaleKey(basis, currency), Sales(*sums))
    return [Moment(at, found[at]) for at in sorted(found)]
