"""Work that waits for others' systems, in a thread of its own, so that a ticker never does."""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import psycopg

from storage.database import Connection, connect

_log = logging.getLogger(__name__)


class Background:
    """One kind of work, one at a time, on a connection of its own. ``name`` shows in the server.

    An error of the work is logged by its type; the next time it is begun again.
    """

    def __init__(self, url: str, name: str, work: Callable[[Connection], object]) -> None:
        self._url = url
        self._name = name
        self._work = work
        self._thread = ThreadPoolExecutor(1, thread_name_prefix=name)
        self._running: Future[None] | None = None

    @property
    def busy(self) -> bool:
        """Whether the work is going on."""
        return self._running is not None and not self._running.done()

    def begin(self) -> bool:
        """Begin the work; False while it is going on already."""
        if self.busy:
            return False
        if self._running is not None and (failed := self._running.exception()) is not None:
            _log.error("work in the background failed: %s", type(failed).__name__)
        self._running = self._thread.submit(self._run)
        return True

    def close(self) -> None:
        """Wait for its end."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def _run(self) -> None:
        try:
            with connect(self._url, self._name) as connection:
                self._work(connection)
        except psycopg.OperationalError as error:
            _log.warning("the database is away: %s", type(error).__name__)
