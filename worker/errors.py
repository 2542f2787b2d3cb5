"""The closed table of what a carrier's refusal means. The data is in ``data/carrier_errors.toml``.

The gateway finds the row; ``sending`` alone acts on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from keywords.data import load


class ErrorClass(StrEnum):
    """Whose fault a refusal is."""

    HARD = "hard"
    SOFT = "soft"
    CONSENT = "consent"
    SYSTEM = "system"
    CONFIG = "config"
    CONTENT = "content"


class Reachability(StrEnum):
    """What a refusal says about the number. It never says anything about consent."""

    INVALID = "invalid"
    LANDLINE = "landline"
    UNREACHABLE = "unreachable"
    DOUBTFUL = "doubtful"


@dataclass(frozen=True, slots=True)
class CarrierError:
    """One row. ``retry``: certainly not accepted, may go later; ``halts``: nothing else would go.

    ``number`` is None when the refusal says nothing about the number. A doubtful number counts as
    unreachable after so many ``strikes``, the first and the last of them ``over`` apart.
    """

    code: int
    kind: ErrorClass
    retry: bool
    number: Reachability | None
    halts: bool
    meaning: str
    strikes: int = 0
    over: timedelta = timedelta(0)


def _row(code: int, row: Mapping[str, Any]) -> CarrierError:
    number = row.get("number")
    return CarrierError(
        code,
        ErrorClass(row["class"]),
        row.get("retry", False),
        Reachability(number) if number else None,
        row.get("halts", False),
        row["meaning"],
        row.get("strikes", 0),
        timedelta(days=row.get("over_days", 0)),
    )


TABLE: Final[Mapping[int, CarrierError]] = {
    int(code): _row(int(code), row)
    for code, row in load("carrier_errors", "worker.data")["codes"].items()
}


def judge(code: int, status: int | None = None) -> CarrierError:
    """The row for Twilio's ``code``; else for the HTTP ``status``; else soft, not to be retried."""
    known = TABLE.get(code) or TABLE.get(status or 0)
    return known or _row(code, {"class": ErrorClass.SOFT, "meaning": "Not in the table."})
