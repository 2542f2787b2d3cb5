"""The ticker's part in the defence of forms: breakers judged, old counts and questions deleted."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from storage import form_asks, form_counters
from storage.database import Connection
from storage.form_asks import Found, Set
from storage.transaction import atomic
from worker.policy.form_breakers import GRACE, WINDOW, Answers, Breaker, judge
from worker.policy.form_limits import Scope

KEPT: Final = timedelta(days=2)
_MANY: Final = 1_000
_ROUNDS: Final = 100

_log = logging.getLogger(__name__)


def judge_breakers(connection: Connection) -> int:
    """Open and close breakers by the answers that came; answers how many changed."""
    with atomic(connection):
        form_asks.confirm(connection)
        found = form_asks.find(connection, WINDOW, GRACE)
        changed = list(_changed(found))
        form_asks.write(connection, changed)
    _say(changed, found)
    return len(changed)


def forget(connection: Connection) -> int:
    """Delete counts that no limit needs, and questions of two days ago; answers how many."""
    total = 0
    for _ in range(_ROUNDS):
        with atomic(connection):
            done = form_counters.forget(connection, _MANY)
            done += form_asks.forget(connection, KEPT, _MANY)
        total += done
        if not done:
            break
    return total


def _changed(found: list[Found]) -> Iterator[Set]:
    for each in found:
        before = _breaker(each)
        answers = Answers(each.asked, each.confirmed, each.waiting)
        after = judge(Scope(each.scope), before, answers, each.now)
        if after is not None and after != before:
            yield Set(
                each.key,
                after.since,
                after.until,
                after.trips,
                after.probes,
                each.asked,
                each.confirmed,
            )


def _breaker(found: Found) -> Breaker | None:
    if found.since is None:
        return None
    return Breaker(found.since, found.until, found.trips, found.probes)


def _say(changed: list[Set], found: list[Found]) -> None:
    """Which ones they are stands in the API; a log has no ranges of numbers."""
    if not found:
        return
    now: datetime = found[0].now
    opened = sum(each.until is not None and each.until > now for each in changed)
    if opened:
        _log.warning(
            "forms are asked for numbers that do not answer: stopped there", extra={"count": opened}
        )
    if len(changed) > opened:
        _log.warning(
            "forms pass again where they were stopped", extra={"count": len(changed) - opened}
        )
