"""Is it daytime where the owner of a number may be?

The zones that a number's prefix allows are the only evidence there is yet; it must be daytime in
all of them. The hours are in ``worker/data/daytime.toml``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from keywords.data import load

_DATA: Final = load("daytime", "worker.data")
_FROM: Final = time(_DATA["from_hour"])
_UNTIL: Final = time(_DATA["until_hour"])
ANYWHERE_IN_THE_US: Final[tuple[str, ...]] = tuple(_DATA["anywhere_in_the_us"])
# The country code of North America, whose numbers without a place "belong" to 40 zones.
_NORTH_AMERICA: Final = 1


def zones_of(phone: str) -> tuple[str, ...]:
    """The names of the time zones that the owner of an E.164 number may be in, one or more."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return ANYWHERE_IN_THE_US
    kind = phonenumbers.number_type(number)
    country = number.country_code or 0
    placed = phonenumbers.is_number_type_geographical(kind, country)
    if country == _NORTH_AMERICA and not placed:
        return ANYWHERE_IN_THE_US
    zones = tuple(time_zones_for_number(number))
    return ANYWHERE_IN_THE_US if UNKNOWN_TIMEZONE in zones else zones


def day_ends(zones: Iterable[str], now: datetime) -> datetime | None:
    """When daytime ends in the first of ``zones``, in UTC; None when it is night in one of them.

    ``now`` is aware. A zone that this machine does not know counts as night.
    """
    ends = [_day_ends(zone, now) for zone in zones]
    known = [end for end in ends if end is not None]
    return min(known) if known and len(known) == len(ends) else None


def _day_ends(zone: str, now: datetime) -> datetime | None:
    place = _place(zone)
    if place is None:
        return None
    local = now.astimezone(place)
    if not _FROM <= local.time() < _UNTIL:
        return None
    return datetime.combine(local.date(), _UNTIL, place).astimezone(UTC)


@lru_cache(maxsize=512)
def _place(zone: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(zone)
    except ZoneInfoNotFoundError:
        return None
