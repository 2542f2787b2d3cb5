"""The table of quiet hours: every row as the research has it, and what changes when."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from tests.worker.policy.lawbook import CAPPED, HOLIDAYS, TABLE, THANKSGIVING
from tests.worker.policy.lawbook import hours as by_hand
from worker.policy import hours
from worker.policy.geography import STATE_NAMES
from worker.policy.hours import DailyCap, Mark, Preset, Row, row

TODAY = date(2026, 11, 23)
# Seven days without a holiday anywhere.
ORDINARY = [date(2026, 12, 7) + timedelta(days=n) for n in range(7)]


def minutes(day: tuple[int, int] | None) -> tuple[int, int] | None:
    """Hours as the table holds them."""
    return None if day is None else (day[0] * 60, day[1] * 60)


@pytest.mark.parametrize("state", sorted(TABLE))
def test_each_state_has_its_hours(state: str) -> None:
    """Weekdays, Saturday, Sunday, and a holiday."""
    law = row(state, TODAY)
    assert law is not None
    for day in ORDINARY:
        assert law.hours(day) == minutes(by_hand(state, day)), day
    assert law.hours(THANKSGIVING) == minutes(by_hand(state, THANKSGIVING, holiday=True))


def test_no_state_is_missing_or_made_up() -> None:
    """The rows are those of the research, and each is a state."""
    assert set(hours.STATES) == set(TABLE)
    assert set(hours.STATES) <= set(STATE_NAMES)


def test_the_caps_of_the_states() -> None:
    """Three in 24 hours; Oregon's is not of one subject only."""
    capped = {law.id: law.cap for law in hours.in_force(TODAY) if law.id in TABLE and law.cap}
    assert set(capped) == set(CAPPED)
    assert {cap for state, cap in capped.items() if state != "OR"} == {
        DailyCap(3, 24, same_subject=True)
    }
    assert capped["OR"] == DailyCap(3, 24, same_subject=False)


def test_the_strictest_hours_are_those_of_all_states_at_once() -> None:
    """Weekdays 10 to 18, Saturdays 10 to 17, no Sundays and holidays, three in 24 hours."""
    law = hours.strictest(TODAY)
    assert law.week == ((600, 1080),) * 5 + ((600, 1020), None)
    assert law.cap == DailyCap(3, 24, same_subject=False)
    assert law.hours(THANKSGIVING) is None
    closed = {name for state in HOLIDAYS for name in (row(state, TODAY) or law).holidays}
    assert set(law.holidays) == closed


@pytest.mark.parametrize(
    ("jurisdiction", "week"),
    [
        pytest.param("federal", ((480, 1260),) * 7, id="federal"),
        pytest.param("national_safe", ((540, 1200),) * 6 + ((720, 1200),), id="national_safe"),
        pytest.param("canada", ((540, 1290),) * 5 + ((600, 1080),) * 2, id="canada"),
        pytest.param("france", ((480, 1320),) * 6 + (None,), id="france"),
        pytest.param("elsewhere", ((540, 1260),) * 5 + ((600, 1080), None), id="elsewhere"),
    ],
)
def test_the_other_rows(jurisdiction: str, week: tuple[tuple[int, int] | None, ...]) -> None:
    """Countries and presets."""
    law = row(jurisdiction, TODAY)
    assert law is not None
    assert law.week == week


def test_where_no_law_was_checked_the_checked_ones_hold_together() -> None:
    """The hours of other countries are inside those of every country in the table."""
    elsewhere = row("elsewhere", TODAY)
    assert elsewhere is not None
    for country in ("federal", "canada", "france"):
        law = row(country, TODAY)
        assert law is not None
        for ours, theirs in zip(elsewhere.week, law.week, strict=True):
            assert ours is None or (theirs and theirs[0] <= ours[0] and ours[1] <= theirs[1])


