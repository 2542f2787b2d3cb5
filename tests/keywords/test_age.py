"""Is somebody old enough: the full date, the day it counts from, and what is kept of it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.age import OLDEST, BirthError, InvalidBirth, gate, old_enough, passed, read_birth

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("month", "day", "year", "birth"),
    [
        ("2", "29", "2004", date(2004, 2, 29)),
        ("02", "09", "1999", date(1999, 2, 9)),
        (" 11 ", "23", "2026", date(2026, 11, 23)),
        ("1", "1", "1906", date(1906, 1, 1)),
    ],
)
def test_a_full_date_is_read(month: str, day: str, year: str, birth: date) -> None:
    """Zeros and spaces do not matter."""
    assert read_birth(month, day, year, NOON) == birth


@pytest.mark.parametrize(
    ("month", "day", "year", "code"),
    [
        ("", "1", "2000", BirthError.INCOMPLETE),
        ("1", " ", "2000", BirthError.INCOMPLETE),
        ("1", "1", "", BirthError.INCOMPLETE),
        ("2", "29", "2003", BirthError.NO_DATE),
        ("13", "1", "2000", BirthError.NO_DATE),
        ("0", "1", "2000", BirthError.NO_DATE),
        ("1", "32", "2000", BirthError.NO_DATE),
        ("1", "1", "99", BirthError.NO_DATE),
        ("1", "1", "0000", BirthError.NO_DATE),
        ("1", "1", "20000", BirthError.NO_DATE),
        ("May", "1", "2000", BirthError.NO_DATE),
        ("١", "1", "2000", BirthError.NO_DATE),
        ("-1", "1", "2000", BirthError.NO_DATE),
        ("11", "24", "2026", BirthError.FUTURE),
        ("1", "1", str(2026 - OLDEST - 1), BirthError.TOO_LONG_AGO),
    ],
)
def test_what_is_no_date_of_birth_is_named(
    month: str, day: str, year: str, code: BirthError
) -> None:
    """Each fault has a code, so that the form can say it in the person's language."""
    with pytest.raises(InvalidBirth) as caught:
        read_birth(month, day, year, NOON)

    assert caught.value.code is code


@pytest.mark.parametrize(
    ("birth", "now", "enough"),
    [
        pytest.param(date(2005, 11, 23), NOON, True, id="birthday_everywhere"),
        pytest.param(
            date(2005, 11, 23), NOON - timedelta(seconds=1), False, id="not_yet_in_the_last_zone"
        ),
        pytest.param(date(2005, 11, 24), NOON, False, id="tomorrow"),
        pytest.param(date(2005, 11, 22), NOON, True, id="yesterday"),
        pytest.param(
            date(2008, 2, 29), datetime(2029, 2, 28, 23, tzinfo=UTC), False, id="leap_day_eve"
        ),
        pytest.param(
            date(2008, 2, 29), datetime(2029, 3, 1, 12, tzinfo=UTC), True, id="leap_day_after"
        ),
    ],
)
def test_years_are_completed_on_the_birthday_wherever_one_is(
    birth: date, now: datetime, enough: bool
) -> None:
    """Nobody is let in a few hours early because our clock is ahead of theirs."""
    assert old_enough(birth, 21, now) is enough


@given(st.dates(date(1906, 1, 1), date(2026, 11, 23)), st.integers(13, 99))
def test_who_is_old_enough_today_is_so_tomorrow(birth: date, minimum: int) -> None:
    """The answer changes once, from no to yes, and never with a higher age."""
    if old_enough(birth, minimum, NOON):
        assert old_enough(birth, minimum, NOON + timedelta(days=1))
        assert old_enough(birth, minimum - 1, NOON)


@pytest.mark.parametrize(
    ("evidence", "minimum", "shown"),
    [
        ({}, None, True),
        ({}, 21, False),
        ({"age": gate(21)}, 21, True),
        ({"age": gate(21)}, 18, True),
        ({"age": gate(18)}, 21, False),
        ({"age": "21"}, 21, False),
        ({"age": {"minimum": "21"}}, 21, False),
    ],
)
def test_evidence_shows_that_an_age_was_checked(
    evidence: dict[str, Any], minimum: int | None, shown: bool
) -> None:
    """What is kept is the age that was asked for, not the date of birth."""
    assert passed(evidence, minimum) is shown
    assert "birth" not in str({k: v for k, v in gate(21).items() if k != "checked"})
