"""The local clock as stretches of even time: what a day of a place is in UTC.

A wall clock jumps. Between two jumps it runs evenly, so a local window is a handful of plain
intervals of UTC seconds, found once per zone and day and then compared as numbers. That is exact
on the days with 23, 24.5 or 25 hours, on days that a place skipped, and when an hour comes twice.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Final, TypeAlias
from zoneinfo import ZoneInfo

# Seconds since 1970 UTC, from the first on, before the second.
Interval: TypeAlias = tuple[int, int]
DAY: Final = 86_400
EPOCH: Final = date(1970, 1, 1).toordinal()
# No place is further from UTC than this, and no clock jumps twice within a step.
_FURTHEST: Final = 16 * 3600
_STEP: Final = 3 * 3600
_START: Final = datetime(1970, 1, 1, tzinfo=UTC)


def seconds(moment: datetime) -> int:
    """Whole seconds since 1970 UTC of an aware ``moment``, rounded down."""
    return (moment - _START) // timedelta(seconds=1)


def moment(second: int) -> datetime:
    """The aware UTC time of a number of seconds since 1970."""
    return _START + timedelta(seconds=second)


def local_date(zone: str, now: datetime) -> date:
    """The date on the clock of a place."""
    return now.astimezone(_place(zone)).date()


@lru_cache(maxsize=1 << 15)
def open_times(zone: str, day: date, opens: int, closes: int) -> tuple[Interval, ...]:
    """When the clock of ``zone`` shows ``day`` and a time from ``opens`` to before ``closes``.

    Times are minutes after midnight. More than one interval where a time comes twice.
    """
    midnight = (day.toordinal() - EPOCH) * DAY
    wall = midnight + opens * 60, midnight + closes * 60
    found = []
    for start, end, offset in _even_stretches(zone, day):
        interval = max(start, wall[0] - offset), min(end, wall[1] - offset)
        if interval[0] < interval[1]:
            found.append(interval)
    return tuple(merged(found))


def merged(intervals: Sequence[Interval]) -> list[Interval]:
    """The same times in order, with no two intervals that touch."""
    found: list[Interval] = []
    for start, end in sorted(intervals):
        if found and start <= found[-1][1]:
            found[-1] = found[-1][0], max(end, found[-1][1])
        else:
            found.append((start, end))
    return found


def common(ours: Sequence[Interval], theirs: Sequence[Interval]) -> list[Interval]:
    """The times that lie in both; each argument in order and without overlaps."""
    found: list[Interval] = []
    one = two = 0
    while one < len(ours) and two < len(theirs):
        start, end = max(ours[one][0], theirs[two][0]), min(ours[one][1], theirs[two][1])
        if start < end:
            found.append((start, end))
        if ours[one][1] < theirs[two][1]:
            one += 1
        else:
            two += 1
    return found


@lru_cache(maxsize=1 << 13)
def _even_stretches(zone: str, day: date) -> tuple[tuple[int, int, int], ...]:
    """The stretches around a local day in which the clock runs evenly: start, end, offset."""
    midnight = (day.toordinal() - EPOCH) * DAY
    first, last = midnight - _FURTHEST, midnight + DAY + _FURTHEST
    jumps = list(_jumps(zone, first, last))
    edges = [first, *jumps, last]
    return tuple((start, end, _offset(zone, start)) for start, end in pairwise(edges))


def _jumps(zone: str, first: int, last: int) -> Iterator[int]:
    """The seconds from which on the clock of ``zone`` is another one."""
    for start in range(first, last, _STEP):
        before, after = start, min(start + _STEP, last)
        offset = _offset(zone, before)
        if offset == _offset(zone, after):
            continue
        while after - before > 1:
            middle = (before + after) // 2
            before, after = (middle, after) if _offset(zone, middle) == offset else (before, middle)
        yield after


def _offset(zone: str, second: int) -> int:
    """Seconds that the clock of ``zone`` is ahead of UTC."""
    offset = moment(second).astimezone(_place(zone)).utcoffset()
    assert offset is not None
    return offset // timedelta(seconds=1)


@lru_cache(maxsize=1024)
def _place(zone: str) -> ZoneInfo:
    return ZoneInfo(zone)
