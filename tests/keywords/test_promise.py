"""Two limits on a program, what it promised and what the person wished: the stricter one holds."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.promise import stricter
from keywords.signals import Frequency, Period

DAYS = {Period.DAY: 1, Period.WEEK: 7, Period.MONTH: 28}
FREQUENCIES = st.builds(Frequency, st.integers(1, 100), st.sampled_from(Period))


def every(count: int, period: Period) -> Frequency:
    """A frequency, for tables."""
    return Frequency(count, period)


@pytest.mark.parametrize(
    ("promised", "wished", "expected"),
    [
        pytest.param(None, None, None, id="no limit at all"),
        pytest.param(every(4, Period.MONTH), None, every(4, Period.MONTH), id="promise alone"),
        pytest.param(None, every(1, Period.WEEK), every(1, Period.WEEK), id="wish alone"),
        pytest.param(
            every(4, Period.MONTH), every(1, Period.WEEK), every(1, Period.WEEK), id="4/m, weekly"
        ),
        pytest.param(
            every(4, Period.MONTH), every(1, Period.MONTH), every(1, Period.MONTH), id="4/m, 1/m"
        ),
        pytest.param(
            every(1, Period.DAY), every(2, Period.WEEK), every(2, Period.WEEK), id="daily, 2/w"
        ),
        pytest.param(
            every(1, Period.WEEK), every(1, Period.DAY), every(1, Period.WEEK), id="weekly, daily"
        ),
        pytest.param(
            every(1, Period.DAY), every(7, Period.WEEK), every(7, Period.WEEK), id="equal: wish"
        ),
    ],
)
def test_the_stricter_limit_holds(
    promised: Frequency | None, wished: Frequency | None, expected: Frequency | None
) -> None:
    """A wish for more texts does not loosen the promise; a wish for fewer is kept."""
    assert stricter(promised, wished) == expected


@given(FREQUENCIES, FREQUENCIES)
def test_the_result_is_one_of_the_two_and_never_the_looser(a: Frequency, b: Frequency) -> None:
    """Counted over the same 28 days, the result allows no more than either."""
    result = stricter(a, b)

    assert result in (a, b)
    assert result is not None
    allowed = {f: f.count * 28 // DAYS[f.period] for f in (a, b, result)}
    assert allowed[result] == min(allowed[a], allowed[b])
