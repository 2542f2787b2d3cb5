"""Has a campaign so many failures of one kind that a person should look? Pure.

What is compared are two counts of the same campaign, one from the beginning of the window and one
of now. The rules are in ``worker/data/pausing.toml``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from keywords.data import load
from worker.errors import CarrierError, ErrorClass, judge

_DATA: Final[Mapping[str, Any]] = load("pausing", "worker.data")
WINDOW: Final = timedelta(minutes=_DATA["window_minutes"])
# How many texts the carrier has answered for, and how many failed with each code.
_REJECTED, _DELIVERY, _ACCEPTED = "rejected", "delivery", "accepted"


@dataclass(frozen=True, slots=True)
class Counts:
    """``answered``: texts that the carrier took or refused; ``failed`` by its error code."""

    answered: int
    failed: Mapping[int, int]

    def since(self, before: Counts) -> Counts:
        """What has happened since ``before``."""
        failed = {code: n - before.failed.get(code, 0) for code, n in self.failed.items()}
        return Counts(self.answered - before.answered, failed)


@dataclass(frozen=True, slots=True)
class Failing:
    """Why a campaign is paused: a class of errors, its most frequent code, how many of how many."""

    kind: ErrorClass
    code: int
    count: int
    of: int

    @property
    def reason(self) -> str:
        """The rule, as it is stored with the campaign."""
        return f"failing.{self.kind}.{self.code}"


def counts(tallies: Mapping[tuple[str, str], int]) -> Counts:
    """The counts in a campaign's tallies (``storage.tallies``)."""
    answered, failed = 0, dict[int, int]()
    for (what, why), n in tallies.items():
        answered += n if what in (_ACCEPTED, _REJECTED) else 0
        code = why.rpartition(".")[2]
        if what in (_REJECTED, _DELIVERY) and code.isdecimal():
            failed[int(code)] = failed.get(int(code), 0) + n
    return Counts(answered, failed)


def failing(recent: Counts) -> Failing | None:
    """The class of errors for which a campaign must wait; None when it may go on.

    ``recent`` is what happened within the window.
    """
    errors = {code: judge(code) for code in recent.failed}
    for kind, rule in _DATA["classes"].items():
        found = {c: n for c, n in recent.failed.items() if errors[c].kind == kind and n > 0}
        count = sum(found.values())
        if _too_many(count, recent.answered, rule) or _halts(found, errors):
            code = max(found, key=lambda c: found[c])
            return Failing(ErrorClass(kind), code, count, recent.answered)
    return None


def _too_many(count: int, answered: int, rule: Mapping[str, Any]) -> bool:
    return count >= int(rule["least"]) and count >= float(rule["share"]) * answered


def _halts(found: Mapping[int, int], errors: Mapping[int, CarrierError]) -> bool:
    return any(errors[code].halts for code in found)
