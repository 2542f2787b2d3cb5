"""Where a number may be, and whether it is daytime there."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.policy.daytime import day_ends, zones_of
from worker.policy.geography import ANYWHERE_IN_THE_US

START = datetime(2024, 1, 1, tzinfo=UTC)
MOMENTS = st.timedeltas(timedelta(0), timedelta(days=2500)).map(lambda later: START + later)
ZONES = sorted(set(available_timezones()) & {*ANYWHERE_IN_THE_US, "Asia/Tokyo", "Europe/Paris"})


@pytest.mark.parametrize(
    ("phone", "zones"),
    [
        pytest.param("+12125550123", ("America/New_York",), id="one zone"),
        pytest.param("+19075550123", ("America/Anchorage", "America/Adak"), id="two zones"),
        pytest.param("+33612345678", ("Europe/Paris",), id="a mobile abroad"),
        pytest.param("+18005550123", ANYWHERE_IN_THE_US, id="toll-free"),
        pytest.param("+19995550123", ANYWHERE_IN_THE_US, id="no such area code"),
        pytest.param("nonsense", ANYWHERE_IN_THE_US, id="not a number"),
    ],
)
def test_the_zones_a_number_may_be_in(phone: str, zones: tuple[str, ...]) -> None:
    """The prefix is the evidence; without any, it may be anywhere in the United States."""
    assert zones_of(phone) == zones


@pytest.mark.parametrize(
    ("local", "ends"),
    [
        pytest.param("2026-11-23T08:59:59", None, id="too early"),
        pytest.param("2026-11-23T09:00:00", "2026-11-23T20:00:00", id="the first moment"),
        pytest.param("2026-11-23T19:59:00", "2026-11-23T20:00:00", id="the last moment"),
        pytest.param("2026-11-23T19:59:01", None, id="too short for a text"),
        pytest.param("2026-11-23T20:00:00", None, id="too late"),
        pytest.param("2026-11-01T12:00:00", "2026-11-01T20:00:00", id="the clocks go back"),
        pytest.param("2026-03-08T12:00:00", "2026-03-08T20:00:00", id="the clocks go forward"),
    ],
)
def test_daytime_is_from_nine_to_twenty_by_the_local_clock(local: str, ends: str | None) -> None:
    """Both ends, and the two days of the year that have 23 and 25 hours."""
    place = ZoneInfo("America/New_York")
    now = datetime.fromisoformat(local).replace(tzinfo=place).astimezone(UTC)
    expected = datetime.fromisoformat(ends).replace(tzinfo=place) if ends else None
    assert day_ends(["America/New_York"], now) == expected


def test_it_must_be_daytime_in_every_zone() -> None:
    """At nine in New York it is still night in Los Angeles; the eastern evening ends the day."""
    zones = ["America/New_York", "America/Los_Angeles"]
    assert day_ends(zones, datetime(2026, 11, 23, 14, 30, tzinfo=UTC)) is None
    noon = datetime(2026, 11, 23, 20, 0, tzinfo=UTC)
    assert day_ends(zones, noon) == datetime(2026, 11, 24, 1, 0, tzinfo=UTC)


@pytest.mark.parametrize("zones", [[], ["Nowhere/Land"], ["Europe/Paris", "Nowhere/Land"]])
def test_a_place_we_do_not_know_is_night(zones: list[str]) -> None:
    """Nothing known is no permission."""
    assert day_ends(zones, datetime(2026, 11, 23, 12, 0, tzinfo=UTC)) is None


def test_there_is_a_time_of_day_for_numbers_without_a_place() -> None:
    """The zones of the United States share some hours in summer and in winter."""
    for month in (1, 7):
        hours = [datetime(2026, month, 15, hour, tzinfo=UTC) for hour in range(24)]
        assert any(day_ends(ANYWHERE_IN_THE_US, hour) for hour in hours)


@given(MOMENTS, st.lists(st.sampled_from(ZONES), min_size=1, max_size=4))
def test_the_end_of_the_day_is_before_the_evening_everywhere(
    now: datetime, zones: list[str]
) -> None:
    """From now until the end, it is between nine and twenty on every clock."""
    end = day_ends(zones, now)
    if end is None:
        return
    assert now < end <= now + timedelta(hours=11)
    for zone in zones:
        here, then = now.astimezone(ZoneInfo(zone)), end.astimezone(ZoneInfo(zone))
        assert here.hour >= 9
        assert (then - timedelta(microseconds=1)).hour < 20
        assert here.date() == then.date()
