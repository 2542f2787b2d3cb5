"""How many requests a key may make: a bucket of tokens for each, in this process.

A web process that is busy with one client's loop has no time for the others. The limit is far
above what people and their scripts need; it is not a quota.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Hashable
from typing import Final

BURST: Final = 300
PER_SECOND: Final = 50.0
_FORGET_ABOVE: Final = 10_000


class Pace:
    """Buckets by key. ``clock`` gives seconds that only grow."""

    def __init__(
        self,
        clock: Callable[[], float],
        burst: int = BURST,
        per_second: float = PER_SECOND,
    ) -> None:
        self._clock = clock
        self._burst = burst
        self._rate = per_second
        self._buckets: dict[Hashable, tuple[float, float]] = {}
        self._lock = threading.Lock()

    def wait(self, key: Hashable) -> int:
        """Take a token: 0 when there was one, else the whole seconds until there is."""
        now = self._clock()
        with self._lock:
            tokens, at = self._buckets.pop(key, (float(self._burst), now))
            tokens = min(self._burst, tokens + (now - at) * self._rate)
            granted = tokens >= 1
            self._buckets[key] = (tokens - 1 if granted else tokens, now)
            if len(self._buckets) > _FORGET_ABOVE:
                del self._buckets[next(iter(self._buckets))]
        return 0 if granted else math.ceil((1 - tokens) / self._rate)
