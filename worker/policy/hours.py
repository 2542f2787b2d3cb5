"""The table of quiet hours: which hours each law allows, since when, and who says so.

The rows are in ``worker/data/quiet_hours.toml``; this module checks them when it is imported, and
answers for any date which rows are in force and what changes next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeAlias

from keywords.data import load
from worker.policy.holidays import CALENDARS, closed

# Minutes after midnight by the local clock: open from the first, closed from the second on.
Hours: TypeAlias = tuple[int, int]
MIDNIGHT: Final = 24 * 60
_WEEK: Final = range(7)
_SATURDAY, _SUNDAY = 5, 6


class Preset(StrEnum):
    """Which rows a campaign keeps, beside those of the person's country.

    ``FEDERAL``: none. ``NATIONAL_SAFE``: one window for all. ``STATE_TABLE``: the law of every
    state that the person may be in. ``STRICTEST``: all states' laws at once.
    """

    FEDERAL = "federal"
    NATIONAL_SAFE = "national_safe"
    STATE_TABLE = "state_table"
    STRICTEST = "strictest"


class Mark(StrEnum):
    """How sure a row is."""

    PRIMARY = "P"
    VENDOR = "V"
    SECONDARY = "S"
    UNVERIFIED = "U"


@dataclass(frozen=True, slots=True)
class DailyCap:
    """At most ``count`` marketing texts in any ``hours`` hours, or that many of one subject."""

    count: int
    hours: int
    same_subject: bool


@dataclass(frozen=True, slots=True)
class Row:
    """The law of one jurisdiction from ``starts`` until the day before ``ends``.

    ``week`` has the hours of Monday to Sunday, None where nothing may go. ``presumes`` cites the
    law by which every number with an area code of the state belongs to a resident.
    """

    id: str
    name: str
    week: tuple[Hours | None, ...]
    holidays: tuple[str, ...]
    cap: DailyCap | None
    presumes: str | None
    starts: date | None
    ends: date | None
    cite: str
    source: str
    mark: Mark
    note: str | None
    conflict: str | None

    def in_force(self, day: date) -> bool:
        """Whether the row counts on a local ``day``."""
        begun = self.starts is None or self.starts <= day
        return begun and (self.ends is None or day < self.ends)

    def hours(self, day: date) -> Hours | None:
        """The hours of a local ``day``, or None when nothing may go on it."""
        week = self.week[day.weekday()]
        return None if week is None or closed(self.holidays, day) else week


@dataclass(frozen=True, slots=True)
class Change:
    """A day on which the law changes; ``before`` or ``after`` is None where there is no row."""

    day: date
    before: Row | None
    after: Row | None


def row(jurisdiction: str, day: date) -> Row | None:
    """The row of a jurisdiction that is in force on ``day``; None when it had none then."""
    if jurisdiction == Preset.STRICTEST:
        return strictest(day)
    return next((each for each in ROWS.get(jurisdiction, ()) if each.in_force(day)), None)


def in_force(day: date) -> list[Row]:
    """All rows in force on ``day``, in the order of the table, the strictest of all last."""
    found = [row(jurisdiction, day) for jurisdiction in ROWS]
    return [each for each in found if each is not None] + [strictest(day)]


def changes_after(day: date) -> list[Change]:
    """What changes after ``day`` as far as is known, the next change first."""
    days = sorted({d for d in _BOUNDARIES if d > day})
    return [change for d in days for change in _changes_on(d)]


def is_stale(day: date) -> bool:
    """Whether somebody should have read the laws again by ``day``."""
    return day > REVIEW_BY


@lru_cache(maxsize=64)
def strictest(day: date) -> Row:
    """The row that satisfies the United States and every state at once on ``day``.

    For people of whom nothing is known but that they may be there.
    """
    rows = [each for each in (row(j, day) for j in _AMERICAN) if each is not None]
    return Row(
        id=Preset.STRICTEST,
        name="Preset strictest",
        week=tuple(_all_of(each.week[weekday] for each in rows) for weekday in _WEEK),
        holidays=tuple(sorted({name for each in rows for name in each.holidays})),
        cap=min((each.cap for each in rows if each.cap), key=_strictness, default=None),
        presumes=None,
        starts=None,
        ends=None,
        cite="all rows of the United States at once",
        source=SOURCES["ours"],
        mark=Mark.UNVERIFIED,
        note="What a person of unknown state is held to.",
        conflict=None,
    )


def _strictness(cap: DailyCap) -> tuple[float, bool]:
    return cap.count / cap.hours, cap.same_subject


def _all_of(windows: Iterable[Hours | None]) -> Hours | None:
    """The hours that lie in every one of ``windows``."""
    opens, closes = 0, MIDNIGHT
    for window in windows:
        if window is None:
            return None
        opens, closes = max(opens, window[0]), min(closes, window[1])
    return (opens, closes) if opens < closes else None


def _changes_on(day: date) -> list[Change]:
    eve = date.fromordinal(day.toordinal() - 1)
    pairs = [(row(jurisdiction, eve), row(jurisdiction, day)) for jurisdiction in ROWS]
    return [Change(day, before, after) for before, after in pairs if before is not after]


def _hours(text: str) -> Hours | None:
    """Read "08:00-21:00" or "closed"."""
    if text == "closed":
        return None
    opens, closes = (int(part[:2]) * 60 + int(part[3:]) for part in text.split("-"))
    if not 0 <= opens < closes <= MIDNIGHT:
        raise ValueError(f"no hours of a day: {text}")
    return opens, closes


def _row(data: Mapping[str, Any]) -> Row:
    """One row of the file. Raises ``KeyError`` or ``ValueError`` when it is not complete."""
    usual = _hours(data["hours"])
    saturday = _hours(data["saturday"]) if "saturday" in data else usual
    sunday = _hours(data["sunday"]) if "sunday" in data else usual
    cap = data.get("cap")
    unknown = set(data.get("holidays", ())) - set(CALENDARS)
    if unknown:
        raise ValueError(f"row {data['id']} names no calendar: {unknown}")
    return Row(
        id=data["id"],
        name=data["name"],
        week=(*[usual] * _SATURDAY, saturday, sunday),
        holidays=tuple(data.get("holidays", ())),
        cap=DailyCap(cap["count"], cap["hours"], cap.get("same_subject", False)) if cap else None,
        presumes=data.get("presumes"),
        starts=data.get("from"),
        ends=data.get("until"),
        cite=data["cite"],
        source=SOURCES[data["source"]],
        mark=Mark(data["mark"]),
        note=data.get("note"),
        conflict=data.get("conflict"),
    )


def _by_jurisdiction(rows: Iterable[Row]) -> dict[str, tuple[Row, ...]]:
    """The rows of each jurisdiction, which must not overlap in time."""
    table: dict[str, tuple[Row, ...]] = {}
    for each in rows:
        if any(_meet(each, other) for other in table.get(each.id, ())):
            raise ValueError(f"two rows of {each.id} are in force at once")
        table[each.id] = (*table.get(each.id, ()), each)
    return table


def _meet(one: Row, other: Row) -> bool:
    """Whether two rows are in force on a common day."""
    starts = max(each.starts or date.min for each in (one, other))
    return starts < min(each.ends or date.max for each in (one, other))


_DATA: Final = load("quiet_hours", "worker.data")
VERSION: Final[int] = _DATA["version"]
CHECKED_ON: Final[date] = _DATA["checked_on"]
REVIEW_BY: Final[date] = _DATA["review_by"]
SOURCES: Final[Mapping[str, str]] = _DATA["sources"]
ROWS: Final[Mapping[str, tuple[Row, ...]]] = _by_jurisdiction(map(_row, _DATA["rows"]))
FEDERAL, CANADA, FRANCE, ELSEWHERE = "federal", "canada", "france", "elsewhere"
STATES: Final = tuple(j for j in ROWS if len(j) == 2 and j.isupper())
_AMERICAN: Final = (FEDERAL, *STATES)
_BOUNDARIES: Final = {
    day for rows in ROWS.values() for r in rows for day in (r.starts, r.ends) if day is not None
}
