"""Which failures pause a campaign, and which are the usual noise."""

from __future__ import annotations

import pytest

from worker.errors import ErrorClass
from worker.policy.pausing import Counts, Failing, counts, failing


@pytest.mark.parametrize(
    ("recent", "expected"),
    [
        pytest.param(Counts(0, {}), None, id="nothing yet"),
        pytest.param(Counts(1000, {}), None, id="all is well"),
        pytest.param(Counts(300, {30007: 19}), None, id="filtered, too few to tell"),
        pytest.param(Counts(500, {30007: 24}), None, id="filtered, below five in a hundred"),
        pytest.param(
            Counts(400, {30007: 20}), Failing(ErrorClass.CONTENT, 30007, 20, 400), id="filtered"
        ),
        pytest.param(
            Counts(400, {21610: 21}), Failing(ErrorClass.CONSENT, 21610, 21, 400), id="unsubscribed"
        ),
        pytest.param(Counts(400, {30003: 100}), None, id="phones that are off"),
        pytest.param(
            Counts(200, {30005: 30, 21211: 25}),
            Failing(ErrorClass.HARD, 30005, 55, 200),
            id="numbers that do not exist, of two kinds",
        ),
        pytest.param(
            Counts(1, {30034: 1}), Failing(ErrorClass.CONFIG, 30034, 1, 1), id="a code that halts"
        ),
        pytest.param(Counts(100, {21612: 4}), None, id="a few that cannot be routed"),
    ],
)
def test_a_campaign_is_paused_when_one_kind_of_failure_is_frequent(
    recent: Counts, expected: Failing | None
) -> None:
    """At the very number that the table says."""
    assert failing(recent) == expected


def test_counts_are_read_from_tallies() -> None:
    """Refusals of the call and failures that were reported later, under one code."""
    found = counts(
        {
            ("accepted", ""): 90,
            ("rejected", "carrier.21610"): 3,
            ("refused", "policy.unsubscribed"): 50,
            ("delivery", "delivered"): 80,
            ("delivery", "undelivered.30007"): 4,
            ("delivery", "failed.30007"): 1,
            ("unknown", ""): 2,
        }
    )
    assert found == Counts(93, {21610: 3, 30007: 5})


def test_only_what_is_new_counts() -> None:
    """An old failure is not held against a campaign for ever."""
    before, now = Counts(100, {30007: 5}), Counts(150, {30007: 5, 30003: 1})
    assert now.since(before) == Counts(50, {30007: 0, 30003: 1})
