"""One order earns at most one credit, for a reason that was there before the order."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.policy.attribution import (
    VERSION,
    Basis,
    Click,
    Coupon,
    Credit,
    Delivery,
    Evidence,
    Strength,
    Windows,
    attribute,
    differences,
)

ORDERED = datetime(2026, 11, 24, 12, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
VIEWS = {"deals": Windows(delivered=DAY)}


def click(
    days_before: float, key: int = 1, strength: Strength = Strength.PERSON, program: str = "deals"
) -> Click:
    """A click on message 100 + key."""
    return Click(key, 100 + key, 1, program, ORDERED - days_before * DAY, strength)


def coupon(days_before: float, valid: float | None = None, message: int | None = None) -> Coupon:
    """A code given so many days before the order, valid for so many days."""
    given_at = ORDERED - days_before * DAY
    return Coupon(
        "K7P2",
        message,
        1 if message else None,
        "deals",
        given_at,
        given_at + valid * DAY if valid else None,
    )


def delivery(days_before: float, message: int = 7) -> Delivery:
    """A text that arrived so many days before the order."""
    return Delivery(message, 1, "deals", ORDERED - days_before * DAY)


CASES: dict[str, tuple[Evidence, tuple[Basis, int | None] | None]] = {
    "nothing known": (Evidence(ORDERED), None),
    "a click": (Evidence(ORDERED, [click(1)]), (Basis.CLICK, 101)),
    "a click at the end of its window": (Evidence(ORDERED, [click(5)]), (Basis.CLICK, 101)),
    "a click too long ago": (Evidence(ORDERED, [click(5.001)]), None),
    "a click after the order": (Evidence(ORDERED, [click(-0.01)]), None),
    "the last of two": (Evidence(ORDERED, [click(1), click(2, 2)]), (Basis.CLICK, 101)),
    "the one that the order carries": (
        Evidence(ORDERED, [click(1), click(2, 2, Strength.ORDER)]),
        (Basis.CLICK, 102),
    ),
    "a click beats a coupon": (Evidence(ORDERED, [click(1)], [coupon(1)]), (Basis.CLICK, 101)),
    "a coupon outside every click": (
        Evidence(ORDERED, [click(9)], [coupon(40)]),
        (Basis.COUPON, None),
    ),
    "a campaign's coupon": (Evidence(ORDERED, [], [coupon(1, 9, 55)]), (Basis.COUPON, 55)),
    "an expired coupon": (Evidence(ORDERED, [], [coupon(10, 9)]), None),
    "a coupon given after the order": (Evidence(ORDERED, [], [coupon(-1)]), None),
    "a view counts for nothing": (Evidence(ORDERED, [], [], [delivery(0.1)]), None),
}


@pytest.mark.parametrize(("evidence", "expected"), CASES.values(), ids=CASES)
def test_the_default_rules(evidence: Evidence, expected: tuple[Basis, int | None] | None) -> None:
    """Five days after the last human click, a valid coupon, no views."""
    credit = attribute(evidence)

    assert (credit and (credit.basis, credit.message)) == expected
    assert credit is None or credit.version == VERSION


def test_views_count_where_a_program_says_so_and_last() -> None:
    """A shop may switch them on; they are a basis of their own and never beat a click."""
    seen = [delivery(0.5, 7), delivery(0.2, 8), delivery(1.5, 9)]

    credit = attribute(Evidence(ORDERED, [], [], seen), VIEWS)
    assert credit is not None
    assert (credit.basis, credit.message) == (Basis.DELIVERED, 8)
    clicked = attribute(Evidence(ORDERED, [click(4)], [], seen), VIEWS)
    assert clicked is not None
    assert clicked.basis is Basis.CLICK
    assert attribute(Evidence(ORDERED, [], [], [delivery(1.5)]), VIEWS) is None


def test_a_window_belongs_to_its_program() -> None:
    """A short window of one program does not shorten another's."""
    windows = {"coffee": Windows(click=HOUR)}
    both = [click(1, 1, program="coffee"), click(2, 2)]

    credit = attribute(Evidence(ORDERED, both), windows)

    assert credit is not None
    assert credit.message == 102


spans = st.floats(-2, 12, allow_nan=False).map(lambda d: round(d, 3))
clicks = st.builds(
    click, spans, st.integers(1, 40), st.sampled_from(Strength), st.sampled_from(["deals", "tea"])
)
coupons = st.builds(coupon, spans, st.none() | st.floats(0.5, 20), st.none() | st.integers(1, 9))
deliveries = st.builds(delivery, spans, st.integers(1, 40))
histories = st.builds(
    Evidence,
    st.just(ORDERED),
    st.lists(clicks, max_size=6, unique_by=lambda c: c.id),
    st.lists(coupons, max_size=3),
    st.lists(deliveries, max_size=4),
)


@given(histories, st.randoms(use_true_random=False))
def test_the_order_of_arrival_changes_nothing(evidence: Evidence, chance: Random) -> None:
    """Clicks and codes may become known in any order."""
    shuffled = Evidence(
        ORDERED,
        chance.sample(evidence.clicks, len(evidence.clicks)),
        chance.sample(evidence.coupons, len(evidence.coupons)),
        chance.sample(evidence.deliveries, len(evidence.deliveries)),
    )

    assert attribute(evidence, VIEWS) == attribute(shuffled, VIEWS)


@given(histories)
def test_nothing_is_earned_by_what_came_after(evidence: Evidence) -> None:
    """What happened after the order cannot have led to it."""
    credit = attribute(evidence, VIEWS)

    if credit is not None:
        assert credit.at <= ORDERED
        known = [c.at for c in evidence.clicks] + [c.given_at for c in evidence.coupons]
        assert credit.at in known + [d.at for d in evidence.deliveries]


@given(histories, clicks)
def test_a_click_after_the_order_is_as_good_as_none(evidence: Evidence, late: Click) -> None:
    """Late news of a later click does not move a credit."""
    after = Click(99, 999, 1, late.program, ORDERED + HOUR, late.strength)

    assert attribute(evidence) == attribute(
        Evidence(ORDERED, [*evidence.clicks, after], evidence.coupons, evidence.deliveries)
    )


def test_a_recomputation_shows_what_it_would_change() -> None:
    """Before history is rewritten somebody sees how."""
    one, other = attribute(CASES["a click"][0]), attribute(CASES["a campaign's coupon"][0])
    before: list[tuple[int, Credit | None]] = [(1, one), (2, None), (3, other)]
    after: list[tuple[int, Credit | None]] = [(1, one), (2, other), (3, None)]

    assert differences(before, after) == [(2, None, other), (3, other, None)]
    assert differences(before, before) == []
