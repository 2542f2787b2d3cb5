"""Breakers open when nearly nobody answers YES, and try again by themselves."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.policy.form_breakers import Answers, Breaker, judge
from worker.policy.form_limits import Scope

NOW = datetime(2026, 11, 25, 10, tzinfo=UTC)
HOUR = timedelta(hours=1)
OPEN = Breaker(since=NOW, until=NOW, trips=1, probes=2)


@pytest.mark.parametrize(
    ("scope", "asked", "confirmed", "opens"),
    [
        (Scope.PREFIX, 5, 0, False),
        (Scope.PREFIX, 6, 0, True),
        (Scope.PREFIX, 6, 1, False),
        (Scope.PREFIX, 20, 1, True),
        (Scope.COUNTRY, 299, 0, False),
        (Scope.COUNTRY, 300, 29, True),
        (Scope.COUNTRY, 300, 30, False),
        (Scope.GLOBAL, 399, 0, False),
        (Scope.GLOBAL, 400, 39, True),
    ],
)
def test_a_breaker_opens_on_few_yes_among_many(
    scope: Scope, asked: int, confirmed: int, opens: bool
) -> None:
    """A handful of silent people proves nothing; a tenth of YES is enough."""
    found = judge(scope, None, Answers(asked, confirmed), NOW)

    assert (found is not None) is opens
    if found is not None:
        assert found == Breaker(since=NOW + HOUR, until=NOW + HOUR, trips=1, probes=2)


def test_nothing_changes_while_it_is_open() -> None:
    """What is answered meanwhile was asked before."""
    waiting = Breaker(since=NOW + HOUR, until=NOW + HOUR, trips=1, probes=2)

    assert judge(Scope.PREFIX, waiting, Answers(0, 0), NOW) == waiting


@pytest.mark.parametrize(
    ("probes", "found", "expected"),
    [
        pytest.param(2, Answers(0, 0), OPEN, id="nobody came yet"),
        pytest.param(0, Answers(1, 0, 1), Breaker(NOW, NOW, 1, 0), id="some may still answer"),
        pytest.param(0, Answers(1, 1, 1), Breaker(NOW), id="one YES closes it"),
        pytest.param(
            0, Answers(5, 0), Breaker(NOW + 2 * HOUR, NOW + 2 * HOUR, 2, 2), id="twice as long"
        ),
        pytest.param(
            0, Answers(0, 0), Breaker(NOW + 2 * HOUR, NOW + 2 * HOUR, 2, 2), id="nothing was asked"
        ),
    ],
)
def test_the_answers_of_a_few_decide(probes: int, found: Answers, expected: Breaker) -> None:
    """After a while some may pass, and their YES or silence closes or opens it again."""
    before = Breaker(since=NOW, until=NOW, trips=1, probes=probes)

    assert judge(Scope.PREFIX, before, found, NOW) == expected


@given(st.integers(0, 1_000))
def test_it_is_never_open_for_more_than_a_day(trips: int) -> None:
    """However often it opened, somebody may try tomorrow."""
    before = Breaker(since=NOW, until=NOW, trips=trips, probes=0)

    found = judge(Scope.GLOBAL, before, Answers(5, 0), NOW)

    assert found is not None
    assert found.until is not None
    assert found.until - NOW <= timedelta(days=1)
