"""Holidays are computed from their rules; the dates here were looked up."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from worker.policy.holidays import CALENDARS, Closure, _shut, closed, easter, holidays


@pytest.mark.parametrize(
    ("year", "month", "day"),
    [(2000, 4, 23), (2008, 3, 23), (2024, 3, 31), (2025, 4, 20), (2026, 4, 5), (2038, 4, 25)],
)
def test_easter(year: int, month: int, day: int) -> None:
    """Early, late and ordinary ones."""
    assert easter(year) == date(year, month, day)


def test_easter_is_a_sunday_in_spring() -> None:
    """In every year that the service will see."""
    for year in range(2020, 2100):
        assert easter(year).weekday() == 6
        assert date(year, 3, 22) <= easter(year) <= date(year, 4, 25)


def test_the_federal_holidays_of_a_year() -> None:
    """2026: the Fourth of July is a Saturday, so the Friday before is closed as well."""
    assert [day.strftime("%m-%d") for day in holidays("federal", 2026)] == [
        *["01-01", "01-19", "02-16", "05-25", "06-19", "07-03", "07-04"],
        *["09-07", "10-12", "11-11", "11-26", "12-25"],
    ]


def test_a_holiday_on_a_weekend_closes_two_days() -> None:
    """New Year's Day of 2028 is a Saturday: the last day of 2027 is closed too."""
    assert closed(["federal"], date(2027, 12, 31)) == "New Year's Day (observed)"
    assert closed(["federal"], date(2028, 1, 1)) == "New Year's Day"
    assert closed(["federal"], date(2027, 7, 5)) == "Independence Day (observed)"


@pytest.mark.parametrize(
    ("calendar", "day", "name"),
    [
        pytest.param("louisiana", "2026-02-17", "Mardi Gras", id="Mardi Gras"),
        pytest.param("alabama", "2027-02-09", "Mardi Gras", id="Mardi Gras 2027"),
        pytest.param("louisiana", "2026-04-03", "Good Friday", id="Good Friday"),
        pytest.param("pennsylvania", "2027-03-26", "Good Friday", id="Good Friday 2027"),
        pytest.param("louisiana", "2026-11-03", "Election Day", id="election"),
        pytest.param("louisiana", "2027-11-02", None, id="no election in odd years"),
        pytest.param("pennsylvania", "2027-11-02", "Election Day", id="but in Pennsylvania"),
        pytest.param("louisiana", "2026-11-27", "Acadian Day", id="after Thanksgiving"),
        pytest.param("alabama", "2026-04-27", "Confederate Memorial Day", id="fourth Monday"),
        pytest.param("rhode_island", "2026-08-10", "Victory Day", id="second Monday"),
        pytest.param("utah", "2026-07-24", "Pioneer Day", id="Pioneer Day"),
        pytest.param("utah", "2025-06-16", "Juneteenth, kept on a Monday", id="Thursday's Monday"),
        pytest.param("utah", "2026-11-26", None, id="federal days are in their own calendar"),
        pytest.param("france", "2026-05-14", "Ascension", id="Ascension"),
        pytest.param("france", "2026-05-25", "Whit Monday", id="Whit Monday"),
        pytest.param("france", "2026-07-13", None, id="nothing is moved in France"),
    ],
)
def test_the_days_of_the_states(calendar: str, day: str, name: str | None) -> None:
    """By rule, in any year."""
    assert closed([calendar], date.fromisoformat(day)) == name


def test_several_calendars_close_together() -> None:
    """Any of them is enough."""
    assert closed(["federal", "utah"], date(2026, 7, 24)) == "Pioneer Day"
    assert closed(["federal", "utah"], date(2026, 12, 25)) == "Christmas Day"
    assert closed([], date(2026, 12, 25)) is None


def test_every_calendar_has_days_in_every_year() -> None:
    """No rule falls on a day that does not exist."""
    for calendar in CALENDARS.values():
        assert calendar.source
        for year in range(2024, 2060):
            days = holidays(calendar.id, year)
            assert all(day.year == year for day in days)
            assert len(days) >= 2


def test_a_state_of_emergency_closes_days() -> None:
    """Both ends included, in the calendar that it is for and no other."""
    storm = Closure("louisiana", date(2026, 9, 1), date(2026, 9, 3), "A storm", "the governor")
    days = [date(2026, 8, 31) + timedelta(days=n) for n in range(5)]
    assert [_shut([storm], "louisiana", day) for day in days] == [None, *["A storm"] * 3, None]
    assert _shut([storm], "alabama", date(2026, 9, 2)) is None
