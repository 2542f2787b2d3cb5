"""When nearly nobody answers YES, the numbers were not their owners' to type in.

A breaker for each range of numbers, each country and the whole. Closed: questions are counted. Too
few YES: open, nothing passes. Later half-open: some may pass, and their answers close it again or
open it for twice as long. Pure: what is, what was counted, and the moment give what is next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keywords.data import load
from worker.policy.form_limits import Scope

_DATA: Final[Mapping[str, Any]] = load("form_limits", "worker.data")["breakers"]
WINDOW: Final = timedelta(seconds=_DATA["window_s"])
GRACE: Final = timedelta(seconds=_DATA["grace_s"])
_OPEN: Final = timedelta(seconds=_DATA["open_s"])
_LONGEST: Final = timedelta(seconds=_DATA["longest_s"])
_PROBES: Final[int] = _DATA["probes"]
_PERCENT: Final[int] = _DATA["percent"]
_LEAST: Final[Mapping[str, int]] = _DATA["least"]


@dataclass(frozen=True, slots=True)
class Breaker:
    """One breaker. ``until`` is when it becomes half-open, None while it is closed.

    Questions count from ``since`` on; ``trips`` is how often it opened in a row; ``probes`` is how
    many forms may still pass on trial.
    """

    since: datetime
    until: datetime | None = None
    trips: int = 0
    probes: int = 0


@dataclass(frozen=True, slots=True)
class Answers:
    """Questions since a breaker's ``since``: ``asked`` are old enough to judge, or answered;
    ``waiting`` are neither.
    """

    asked: int
    confirmed: int
    waiting: int = 0


def judge(scope: Scope, before: Breaker | None, found: Answers, now: datetime) -> Breaker | None:
    """The breaker as it is to be now; None where there is none and none is needed."""
    if before is None or before.until is None:
        return _opened(before, now) if _failing(scope, found) else before
    if now < before.until:
        return before
    if found.confirmed * 100 >= _PERCENT * _PROBES and found.confirmed:
        return Breaker(since=now)
    if before.probes <= 0 and found.waiting == 0:
        return _opened(before, now)
    return before


def _failing(scope: Scope, found: Answers) -> bool:
    return found.asked >= _LEAST[scope] and found.confirmed * 100 < _PERCENT * found.asked


def _opened(before: Breaker | None, now: datetime) -> Breaker:
    trips = before.trips if before else 0
    until = now + min(_OPEN * 2 ** min(trips, 16), _LONGEST)
    return Breaker(since=until, until=until, trips=trips + 1, probes=_PROBES)
