"""A way into the database that requests share in groups: one connection, made when it is wanted.

When the server goes away in mid-group, the group is tried again on a new connection for a few
seconds, so what a group does must be safe to repeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, Generic, TypeVar

import psycopg

from bot.group import Group
from storage.database import BY_KEY, Connection, connect

GROUP_LIMIT: Final = 64
PATIENCE_S: Final = 6.0
PAUSE_S: Final = 0.1

Item = TypeVar("Item")
Result = TypeVar("Result")


class Way(Generic[Item, Result]):
    """Serves items in groups. Thread-safe; make it in the process that uses it.

    ``name`` shows in the database server's list of connections; ``serve`` answers a group, in its
    order, in a transaction of its own.
    """

    def __init__(
        self,
        database_url: str,
        name: str,
        serve: Callable[[Connection, Sequence[Item]], Sequence[Result]],
    ) -> None:
        self._url = database_url
        self._name = name
        self._serve = serve
        self._connection: Connection | None = None
        self._group: Group[Item, Result] = Group(
            self._run, limit=GROUP_LIMIT, shared=psycopg.OperationalError
        )

    def submit(self, item: Item) -> Result:
        """The result of ``item``.

        Raises ``psycopg.OperationalError`` when the database stays away.
        """
        return self._group.submit(item)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, items: Sequence[Item]) -> Sequence[Result]:
        """One group. Only the leader of a group is ever in here, so the connection is its own."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._serve(self._connected(), items)
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() >= deadline:
                    raise
                time.sleep(PAUSE_S)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, self._name, planner=BY_KEY)
        return self._connection
