"""Intervals are those of the papers, and never promise more than there is."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.statistics.intervals import Interval, difference, needed, share

WHOLES = st.integers(1, 10**7)


# Newcombe 1998 (Statistics in Medicine 17, 857-872), table I, method 3.
@pytest.mark.parametrize(
    ("part", "whole", "low", "high"),
    [
        pytest.param(81, 263, 0.2553, 0.3662, id="81 of 263"),
        pytest.param(15, 148, 0.0624, 0.1605, id="15 of 148"),
        pytest.param(0, 20, 0.0000, 0.1611, id="nobody of 20"),
        pytest.param(1, 29, 0.0061, 0.1718, id="1 of 29"),
    ],
)
def test_wilson_is_as_published(part: int, whole: int, low: float, high: float) -> None:
    """The published examples, to four places."""
    found = share(part, whole)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


# Newcombe 1998 (17, 873-890), table II, method 10.
@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        pytest.param((56, 70), (48, 80), 0.0524, 0.3339, id="56/70 - 48/80"),
        pytest.param((9, 10), (3, 10), 0.1705, 0.8090, id="9/10 - 3/10"),
        pytest.param((10, 10), (0, 10), 0.6075, 1.0000, id="10/10 - 0/10"),
        pytest.param((5, 56), (0, 29), -0.0381, 0.1926, id="5/56 - 0/29"),
        pytest.param((0, 10), (0, 20), -0.1611, 0.2775, id="0/10 - 0/20"),
    ],
)
def test_newcombe_is_as_published(
    first: tuple[int, int], second: tuple[int, int], low: float, high: float
) -> None:
    """The published examples, to four places."""
    found = difference(*first, *second)

    assert (round(found.low, 4), round(found.high, 4)) == (low, high)


@given(WHOLES, st.data())
def test_a_share_lies_in_its_interval(whole: int, data: st.DataObject) -> None:
    """Within 0 and 1, mirrored for those who did not, and shorter for the tenfold list."""
    part = data.draw(st.integers(0, whole))
    found, others = share(part, whole), share(whole - part, whole)

    assert 0 <= found.low <= part / whole <= found.high <= 1
    assert abs(found.low - (1 - others.high)) < 1e-9
    wider, narrower = found.high - found.low, share(part * 10, whole * 10)
    assert narrower.high - narrower.low < wider


@given(WHOLES, WHOLES, st.data())
def test_a_difference_lies_in_its_interval(one: int, other: int, data: st.DataObject) -> None:
    """And the other way round it is the same with the other sign."""
    first, second = data.draw(st.integers(0, one)), data.draw(st.integers(0, other))
    found = difference(first, one, second, other)
    turned = difference(second, other, first, one)

    assert -1 <= found.low <= first / one - second / other <= found.high <= 1
    assert abs(found.low + turned.high) < 1e-9


@given(st.integers(0, 50), st.integers(0, 50))
def test_equal_shares_are_never_told_apart(people: int, part: int) -> None:
    """Whatever the size of the groups."""
    part = min(part, people)

    assert 0.0 in difference(part, people, part, people)


def test_nobody_says_nothing() -> None:
    """A share of nobody may be anything; a difference to nobody too."""
    assert share(0, 0) == Interval(0.0, 1.0)
    assert 0.0 in difference(5, 10, 0, 0)
    with pytest.raises(ValueError, match="from 0 to the whole"):
        share(2, 1)


@pytest.mark.parametrize("true", [0.0, 0.01, 0.05, 0.3])
def test_small_lists_are_covered(true: float) -> None:
    """Of differences between two groups of 40 alike, about 95 of 100 intervals hold the zero."""
    chance = random.Random(7)
    held = 0
    for _ in range(1_000):
        first, second = (sum(chance.random() < true for _ in range(40)) for _ in range(2))
        held += 0.0 in difference(first, 40, second, 40)

    assert held >= 930


def test_how_many_people_it_takes() -> None:
    """5 % against 4 % takes thousands; alike shares are never told apart."""
    assert 6_600 < needed(0.05, 0.04) < 6_900
    assert needed(0.5, 0.1) < 25
    assert needed(0.04, 0.04) == 0
