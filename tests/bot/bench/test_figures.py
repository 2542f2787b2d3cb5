"""The bench's arithmetic, and how its goals are judged."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bench import report
from bot.bench.figures import Figures, figures, medians, percentile
from bot.bench.load import Volley
from bot.bench.measure import Kept, Plan, Result
from bot.bench.texts import Kind

FLOOR = Figures(per_second=1000, p50=1, p99=2, stop_p99=2)


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([3.0], 0.99, 3.0),
        ([1.0, 2.0, 3.0, 4.0], 0.5, 2.0),
        ([4.0, 1.0, 3.0, 2.0], 0.75, 3.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
    ],
    ids=["one", "middle", "unsorted", "hundred", "largest"],
)
def test_a_percentile_is_the_nearest_rank(
    values: list[float], share: float, expected: float
) -> None:
    """The smallest value that the share of all values do not exceed."""
    assert percentile(values, share) == expected


def test_a_percentile_of_nothing_is_no_number() -> None:
    """A round without a STOP has no latency of STOP, and does not pretend to 0 ms."""
    assert math.isnan(percentile([], 0.99))


@given(
    st.lists(st.floats(allow_nan=False), min_size=1),
    st.floats(min_value=0, max_value=1, exclude_min=True),
)
def test_the_share_of_values_up_to_a_percentile_is_large_enough_and_no_larger_than_needed(
    values: list[float], share: float
) -> None:
    """The definition, for any values."""
    found = percentile(values, share)

    assert found in values
    assert sum(v <= found for v in values) >= share * len(values)
    assert sum(v < found for v in values) < share * len(values)


def test_a_volley_becomes_rates_milliseconds_and_microseconds_a_request() -> None:
    """Four texts in two seconds at 1 ms, one of them a STOP at 5 ms, for 8 ms of CPU."""
    latencies = {Kind.JOIN: [0.001, 0.001], Kind.YES: [0.001], Kind.CHAT: [], Kind.STOP: [0.005]}
    volley = Volley(elapsed=2.0, latencies={str(k): v for k, v in latencies.items()})

    assert figures(volley, 0.008, None) == Figures(2.0, 1.0, 5.0, 5.0, 2000.0, None)


def test_medians_are_taken_figure_by_figure_and_unknown_cpu_stays_unknown() -> None:
    """One disturbed round does not move the result."""
    rounds = [
        replace(FLOOR, per_second=rate, p99=p99) for rate, p99 in [(9, 1), (100, 80), (11, 2)]
    ]

    assert medians(rounds) == replace(FLOOR, per_second=11, p99=2)


def result(service: float, orm: float, stop_p99: float, kept: Kept) -> Result:
    """A run with these requests per second beside a floor of 1000."""
    by_contestant = {
        "constant": FLOOR,
        "signed": FLOOR,
        "service": replace(FLOOR, per_second=service, stop_p99=stop_p99),
        "orm": replace(FLOOR, per_second=orm),
    }
    return Result(Plan(1, 32, 10, 1), by_contestant, {1: FLOOR}, {"service": kept})


@pytest.mark.parametrize(
    ("service", "orm", "stop_p99", "met"),
    [
        (400, 60, 99, [True, True, True]),
        (399, 66, 99, [False, True, True]),
        (400, 67, 99, [True, False, True]),
        (400, 60, 100, [True, True, False]),
    ],
    ids=["all met", "floor missed", "orm missed", "stop too slow"],
)
def test_the_goals_are_those_of_the_issue(
    service: float, orm: float, stop_p99: float, met: list[bool]
) -> None:
    """At least 0.40 of the signature check, 6 times the ORM handler, a STOP below 100 ms."""
    came_to = result(service, orm, stop_p99, Kept(5, 5, 5, 0))

    assert [goal.met for goal in report.goals(came_to)] == met
    assert report.as_text(came_to).count("MISSED") == met.count(False)
    assert [goal["met"] for goal in json.loads(report.as_json(came_to))["goals"]] == met


@pytest.mark.parametrize(
    ("kept", "complete"),
    [
        (Kept(5, 5, 5, 0), True),
        (Kept(5, 4, 4, 0), False),
        (Kept(5, 6, 5, 0), False),
        (Kept(5, 5, 5, 1), False),
    ],
    ids=["all", "lost", "doubled", "answered twice"],
)
def test_only_each_text_exactly_once_is_complete(kept: Kept, complete: bool) -> None:
    """A lost text, a doubled one and a second reply are all named in the report."""
    text = report.as_text(result(500, 50, 10, kept))

    assert kept.complete is complete
    assert ("exactly once" in text) is complete
