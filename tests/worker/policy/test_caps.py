"""Rolling limits: never more than allowed in any stretch, and no longer held than needed."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.signals import Frequency, Period
from tests.worker.policy.cases import NOON, sent
from worker.policy.caps import Limit, Sent, ShopLimits, of_frequency, of_law, of_shop, reached
from worker.policy.hours import DailyCap
from worker.policy.reasons import Reason

HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
THREE_A_DAY = Limit(Reason.CAP_LAW, "cap.FL", 3, DAY)


@pytest.mark.parametrize(
    ("ago", "free_in"),
    [
        pytest.param([], None, id="none yet"),
        pytest.param([HOUR, 2 * HOUR], None, id="two"),
        pytest.param([HOUR, 2 * HOUR, 3 * HOUR], 21 * HOUR, id="three"),
        pytest.param([HOUR, 2 * HOUR, DAY], None, id="the third is just out"),
        pytest.param([HOUR, 2 * HOUR, DAY - timedelta(seconds=1)], timedelta(seconds=1), id="in"),
        pytest.param([HOUR, 2 * HOUR, 3 * HOUR, 4 * HOUR], 21 * HOUR, id="too many already"),
        pytest.param([3 * HOUR, HOUR, 2 * HOUR], 21 * HOUR, id="in any order"),
        pytest.param([-HOUR, HOUR, 2 * HOUR], 22 * HOUR, id="one from a clock that was set back"),
    ],
)
def test_three_in_a_day(ago: list[timedelta], free_in: timedelta | None) -> None:
    """A text leaves the stretch exactly 24 hours after it was sent."""
    found = reached([THREE_A_DAY], sent(*ago), NOON)
    assert (found.free_at if found else None) == (NOON + free_in if free_in else None)


def test_only_texts_of_the_subject_count_where_the_law_says_so() -> None:
    """Florida counts the same subject, Oregon everything."""
    others = sent(HOUR, 2 * HOUR, 3 * HOUR, subject="shoes")
    florida = of_law([("FL", DailyCap(3, 24, same_subject=True))], "hats")
    oregon = of_law([("OR", DailyCap(3, 24, same_subject=False))], "hats")
    assert reached(florida, others, NOON) is None
    found = reached(oregon, others, NOON)
    assert found is not None
    assert (found.limit.rule, found.counted) == ("cap.OR", 3)
    unknown = sent(HOUR, 2 * HOUR, 3 * HOUR, subject=None)
    cap = of_law([("FL", DailyCap(3, 24, same_subject=True))], "hats")
    assert reached(cap, unknown, NOON) is not None


def test_law_and_shop_count_marketing() -> None:
    """News of an order use up nobody's limit of adverts, but do count for their own promise."""
    news = sent(HOUR, marketing=False)
    assert reached(of_shop(ShopLimits(spacing=DAY), "deals"), news, NOON) is None
    promised = of_frequency("deals", Frequency(1, Period.DAY), None)
    assert reached(promised, news, NOON) is not None


def test_a_program_counts_its_own_texts() -> None:
    """A weekly programme is not held up by a daily one."""
    other = sent(HOUR, program="coffee")
    weekly = Frequency(1, Period.WEEK)
    limits = [*of_frequency("deals", weekly, weekly), *of_shop(ShopLimits((), (weekly,)), "deals")]
    assert reached(limits, other, NOON) is None
    found = reached(of_shop(ShopLimits((weekly,)), "deals"), other, NOON)
    assert found is not None
    assert found.limit.reason is Reason.CAP_PERSON


@pytest.mark.parametrize(
    ("promised", "wished", "reason"),
    [
        pytest.param((4, "month"), (1, "week"), Reason.CAP_WISH, id="the wish is reached"),
        pytest.param((1, "week"), (4, "month"), Reason.CAP_PROMISE, id="the promise is reached"),
        pytest.param((1, "day"), (7, "week"), Reason.CAP_PROMISE, id="not seven on one day"),
        pytest.param((1, "week"), (9, "day"), Reason.CAP_PROMISE, id="nobody can ask for more"),
        pytest.param(None, (1, "day"), Reason.CAP_WISH, id="wish alone"),
        pytest.param((1, "day"), None, Reason.CAP_PROMISE, id="promise alone"),
        pytest.param(None, None, None, id="neither"),
    ],
)
def test_promise_and_wish_are_both_kept(
    promised: tuple[int, str] | None, wished: tuple[int, str] | None, reason: Reason | None
) -> None:
    """After one text an hour ago: whichever limit is reached holds the next."""
    limits = of_frequency("deals", _frequency(promised), _frequency(wished))
    found = reached(limits, sent(HOUR), NOON)
    assert (found.limit.reason if found else None) is reason


def _frequency(said: tuple[int, str] | None) -> Frequency | None:
    return Frequency(said[0], Period(said[1])) if said else None


def test_a_limit_of_none_is_never_free() -> None:
    """It refuses; waiting would not help."""
    found = reached([Limit(Reason.CAP_WISH, "frequency.wish", 0, DAY)], (), NOON)
    assert found is not None
    assert found.free_at is None


def test_the_longest_wait_is_answered() -> None:
    """At that moment all limits allow a text."""
    limits = [Limit(Reason.CAP_SPACING, "s", 1, HOUR), Limit(Reason.CAP_PROMISE, "p", 1, WEEK)]
    found = reached(limits, sent(HOUR / 2), NOON)
    assert found is not None
    assert found.limit.rule == "p"
    assert reached(limits, sent(HOUR / 2), found.free_at or NOON) is None


PER = st.sampled_from([HOUR, 5 * HOUR, DAY, WEEK, 28 * DAY])
LIMITS = st.lists(
    st.builds(
        Limit,
        st.just(Reason.CAP_LAW),
        st.just("rule"),
        st.integers(1, 4),
        PER,
        st.sampled_from([None, "deals", "coffee"]),
        st.sampled_from([None, "hats"]),
        st.booleans(),
    ),
    min_size=1,
    max_size=4,
)
ATTEMPTS = st.lists(
    st.tuples(
        st.timedeltas(timedelta(0), 3 * DAY),
        st.sampled_from(["deals", "coffee"]),
        st.sampled_from(["hats", "shoes"]),
        st.booleans(),
        st.booleans(),
    ),
    max_size=40,
)


@given(LIMITS, ATTEMPTS)
def test_no_stretch_ever_holds_more_than_its_limit(
    limits: list[Limit], attempts: list[tuple[timedelta, str, str, bool, bool]]
) -> None:
    """Whatever is tried and whenever; now and then a program waits until it is free instead."""
    now = NOON
    history: list[Sent] = []
    for pause, program, subject, marketing, waits in attempts:
        now += pause
        text = Sent(now, program, subject, marketing)
        binding = [limit for limit in limits if limit.counts(text)]
        found = reached(binding, history, now)
        if found is not None and waits:
            assert found.free_at is not None
            before = found.free_at - timedelta(microseconds=1)
            assert reached(binding, history, before) is not None
            now = found.free_at
            found = reached(binding, history, now)
            text = Sent(now, program, subject, marketing)
            assert found is None
        if found is None:
            history.append(text)
    for limit in limits:
        assert _most(limit, [text.at for text in history if limit.counts(text)]) <= limit.count


def _most(limit: Limit, times: list[datetime]) -> int:
    """The largest number of texts in any stretch, which begins with one of them."""
    return max((sum(start <= at < start + limit.per for at in times) for start in times), default=0)
