"""The wait before another attempt."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from worker.policy.backoff import LONGEST, SHORTEST, wait

AGES = st.timedeltas(timedelta(0), timedelta(days=3))


@given(AGES, st.floats(0, 1))
def test_the_wait_is_bounded_whatever_the_age(age: timedelta, chance: float) -> None:
    """Never at once, never for ever; a quarter more or less by chance."""
    assert SHORTEST * 0.75 <= wait(age, chance) <= LONGEST * 1.25


@given(AGES, AGES, st.floats(0, 1))
def test_an_older_text_waits_at_least_as_long(one: timedelta, two: timedelta, by: float) -> None:
    """The pauses grow with the time a text has waited."""
    assert wait(min(one, two), by) <= wait(max(one, two), by)


def test_texts_refused_together_do_not_come_back_together() -> None:
    """Chance spreads them over half of the usual wait."""
    minute = timedelta(minutes=1)
    assert wait(minute, 1) - wait(minute, 0) == timedelta(seconds=15)