@pytest.mark.parametrize(
    ("state", "day", "expected"),
    [
        pytest.param("PA", date(2026, 10, 17), (480, 1260), id="Pennsylvania before"),
        pytest.param("PA", date(2026, 10, 18), None, id="its first Sunday"),
        pytest.param("PA", date(2026, 10, 19), (540, 1140), id="its first Monday"),
        pytest.param("OR", date(2025, 12, 31), None, id="Oregon before"),
        pytest.param("OR", date(2026, 1, 1), (480, 1200), id="Oregon since"),
        pytest.param("CT", date(2023, 9, 30), None, id="Connecticut before"),
        pytest.param("CT", date(2023, 10, 1), (540, 1200), id="Connecticut since"),
    ],
)
def test_a_law_counts_from_its_day_on(
    state: str, day: date, expected: tuple[int, int] | None
) -> None:
    """Not a day earlier, and a decision of the past can be made again with the law of its day."""
    law = row(state, day)
    assert (law.hours(day) if law else None) == expected


def test_a_compliance_officer_sees_what_changes_next() -> None:
    """From the first of October, Pennsylvania is the next."""
    (change,) = hours.changes_after(date(2026, 10, 1))
    assert change.day == date(2026, 10, 18)
    assert change.before is not None
    assert change.after is not None
    assert (change.before.id, change.after.id) == ("PA", "PA")
    assert change.after.hours(date(2026, 10, 19)) == (540, 1140)
    assert hours.changes_after(date(2026, 10, 18)) == []


def test_the_table_goes_stale() -> None:
    """There is a day by which somebody must have read the laws again."""
    assert not hours.is_stale(hours.CHECKED_ON)
    assert hours.is_stale(hours.REVIEW_BY + timedelta(days=1))


ROWS = [law for laws in hours.ROWS.values() for law in laws]


@pytest.mark.parametrize("law", ROWS, ids=[f"{law.id}-{law.starts}" for law in ROWS])
def test_every_row_says_where_it_comes_from(law: Row) -> None:
    """Cite, source and how sure it is; what is in doubt says so."""
    assert law.name
    assert law.cite
    assert law.source in hours.SOURCES.values()
    assert law.mark in Mark
    assert law.conflict is None or law.conflict.endswith(".")


def test_the_conflicts_of_the_research_are_noted() -> None:
    """Where two sources differ, the row says which side it does not follow."""
    noted = {law.id for law in ROWS if law.conflict}
    assert noted == {"CT", "IL", "MI", "MN", "NV", "NJ", "OR", "PA", "UT"}


WRONG = [
    pytest.param({"hours": "21:00-08:00"}, id="upside down"),
    pytest.param({"hours": "8-21"}, id="not a time"),
    pytest.param({"holidays": ["atlantis"]}, id="no such calendar"),
    pytest.param({"source": "hearsay"}, id="no such source"),
    pytest.param({"mark": "?"}, id="no such mark"),
]


@pytest.mark.parametrize("change", WRONG)
def test_a_row_that_is_wrong_is_refused(change: dict[str, object]) -> None:
    """At the start of the service, not when the first text goes out."""
    good = {"id": "X", "name": "X", "hours": "08:00-21:00", "cite": "X", "source": "ours"}
    good |= {"mark": "U"}
    hours._row(good)
    with pytest.raises((ValueError, KeyError)):
        hours._row(good | change)


def test_two_rows_of_one_place_must_not_overlap() -> None:
    """Which of them would count?"""
    new, old = reversed(hours.ROWS["PA"])
    assert hours._by_jurisdiction([old, new]) == {"PA": (old, new)}
    with pytest.raises(ValueError, match="in force at once"):
        hours._by_jurisdiction([old, new, new])


def test_every_preset_has_its_row_or_none() -> None:
    """Two have hours of their own, the state table has those of the states."""
    assert row(Preset.NATIONAL_SAFE, TODAY) is not None
    assert row(Preset.STRICTEST, TODAY) is not None
    assert row(Preset.STATE_TABLE, TODAY) is None
