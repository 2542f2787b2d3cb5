"""Group commit: requests that arrive in the same instant share one transaction.

Each request thread submits its item and waits. One of them leads: it takes everything that is
waiting, runs it as one group, and hands the lead to somebody who came in meanwhile. Nobody waits
for company: when no one else is there, the group is one and runs at once. Where each run has a
price of its own, as a flush to the disk has, groups may be kept a moment apart, so that more of
those who come at the same time share one; whoever comes alone still waits for nothing.

A failure reaches every member. When a group of several fails for another reason than the
database being away, its members run again one by one, so that only the cause of it fails.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


class _Place(Generic[Item, Result]):
    """A request's place in the queue. ``turn`` is released when it leads or has its result."""

    __slots__ = ("error", "item", "leads", "result", "turn")

    def __init__(self, item: Item) -> None:
        self.item = item
        self.result: Result | None = None
        self.error: BaseException | None = None
        self.leads = False
        self.turn = threading.Lock()
        self.turn.acquire()


class Group(Generic[Item, Result]):
    """Runs items in groups of at most ``limit``; ``run`` answers in the order it was given.

    ``shared`` is the class of errors that no member can be blamed for: they are not retried one
    by one. ``apart`` is the least time in seconds between the beginnings of two groups.
    """

    def __init__(
        self,
        run: Callable[[Sequence[Item]], Sequence[Result]],
        *,
        limit: int,
        shared: type[Exception],
        apart: float = 0.0,
    ) -> None:
        self._run = run
        self._limit = limit
        self._shared = shared
        self._apart = apart
        self._begun = float("-inf")
        self._waiting: deque[_Place[Item, Result]] = deque()
        self._busy = False
        self._lock = threading.Lock()

    def submit(self, item: Item) -> Result:
        """The result of ``item``; raises what its group raised."""
        place: _Place[Item, Result] = _Place(item)
        with self._lock:
            self._waiting.append(place)
            leads, self._busy = not self._busy, True
        if not leads:
            place.turn.acquire()
        if leads or place.leads:
            self._lead()
        if place.error is not None:
            raise place.error
        return place.result  # type: ignore[return-value]

    def _lead(self) -> None:
        if self._apart:
            self._keep_apart()
        with self._lock:
            size = min(len(self._waiting), self._limit)
            group = [self._waiting.popleft() for _ in range(size)]
        try:
            self._serve(group)
        finally:
            self._hand_over()
        for place in group:
            place.turn.release()

    def _keep_apart(self) -> None:
        """Wait until it is time for another group. Only the leader is ever in here."""
        early = self._begun + self._apart - time.monotonic()
        if early > 0:
            time.sleep(early)
        self._begun = time.monotonic()

    def _hand_over(self) -> None:
        with self._lock:
            heir = self._waiting[0] if self._waiting else None
            self._busy = heir is not None
        if heir is not None:
            heir.leads = True
            heir.turn.release()

    def _serve(self, group: Sequence[_Place[Item, Result]]) -> None:
        try:
            results = self._run([place.item for place in group])
        except self._shared as error:
            _blame(group, error)
        except BaseException as error:  # noqa: BLE001 - handed to whoever waits for it
            if len(group) == 1:
                _blame(group, error)
                return
            for place in group:
                self._serve([place])
        else:
            for place, result in zip(group, results, strict=True):
                place.result = result


def _blame(group: Sequence[_Place[Item, Result]], error: BaseException) -> None:
    for place in group:
        place.error = error
