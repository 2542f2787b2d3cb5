"""When may a text be received by somebody who may be in several places under several laws?

Only in the hours that every law allows on every clock that may be theirs. The answer is a window:
the one that is open, or the next. Its end is also the end of the text's validity at the carrier,
so that a text that is accepted in time cannot be delivered too late (reliability I7).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, TypeAlias

from keywords.ledger import Json
from worker.policy import clocks, hours
from worker.policy.clocks import DAY, EPOCH, Interval
from worker.policy.hours import MIDNIGHT, DailyCap, Preset
from worker.policy.places import Place, jurisdictions

# A text needs a moment for the call to the carrier (10 s at most) and for its way; a window with
# less left is as good as closed.
ROOM: Final = timedelta(seconds=60)
# How far ahead an opening is sought. Sundays and holidays in a row close four or five days; places
# with no common hour in two weeks have none at all.
LOOK_AHEAD_DAYS: Final = 14
_ROOM: Final = int(ROOM.total_seconds())

# A jurisdiction and a zone: both must allow it.
Pair: TypeAlias = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of allowed time in UTC, from ``opens`` on and before ``closes``."""

    opens: datetime
    closes: datetime


def window(place: Place, preset: Preset, now: datetime) -> Window | None:
    """The window that is open at the aware time ``now``, or the next one; None without any.

    ``opens`` is ``now`` or earlier when it is open. Every window that is answered has at least
    :data:`ROOM` left.
    """
    return common_window(pairs(place, preset), now)


def common_window(laws: tuple[Pair, ...], now: datetime) -> Window | None:
    """The same for one or more laws, each on one clock."""
    found = _search(laws, clocks.seconds(now))
    return Window(clocks.moment(found[0]), clocks.moment(found[1])) if found else None


def windows(places: Iterable[Place], preset: Preset, now: datetime) -> dict[Place, Window | None]:
    """The window of every different place at once: a million people are a few hundred places."""
    return {place: window(place, preset, now) for place in set(places)}


def blocking(place: Place, preset: Preset, now: datetime) -> Pair | None:
    """The jurisdiction and zone that keep a text waiting the longest; None when none is closed."""
    return _blocking(pairs(place, preset), clocks.seconds(now) // 60)


def at_local(place: Place, day: date, minute: int) -> datetime:
    """When it is ``minute`` o'clock (minutes after midnight) of ``day`` on all the place's clocks.

    The last of the places decides. A time that a clock skips is the moment of its jump; of a time
    that comes twice the first counts.
    """
    return clocks.moment(max(_first_at(zone, day, minute) for zone in place.zones))


def months(place: Place, now: datetime) -> frozenset[tuple[datetime, datetime]]:
    """The calendar month that it is on each of the place's clocks: first moment, and the next's."""
    return frozenset(
        _month(zone, clocks.local_date(zone, now).replace(day=1)) for zone in place.zones
    )


@lru_cache(maxsize=1 << 12)
def _month(zone: str, first: date) -> tuple[datetime, datetime]:
    following = (first + timedelta(days=31)).replace(day=1)
    begins, ends = (clocks.moment(_first_at(zone, day, 0)) for day in (first, following))
    return begins, ends


def daily_caps(place: Place, preset: Preset, now: datetime) -> tuple[tuple[str, DailyCap], ...]:
    """The caps of the laws that may apply at ``now``, with the jurisdictions they come from."""
    return _caps(pairs(place, preset), clocks.seconds(now) // DAY)


@lru_cache(maxsize=1 << 16)
def pairs(place: Place, preset: Preset) -> tuple[Pair, ...]:
    """The jurisdictions and zones that a text must suit."""
    return jurisdictions(place, preset)


def evidence(place: Place, preset: Preset, found: Window | None) -> dict[str, Json]:
    """What a decision about hours rests on, as it is stored with the message."""
    told: Json = [found.opens.isoformat(), found.closes.isoformat()] if found else None
    return {**_laws_told(place, preset), "window": told}


@lru_cache(maxsize=1 << 14)
def _laws_told(place: Place, preset: Preset) -> dict[str, Json]:
    """Shared by all decisions about the same place; nobody writes to it."""
    laws: list[Json] = [list(pair) for pair in pairs(place, preset)]
    return {"preset": str(preset), "place": place.as_json(), "laws": laws}


def _search(laws: tuple[Pair, ...], second: int) -> Interval | None:
    today = second // DAY
    for day in range(today, today + LOOK_AHEAD_DAYS + 1):
        for opens, closes in _of_day(laws, day):
            if closes - max(opens, second) >= _ROOM:
                return opens, closes
    return None


@lru_cache(maxsize=1 << 16)
def _of_day(laws: tuple[Pair, ...], day: int) -> tuple[Interval, ...]:
    """The common windows that touch a day of UTC (days since 1970), each whole, in order."""
    found = _of_pair(laws[0], day)
    for pair in laws[1:]:
        found = clocks.common(found, _of_pair(pair, day))
    begins, ends = day * DAY, (day + 1) * DAY
    return tuple((opens, closes) for opens, closes in found if opens < ends and closes > begins)


def _of_pair(pair: Pair, day: int) -> list[Interval]:
    """The windows of one law on one clock that may touch a day of UTC: three local days' worth."""
    jurisdiction, zone = pair
    found: list[Interval] = []
    for local in range(day - 1, day + 2):
        date_there = date.fromordinal(local + EPOCH)
        allowed = _hours(jurisdiction, date_there)
        if allowed is not None:
            found.extend(clocks.open_times(zone, date_there, *allowed))
    return clocks.merged(found)


def _hours(jurisdiction: str, day: date) -> hours.Hours | None:
    """The hours of a local day; the whole day where the jurisdiction has no law yet."""
    row = hours.row(jurisdiction, day)
    return (0, MIDNIGHT) if row is None else row.hours(day)


@lru_cache(maxsize=1 << 14)
def _blocking(laws: tuple[Pair, ...], minute: int) -> Pair | None:
    """By the minute, which is enough to name a law, and spares asking for everybody again."""
    second = minute * 60
    latest, pair = max((_opens(pair, second), pair) for pair in laws)
    return pair if latest > second else None


def _opens(pair: Pair, second: int) -> int:
    found = _search((pair,), second)
    return max(found[0], second) if found else second + LOOK_AHEAD_DAYS * DAY


@lru_cache(maxsize=1 << 16)
def _caps(laws: tuple[Pair, ...], day: int) -> tuple[tuple[str, DailyCap], ...]:
    """By the day of UTC; a cap that begins that day anywhere counts already."""
    near = [date.fromordinal(day + EPOCH + shift) for shift in (-1, 0, 1)]
    found = {
        (jurisdiction, row.cap): None
        for jurisdiction in dict.fromkeys(jurisdiction for jurisdiction, _ in laws)
        for row in (hours.row(jurisdiction, each) for each in near)
        if row is not None and row.cap is not None
    }
    return tuple(found)


def _first_at(zone: str, day: date, minute: int) -> int:
    times = clocks.open_times(zone, day, minute, MIDNIGHT) if minute < MIDNIGHT else ()
    if times:
        return times[0][0]
    # The clock skipped the rest of the day: the first moment of the next one.
    return _first_at(zone, date.fromordinal(day.toordinal() + 1), 0)
