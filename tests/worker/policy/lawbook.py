"""The state table once more, written down by hand from the research, to check the data against.

Local hours of Monday to Friday, Saturday and Sunday as 24-hour numbers; None: nothing may go.
Valid from 18 October 2026 on.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

# From, to; None for a closed day.
Day = tuple[int, int] | None

USUAL: Final = ((8, 21), (8, 21), (8, 21))
TABLE: Final[dict[str, tuple[Day, Day, Day]]] = {
    "AL": ((8, 20), (8, 20), None),
    "CA": ((8, 21), (8, 21), (8, 21)),
    "CT": ((9, 20), (9, 20), (9, 20)),
    "FL": ((8, 20), (8, 20), (8, 20)),
    "IL": ((9, 21), (9, 21), (9, 21)),
    "IN": ((8, 21), (8, 21), (8, 21)),
    "KY": ((10, 21), (10, 21), (10, 21)),
    "LA": ((8, 20), (8, 20), None),
    "ME": ((8, 21), (8, 21), (8, 21)),
    "MD": ((8, 20), (8, 20), (8, 20)),
    "MA": ((8, 20), (8, 20), (8, 20)),
    "MI": ((9, 21), (9, 21), (9, 21)),
    "MN": ((9, 21), (9, 21), (9, 21)),
    "MS": ((8, 20), (8, 20), None),
    "NV": ((9, 20), (9, 20), (9, 20)),
    "NJ": ((8, 21), (8, 21), (8, 21)),
    "NM": ((9, 21), (9, 21), (9, 21)),
    "NY": ((8, 21), (8, 21), (8, 21)),
    "OK": ((8, 20), (8, 20), (8, 20)),
    "OR": ((8, 20), (8, 20), (8, 20)),
    "PA": ((9, 19), (9, 19), None),
    "RI": ((9, 18), (10, 17), None),
    "SD": ((9, 21), (9, 21), None),
    "TX": ((9, 21), (9, 21), (12, 21)),
    "UT": ((8, 21), (8, 21), None),
    "VA": ((8, 21), (8, 21), (8, 21)),
    "WA": ((8, 20), (8, 20), (8, 20)),
    "WY": ((8, 20), (8, 20), (8, 20)),
}
# States that allow nothing on holidays.
HOLIDAYS: Final = ("AL", "LA", "PA", "RI", "UT")
# At most three in 24 hours.
CAPPED: Final = ("FL", "MD", "NJ", "OK", "OR")
THANKSGIVING: Final = date(2026, 11, 26)


def hours(state: str, day: date, *, holiday: bool = False) -> Day:
    """The hours of a state on a local day, inside the federal ones."""
    if holiday and state in HOLIDAYS:
        return None
    return TABLE.get(state, USUAL)[max(0, day.weekday() - 4)]


def allows(state: str, zone: str, now: datetime, *, holidays: tuple[date, ...] = ()) -> bool:
    """Whether the law of a state allows a text at ``now`` on the clock of ``zone``."""
    there = now.astimezone(ZoneInfo(zone))
    open_hours = hours(state, there.date(), holiday=there.date() in holidays)
    if open_hours is None:
        return False
    return open_hours[0] <= there.hour + there.minute / 60 < open_hours[1]
