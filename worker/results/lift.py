"""What a campaign brought that would not have come anyway, and which of its texts did better."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage import lift as rows
from storage.database import Connection
from worker.results.campaign import Report, report
from worker.statistics.comparing import Comparison, Group, compare, each_pair
from worker.statistics.intervals import Interval
from worker.statistics.totals import Totals

_NOW = "SELECT assent_now()"


@dataclass(frozen=True, slots=True)
class Revenue:
    """Money of one currency: of both groups, and what is estimated to be the campaign's own.

    ``extra_minor`` is the number of incremental buyers times what a buyer of the texted spent,
    and so are the ends of its interval.
    """

    currency: str
    texted_minor: int
    holdout_minor: int
    extra_minor: int | None
    interval: Interval | None


@dataclass(frozen=True, slots=True)
class Lift:
    """Texted people against the holdout; ``comparison`` is None for a campaign without one.

    ``extra`` is how many buyers the campaign brought, with its interval. ``over`` says that the
    window has ended.
    """

    since: datetime
    until: datetime
    over: bool
    comparison: Comparison | None
    extra: float | None
    extra_interval: Interval | None
    revenue: Sequence[Revenue]
    clicking: Sequence[tuple[int, int, Comparison]]
    buying: Sequence[tuple[int, int, Comparison]]


def lift(connection: Connection, number: int, days: int) -> Lift | None:
    """Compare the groups of a campaign by what they bought within ``days`` after it began.

    None for a campaign that there is not.
    """
    found = report(connection, number)
    if found is None:
        return None
    ((now,),) = connection.execute(_NOW).fetchall()
    since = found.campaign.starts_at or found.campaign.launched_at or now
    until = since + timedelta(days=days)
    bought = rows.buyers(connection, number, since, until)
    money = rows.money(connection, number, since, until)
    texted, held_out = _groups(found.total, bought)
    comparison = compare(texted, held_out) if held_out.people else None
    extra = interval = None
    if comparison is not None and comparison.difference is not None:
        extra = comparison.difference * texted.people
        interval = comparison.interval.times(texted.people)
    return Lift(
        since,
        until,
        now >= until,
        comparison,
        extra,
        interval,
        _revenue(money, texted, extra, interval),
        _pairs({key: _clickers(part) for key, part in found.variants.items() if key >= 0}),
        _pairs(_buyers(found, bought)),
    )


def _groups(total: Totals, bought: Sequence[rows.Buyers]) -> tuple[Group, Group]:
    """Everybody who was planned to be texted, and everybody who was held out."""
    holdout = total.state("holdout")
    planned = total.state("plan") - holdout
    return (
        Group(planned, sum(b.people for b in bought if not b.holdout)),
        Group(holdout, sum(b.people for b in bought if b.holdout)),
    )


def _buyers(found: Report, bought: Sequence[rows.Buyers]) -> dict[int, Group]:
    people = {b.variant: b.people for b in bought if not b.holdout}
    return {
        key: Group(part.state("plan") - part.state("holdout"), people.get(key, 0))
        for key, part in found.variants.items()
        if key >= 0
    }


def _clickers(part: Totals) -> Group:
    """Who clicked of those whom the text has reached; a text may be reported late, or never."""
    return Group(max(part.delivered, part.clickers), part.clickers)


def _pairs(groups: Mapping[int, Group]) -> list[tuple[int, int, Comparison]]:
    named = {str(key): groups[key] for key in sorted(groups)}
    return [(int(later), int(earlier), c) for later, earlier, c in each_pair(named)]


def _revenue(
    money: Sequence[rows.Money], texted: Group, extra: float | None, interval: Interval | None
) -> list[Revenue]:
    found = []
    for currency in sorted({each.currency for each in money}):
        of = {each.holdout: each.net_minor for each in money if each.currency == currency}
        each_buyer = of.get(False, 0) / texted.events if texted.events else 0.0
        found.append(
            Revenue(
                currency,
                of.get(False, 0),
                of.get(True, 0),
                None if extra is None else round(extra * each_buyer),
                None if interval is None else interval.times(each_buyer),
            )
        )
    return found
