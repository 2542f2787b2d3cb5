"""Is it daytime where the owner of a number may be? For texts that are no marketing.

The hours are the row "reminder" of ``worker/data/quiet_hours.toml``, on every clock that the number
allows.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from worker.policy.geography import is_zone
from worker.policy.places import Evidence, locate
from worker.policy.windows import Window, common_window

_HOURS: Final = "reminder"


def zones_of(phone: str) -> tuple[str, ...]:
    """The names of the time zones that the owner of an E.164 number may be in, one or more."""
    return locate(Evidence(phone)).zones


def day_ends(zones: Iterable[str], now: datetime) -> datetime | None:
    """When daytime ends in the first of ``zones``, in UTC; None when it is night in one of them.

    ``now`` is aware. A zone that this machine does not know counts as night, and so does the last
    minute of the day, which is too short for a text.
    """
    day = _day(zones, now)
    return day.closes if day is not None and day.opens <= now else None


def day_begins(zones: Iterable[str], now: datetime) -> datetime | None:
    """The first moment from ``now`` on at which it is daytime in all of ``zones``, in UTC.

    ``now`` itself when it is daytime; None when the days of the zones have no hour in common.
    """
    day = _day(zones, now)
    return max(day.opens, now) if day is not None else None


def _day(zones: Iterable[str], now: datetime) -> Window | None:
    """The day that lasts, or the next one."""
    clocks = tuple((_HOURS, zone) for zone in zones)
    if not clocks or not all(is_zone(zone) for _, zone in clocks):
        return None
    return common_window(clocks, now)
