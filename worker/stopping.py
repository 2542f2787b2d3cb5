"""A request to stop, by SIGTERM or Ctrl-C, that a loop asks about between two pieces of work.

A flag and short naps, not ``threading.Event``: an event's lock may be held by the very thread
that the signal interrupts.
"""

from __future__ import annotations

import random
import signal
import time
from types import FrameType
from typing import Final

_NAP_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 10.0
_chance = random.SystemRandom()


class Stop:
    """``asked`` is true once somebody wants the loop to end."""

    def __init__(self) -> None:
        self.asked = False

    def listen(self) -> None:
        """Be asked by SIGTERM and SIGINT. Only the main thread can listen."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def sleep(self, seconds: float) -> None:
        """Sleep so long, or until somebody asks."""
        until = time.monotonic() + seconds
        while not self.asked and (left := until - time.monotonic()) > 0:
            time.sleep(min(left, _NAP_S))

    def _hear(self, _signal: int, _frame: FrameType | None) -> None:
        self.asked = True


def pause_s(failures: int) -> float:
    """Seconds to wait after so many failures in a row: doubling, bounded, spread by a half."""
    usual = min(0.5 * 2.0 ** min(failures, 10), _LONGEST_PAUSE_S)
    return usual * (0.5 + _chance.random())
