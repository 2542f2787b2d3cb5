"""Windows of time: right on every clock, on every day that a clock changes, and by every law."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import pairwise
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.worker.policy.cases import NOON, local, place
from worker.policy import clocks, hours, windows
from worker.policy.geography import ANYWHERE_IN_THE_US
from worker.policy.hours import Preset
from worker.policy.windows import ROOM, Pair, common_window, window

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
INSTANT = timedelta(microseconds=1)
ZONES = sorted(available_timezones() - {"Factory", "localtime"})
FIRST, LAST = datetime(2024, 1, 1, tzinfo=UTC), datetime(2031, 1, 1, tzinfo=UTC)
LAWS = sorted(set(hours.ROWS) | {str(Preset.STRICTEST)})


def offset(zone: str, now: datetime) -> timedelta:
    """How far the clock of a zone is ahead."""
    ahead = now.astimezone(ZoneInfo(zone)).utcoffset()
    assert ahead is not None
    return ahead


@cache
def changes(zone: str) -> tuple[datetime, ...]:
    """The moments at which a clock changes, found by looking every week and then closer."""
    weeks = [FIRST + n * 7 * DAY for n in range((LAST - FIRST) // (7 * DAY))]
    return tuple(
        _change(zone, before, after)
        for before, after in pairwise(weeks)
        if offset(zone, before) != offset(zone, after)
    )


def _change(zone: str, before: datetime, after: datetime) -> datetime:
    """The first second of the new time, between two moments with different times."""
    while after - before > timedelta(seconds=1):
        middle = (before + (after - before) / 2).replace(microsecond=0)
        if offset(zone, middle) == offset(zone, before):
            before = middle
        else:
            after = middle
    return after


@cache
def distinct() -> tuple[str, ...]:
    """One zone for each way in which clocks run."""
    ways = {
        (offset(zone, FIRST), changes(zone), *(offset(zone, c) for c in changes(zone))): zone
        for zone in ZONES
    }
    return tuple(sorted(ways.values()))


def shows(zone: str, now: datetime, opens: int, closes: int) -> date | None:
    """The local date when the wall clock shows a time in the window, read off the clock itself."""
    there = now.astimezone(ZoneInfo(zone))
    return there.date() if opens <= there.hour * 60 + there.minute < closes else None


def allows(pair: Pair, now: datetime) -> bool:
    """What the table says of a moment on one clock, without any intervals."""
    there = now.astimezone(ZoneInfo(pair[1]))
    law = hours.row(pair[0], there.date())
    allowed = (0, 24 * 60) if law is None else law.hours(there.date())
    return allowed is not None and allowed[0] <= there.hour * 60 + there.minute < allowed[1]


def test_there_are_many_clocks_to_try() -> None:
    """The property tests below see the whole world, and hundreds of changes."""
    assert len(ZONES) > 400
    assert len(distinct()) > 60
    assert sum(len(changes(zone)) for zone in distinct()) > 400


@pytest.mark.parametrize("shift", [-1, 0, 29])
def test_open_times_are_what_the_clock_shows_around_every_change(shift: int) -> None:
    """Gaps, repeated hours and skipped days; windows across the jump and beside it."""
    spans = [(8 * 60, 21 * 60), (60, 3 * 60), (0, 24 * 60), (2 * 60 + 15, 2 * 60 + 45)]
    for zone in distinct():
        for change in changes(zone):
            for step in (-26, -13, *range(-4, 5), 13, 26):
                now = change + step * HOUR + shift * MINUTE
                second = clocks.seconds(now)
                for opens, closes in spans:
                    day = shows(zone, now, opens, closes)
                    there = now.astimezone(ZoneInfo(zone)).date()
                    times = clocks.open_times(zone, there, opens, closes)
                    inside = any(start <= second < end for start, end in times)
                    assert inside is (day == there), (zone, now, opens, closes)


@pytest.mark.parametrize(
    ("zone", "day", "length"),
    [
        pytest.param("America/New_York", "2026-03-08", 23, id="spring"),
        pytest.param("America/New_York", "2026-11-01", 25, id="autumn"),
        pytest.param("Australia/Lord_Howe", "2026-04-05", 24.5, id="half an hour"),
        pytest.param("Pacific/Apia", "2011-12-30", 0, id="a day that was skipped"),
        pytest.param("America/Phoenix", "2026-03-08", 24, id="no change"),
    ],
)
def test_days_have_the_length_that_they_have(zone: str, day: str, length: float) -> None:
    """A whole local day in hours."""
    times = clocks.open_times(zone, date.fromisoformat(day), 0, 24 * 60)
    assert sum(end - start for start, end in times) == length * 3600


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    """From 1 to 2 o'clock on the first of November in New York are two hours."""
    times = clocks.open_times("America/New_York", date(2026, 11, 1), 60, 120)
    assert [(end - start) / 3600 for start, end in times] == [2]
    halves = clocks.open_times("America/New_York", date(2026, 11, 1), 90, 120)
    assert [(end - start) / 60 for start, end in halves] == [30, 30]


MOMENTS = st.timedeltas(timedelta(0), LAST - FIRST).map(lambda later: FIRST + later)
# Half of the moments lie within a day of a change of some clock.
NEAR_CHANGES = st.sampled_from([change for zone in distinct() for change in changes(zone)]).flatmap(
    lambda change: st.timedeltas(-DAY, DAY).map(lambda by: change + by)
)
# The law of a country is always among them.
PAIRS = st.lists(
    st.tuples(st.sampled_from(LAWS), st.sampled_from(ZONES)), min_size=1, max_size=3, unique=True
).map(lambda pairs: (("federal", pairs[0][1]), *pairs))


