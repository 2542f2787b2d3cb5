"""All campaigns at once: each by itself, or together by program, segment or way of joining."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from storage import results
from storage.database import Connection
from storage.results import Choice, Counted, Launched
from worker.statistics.totals import SaleKey, Sales, Totals, counted, summed


class By(StrEnum):
    """What campaigns are put together by."""

    CAMPAIGN = "campaign"
    PROGRAM = "program"
    SEGMENT = "segment"
    METHOD = "method"


@dataclass(frozen=True, slots=True)
class Line:
    """A part of the overview. ``key`` is None for campaigns without a saved segment.

    ``campaign`` is there where the part is one campaign.
    """

    key: str | None
    label: str
    totals: Totals
    campaign: Launched | None = None


@dataclass(frozen=True, slots=True)
class Overview:
    """The parts, newest campaigns or largest parts first, and all of them together."""

    lines: Sequence[Line]
    total: Totals


def overview(connection: Connection, choice: Choice, by: By = By.CAMPAIGN) -> Overview:
    """What came of the campaigns of a choice."""
    campaigns = results.launched(connection, choice)
    ids = [campaign.id for campaign in campaigns]
    if by is By.METHOD:
        parts = _totals(results.over_all(connection, ids, "method"))
        return _sorted([Line(key, key, totals) for key, totals in parts.items()])
    parts = _totals(results.over_all(connection, ids))
    lines = [_line(c, parts.get(c.id, Totals())) for c in campaigns]
    if by is By.CAMPAIGN:
        return Overview(lines, summed(line.totals for line in lines))
    if by is By.SEGMENT:
        return _sorted(_together(lines, _segment))
    beside = _beside(results.beside(connection, choice))
    return _sorted(_together([*lines, *beside], _program))


def _line(campaign: Launched, totals: Totals) -> Line:
    return Line(str(campaign.id), campaign.name, totals, campaign)


def _program(line: Line) -> tuple[str | None, str]:
    name = line.campaign.program if line.campaign is not None else line.label
    return name, name


def _segment(line: Line) -> tuple[str | None, str]:
    assert line.campaign is not None
    number = line.campaign.segment
    return (None, "") if number is None else (str(number), line.campaign.segment_name or "")


def _together(lines: Sequence[Line], key: Any) -> list[Line]:
    found: dict[tuple[str | None, str], Totals] = {}
    for line in lines:
        found.setdefault(key(line), Totals()).add(line.totals)
    return [Line(number, label, totals) for (number, label), totals in found.items()]


def _sorted(lines: Sequence[Line]) -> Overview:
    largest = sorted(lines, key=lambda line: (-line.totals.accepted, line.label))
    return Overview(largest, summed(line.totals for line in lines))


def _totals(of: Counted) -> Mapping[Any, Totals]:
    found = counted(of.texts)
    for key, *hits in of.clicks:
        found[key].click(*hits)
    for key, basis, currency, *sums in of.sales:
        found[key].sell(SaleKey(basis, currency), Sales(*sums))
    return found


def _beside(rows: results.Rows) -> list[Line]:
    """What programs sold without a campaign, as lines of their own."""
    lines = []
    for program, basis, currency, *sums in rows:
        totals = Totals()
        totals.sell(SaleKey(basis, currency), Sales(*sums))
        lines.append(Line(program, program, totals))
    return lines
