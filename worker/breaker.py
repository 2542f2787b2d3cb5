"""A breaker: when the carrier refuses everything, stop asking, and try one text now and then."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

PAUSE_S: Final = 60.0


class Breaker:
    """Closed until a refusal that concerns every text; then one probe each ``PAUSE_S`` seconds.

    Each process has its own. ``clock`` counts seconds and never goes back.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._opened: float | None = None

    def allowance(self, usual: int) -> int:
        """How many texts may be claimed now: ``usual``, one as a probe, or none."""
        if self._opened is None:
            return usual
        return 1 if self._clock() - self._opened >= PAUSE_S else 0

    def trip(self) -> bool:
        """The carrier refused everything; answers whether that is news."""
        news = self._opened is None
        self._opened = self._clock()
        return news

    def reset(self) -> None:
        """The carrier took a text, or refused one for reasons of its own: all is well again."""
        self._opened = None