@settings(max_examples=400)
@given(MOMENTS | NEAR_CHANGES, PAIRS)
def test_a_window_is_open_everywhere_until_it_closes_somewhere(
    now: datetime, pairs: tuple[Pair, ...]
) -> None:
    """At its first, its last and every moment between, each law allows it on each clock."""
    found = common_window(pairs, now)
    if found is None:
        return
    assert found.closes - max(found.opens, now) >= ROOM - timedelta(seconds=1)
    first, last = max(found.opens, now), found.closes - INSTANT
    for moment in (first, first + (last - first) / 3, last - (last - first) / 7, last):
        assert all(allows(pair, moment) for pair in pairs)
    assert not all(allows(pair, found.closes) for pair in pairs)
    assert not all(allows(pair, found.opens - INSTANT) for pair in pairs)


@settings(max_examples=400)
@given(MOMENTS | NEAR_CHANGES, PAIRS)
def test_no_allowed_moment_is_missed(now: datetime, pairs: tuple[Pair, ...]) -> None:
    """Before the window that is answered there is none, except for less than a text needs."""
    found = common_window(pairs, now)
    end = found.opens if found else now + 14 * DAY
    open_since: datetime | None = None
    moment = now
    while moment < min(end, now + 5 * DAY):
        if all(allows(pair, moment) for pair in pairs):
            open_since = open_since or moment
            assert moment - open_since < ROOM
            moment += timedelta(seconds=20)
        else:
            open_since = None
            moment += 10 * MINUTE


@given(MOMENTS | NEAR_CHANGES, st.sampled_from(Preset), st.integers(201, 989))
def test_a_number_is_held_until_the_first_allowed_minute(
    now: datetime, preset: Preset, area: int
) -> None:
    """At that moment the window is open, and one minute before it is not."""
    where = place(f"+1{area}5550123")
    found = window(where, preset, now)
    assert found is not None
    if found.opens <= now:
        assert windows.blocking(where, preset, now + MINUTE) is None or (
            found.closes - now < ROOM + MINUTE
        )
        return
    then = window(where, preset, found.opens)
    assert then is not None
    assert then.opens <= found.opens
    before = window(where, preset, found.opens - MINUTE)
    assert before is not None
    assert before.opens > found.opens - MINUTE
    blocking = windows.blocking(where, preset, now)
    assert blocking is None or blocking in windows.pairs(where, preset)


def test_the_last_minute_is_too_short() -> None:
    """A text that is handed over in it might arrive in the evening."""
    where = place()
    evening = local("America/New_York", "2026-11-24T21:00")
    enough = window(where, Preset.FEDERAL, evening - ROOM)
    assert enough is not None
    assert enough.closes == evening
    short = window(where, Preset.FEDERAL, evening - ROOM + timedelta(seconds=1))
    assert short is not None
    assert short.opens == evening + 11 * HOUR


@pytest.mark.parametrize("month", range(1, 13))
def test_an_unknown_place_has_some_hours_each_working_day(month: int) -> None:
    """All clocks of the United States at once, by the strictest law, summer and winter."""
    nowhere = place("+18005550123")
    assert nowhere.zones == ANYWHERE_IN_THE_US
    found = window(nowhere, Preset.STATE_TABLE, datetime(2027, month, 10, tzinfo=UTC))
    assert found is not None
    assert found.closes - found.opens >= HOUR


def test_many_people_are_few_places() -> None:
    """One answer for each place, whatever the number of people."""
    where = [place(f"+1212555{n:04d}") for n in range(100)] + [place("+13055550123")]
    found = windows.windows(where, Preset.STATE_TABLE, NOON)
    assert len(found) == 2
    assert found[where[0]] == window(where[0], Preset.STATE_TABLE, NOON)


@pytest.mark.parametrize(
    ("zones", "minute", "expected"),
    [
        pytest.param(["America/New_York"], 600, "2026-03-08T14:00", id="ten o'clock"),
        pytest.param(["America/New_York"], 150, "2026-03-08T07:00", id="a skipped time"),
        pytest.param(
            ["America/New_York", "America/Chicago"], 600, "2026-03-08T15:00", id="the last clock"
        ),
    ],
)
def test_a_local_time_is_reached_on_all_clocks(
    zones: list[str], minute: int, expected: str
) -> None:
    """For campaigns that go at the recipient's own time."""
    where = place("+12125550123", time_zone=zones[0])
    where = where if len(zones) == 1 else place("+18505550123")
    moment = windows.at_local(where, date(2026, 3, 8), minute)
    assert moment == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_a_time_on_a_skipped_day_is_the_next_day() -> None:
    """Samoa had no 30 December 2011."""
    samoan = place("+12125550123", time_zone="Pacific/Apia")
    moment = windows.at_local(samoan, date(2011, 12, 30), 600)
    assert moment.astimezone(ZoneInfo("Pacific/Apia")).isoformat() == "2011-12-31T00:00:00+14:00"


def test_caps_follow_the_states_that_may_apply() -> None:
    """Florida's and Oklahoma's, with the day on which Oregon's began."""
    floridian = place("+13055550123", zip="73301")
    caps = dict(windows.daily_caps(floridian, Preset.STATE_TABLE, NOON))
    assert set(caps) == {"FL"}
    assert not windows.daily_caps(floridian, Preset.FEDERAL, NOON)
    assert set(dict(windows.daily_caps(floridian, Preset.NATIONAL_SAFE, NOON))) == {"national_safe"}
    oregon = place("+15035550123")
    assert not windows.daily_caps(oregon, Preset.STATE_TABLE, datetime(2025, 12, 1, tzinfo=UTC))
    assert windows.daily_caps(oregon, Preset.STATE_TABLE, NOON)
