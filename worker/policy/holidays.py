"""On which days do some laws allow no marketing? By the calendars of ``data/holidays.toml``.

Days are computed from their rule ("the third Monday of January"), so no year has to be added. Of a
holiday that falls on a weekend both the day and its substitute are closed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import Any, Final

from keywords.data import load

_WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_SATURDAY, _SUNDAY = 5, 6
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Holiday:
    """The rule of one holiday: a date, the first ``weekday`` on or after it, or days from Easter.

    ``weekday`` counts from Monday, 0. ``month`` is None for a day counted from Easter Sunday.
    """

    name: str
    month: int | None
    day: int
    weekday: int | None
    even_years: bool

    def on(self, year: int) -> date | None:
        """The day in ``year``, or None when the holiday is not kept then."""
        if self.even_years and year % 2:
            return None
        if self.month is None:
            return easter(year) + timedelta(days=self.day)
        first = date(year, self.month, self.day)
        if self.weekday is None:
            return first
        return first + timedelta(days=(self.weekday - first.weekday()) % 7)


@dataclass(frozen=True, slots=True)
class Calendar:
    """A list of holidays. ``observed``: one on a weekend closes the nearest working day as well."""

    id: str
    name: str
    source: str
    observed: bool
    days: tuple[Holiday, ...]


@dataclass(frozen=True, slots=True)
class Closure:
    """Days, both ends included, that a government closed once."""

    calendar: str
    first: date
    last: date
    name: str
    source: str


def easter(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (the algorithm of Meeus, Jones and Butcher)."""
    golden, century, rest = year % 19, year // 100, year % 100
    leap, moon = century // 4, (century + 8) // 25
    epact = (19 * golden + century - leap - (century - moon + 1) // 3 + 15) % 30
    sunday = (32 + 2 * (century % 4) + 2 * (rest // 4) - epact - rest % 4) % 7
    late = (golden + 11 * epact + 22 * sunday) // 451
    month, day = divmod(epact + sunday - 7 * late + 114, 31)
    return date(year, month, day + 1)


def closed(calendars: Sequence[str], day: date) -> str | None:
    """The holiday or closure that closes a local ``day`` in any of ``calendars``, or None."""
    for calendar in calendars:
        name = _closed_in(calendar, day.year).get(day) or _shut(CLOSURES, calendar, day)
        if name is not None:
            return name
    return None


def holidays(calendar: str, year: int) -> Mapping[date, str]:
    """The closed days of one calendar in a year, with their names, in order."""
    return dict(sorted(_closed_in(calendar, year).items()))


def _shut(closures: Sequence[Closure], calendar: str, day: date) -> str | None:
    names = (c.name for c in closures if c.calendar == calendar and c.first <= day <= c.last)
    return next(names, None)


@lru_cache(maxsize=256)
def _closed_in(calendar: str, year: int) -> Mapping[date, str]:
    """A substitute may lie in the year before: New Year's Day on a Saturday closes 31 December."""
    table = CALENDARS[calendar]
    days = (day for near in (year - 1, year, year + 1) for day in _days(table, near))
    found: dict[date, str] = {}
    for day, name in days:
        if day.year == year:
            found.setdefault(day, name)
    return found


def _days(calendar: Calendar, year: int) -> Iterator[tuple[date, str]]:
    for holiday in calendar.days:
        day = holiday.on(year)
        if day is None:
            continue
        yield day, holiday.name
        if calendar.observed and day.weekday() == _SATURDAY:
            yield day - _DAY, f"{holiday.name} (observed)"
        if calendar.observed and day.weekday() == _SUNDAY:
            yield day + _DAY, f"{holiday.name} (observed)"


def _holiday(row: Mapping[str, Any]) -> Holiday:
    weekday = _WEEKDAYS.index(row["weekday"]) if "weekday" in row else None
    even_years = row.get("even_years", False)
    if "easter" in row:
        return Holiday(row["name"], None, row["easter"], None, even_years)
    return Holiday(row["name"], row["month"], row["day"], weekday, even_years)


def _calendar(name: str, row: Mapping[str, Any]) -> Calendar:
    days = tuple(map(_holiday, row["days"]))
    return Calendar(name, row["name"], row["source"], row["observed"], days)


def _closure(row: Mapping[str, Any]) -> Closure:
    if row["calendar"] not in CALENDARS or row["first"] > row["last"]:
        raise ValueError(f"the closure {row['name']!r} has no such calendar, or ends too early")
    return Closure(row["calendar"], row["first"], row["last"], row["name"], row["source"])


_DATA: Final = load("holidays", "worker.data")
VERSION: Final[int] = _DATA["version"]
CALENDARS: Final[Mapping[str, Calendar]] = {
    name: _calendar(name, row) for name, row in _DATA["calendars"].items()
}
CLOSURES: Final[tuple[Closure, ...]] = tuple(map(_closure, _DATA.get("closures", ())))
