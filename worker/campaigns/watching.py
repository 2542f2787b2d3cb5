"""Watch how campaigns fare, and pause the one that fails too often for one kind of reason.

What was counted is remembered for the length of the window by the process that watches; a new one
begins with what it sees first.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Final

from storage import campaign_states, tallies
from storage.campaign_states import WrongState
from storage.database import Connection
from storage.transaction import atomic
from worker.policy.pausing import WINDOW, Counts, Failing, counts, failing

_RUNNING: Final = """
SELECT id, resumed_at IS NOT NULL FROM campaigns WHERE state = 'running' ORDER BY id
"""
_NOTHING: Final = Counts(0, {})

_log = logging.getLogger(__name__)


class Watch:
    """One process's memory. ``clock`` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._seen: dict[int, deque[tuple[float, Counts]]] = {}

    def look(self, connection: Connection) -> list[int]:
        """Look at the campaigns that run; answers those that were paused."""
        running: dict[int, bool] = dict(connection.execute(_RUNNING).fetchall())
        self._seen = {number: self._seen.get(number, deque()) for number in running}
        return [n for n, resumed in running.items() if self._look(connection, n, resumed=resumed)]

    def _look(self, connection: Connection, number: int, *, resumed: bool) -> bool:
        now, seen = self._clock(), self._seen[number]
        found = counts(tallies.read(connection, number))
        seen.append((now, found))
        while seen and seen[0][0] < now - WINDOW.total_seconds():
            seen.popleft()
        # One that is seen for the first time counts from its beginning, unless somebody has let it
        # go on in spite of what had failed.
        before = seen[0][1] if len(seen) > 1 or resumed else _NOTHING
        why = failing(found.since(before))
        return why is not None and _pause(connection, number, why)


def _pause(connection: Connection, number: int, why: Failing) -> bool:
    try:
        with atomic(connection):
            told = campaign_states.pause(connection, number, why.reason)
    except WrongState:
        return False  # somebody was quicker
    if told.news:
        _log.error(
            "a campaign is paused, too many of its texts fail",
            extra={"kind": str(why.kind), "code": why.code, "count": why.count},
        )
    return told.news
