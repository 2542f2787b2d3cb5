"""Each figure with its numerator, its denominator and, for shares, how sure it is.

What a figure means is data (``worker/data/figures.toml``); here is only arithmetic. A figure over
nothing has no value, which is not zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keywords.data import load
from worker.statistics.intervals import Interval, share

_DATA: Final[Mapping[str, Any]] = load("figures", "worker.data")
VERSION: Final[str] = _DATA["version"]
OPTOUT_HOURS: Final[int] = _DATA["windows"]["optout_hours"]
LIFT_DAYS: Final[int] = _DATA["windows"]["lift_days"]
SHARE, THOUSAND = "share", "thousand"


@dataclass(frozen=True, slots=True)
class Definition:
    """What a figure means. ``denominator`` is None for one that is a plain amount."""

    key: str
    label: str
    unit: str
    numerator: str
    denominator: str | None
    definition: str


DEFINITIONS: Final[Mapping[str, Definition]] = {
    key: Definition(
        key,
        row["label"],
        row["unit"],
        row["numerator"],
        row.get("denominator"),
        row["definition"],
    )
    for key, row in _DATA["figures"].items()
}


@dataclass(frozen=True, slots=True)
class Figure:
    """A value with what it was made of. ``of`` says which, where there are several of a kind.

    ``interval`` (95 %) is there for shares.
    """

    key: str
    value: float | None
    numerator: int
    denominator: int | None = None
    interval: Interval | None = None
    of: str | None = None


def amount(key: str, value: int, of: str | None = None) -> Figure:
    """A plain count or amount."""
    return Figure(key, value, value, None, None, of)


def rate(key: str, numerator: int, denominator: int, of: str | None = None) -> Figure:
    """One number over another. A share also says how far it may be from the true one."""
    unit = DEFINITIONS[key].unit
    factor = 1000 if unit == THOUSAND else 1
    value = numerator * factor / denominator if denominator else None
    sure = unit == SHARE and 0 <= numerator <= denominator and denominator > 0
    return Figure(
        key, value, numerator, denominator, share(numerator, denominator) if sure else None, of
    )
