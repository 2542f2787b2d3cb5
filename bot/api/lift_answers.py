"""Comparisons as they are shown."""

from __future__ import annotations

from bot.api.lift_models import ComparisonAnswer, GroupAnswer, IncrementalRevenue, LiftAnswer
from bot.api.result_answers import definitions
from bot.campaigning import LABELS
from worker.results.lift import Lift, Revenue
from worker.statistics.comparing import Comparison, Group


def lift_answer(number: int, found: Lift) -> LiftAnswer:
    """What a campaign brought."""
    limits = found.extra_interval
    holdout = (
        None if found.comparison is None else _comparison("texted", "holdout", found.comparison)
    )
    return LiftAnswer(
        campaign=number,
        definitions=definitions({"lift", "ctr"}),
        since=found.since,
        until=found.until,
        over=found.over,
        holdout=holdout,
        extra_buyers=found.extra,
        extra_low=limits.low if limits else None,
        extra_high=limits.high if limits else None,
        revenue=[_revenue(each) for each in found.revenue],
        clicking=[_comparison(LABELS[one], LABELS[other], c) for one, other, c in found.clicking],
        buying=[_comparison(LABELS[one], LABELS[other], c) for one, other, c in found.buying],
    )


def _comparison(first: str, second: str, found: Comparison) -> ComparisonAnswer:
    return ComparisonAnswer(
        first=_group(first, found.first),
        second=_group(second, found.second),
        difference=found.difference,
        low=found.interval.low,
        high=found.interval.high,
        confidence=found.confidence,
        verdict=found.verdict.value,
        sentence=found.sentence,
        needed=found.needed,
    )


def _group(name: str, group: Group) -> GroupAnswer:
    return GroupAnswer(name=name, people=group.people, events=group.events, share=group.share)


def _revenue(revenue: Revenue) -> IncrementalRevenue:
    limits = revenue.interval
    return IncrementalRevenue(
        currency=revenue.currency,
        texted_minor=revenue.texted_minor,
        holdout_minor=revenue.holdout_minor,
        extra_minor=revenue.extra_minor,
        low_minor=round(limits.low) if limits else None,
        high_minor=round(limits.high) if limits else None,
    )
