"""The texts' way into the database: one connection for each web process, shared in groups.

When the server goes away in mid-group, the group is tried again on a new connection for a few
seconds: a PostgreSQL that restarts must not cost a STOP, and Twilio waits 15 s for an answer.
Trying again is safe, because a MessageSid is taken once for ever.

A text that withdraws consent while a campaign's text to the same person is in mid-call must wait
for the carrier; nobody else should. It goes to a second group with a connection of its own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, TypeAlias

import psycopg

from bot.group import Group
from storage.conversation import Answer, Arrival, exchange, exchange_fenced
from storage.database import BY_KEY, Connection, connect
from storage.shop import ShopCache

GROUP_LIMIT: Final = 64
PATIENCE_S: Final = 6.0
PAUSE_S: Final = 0.1

_Serve: TypeAlias = Callable[[Connection, ShopCache, Sequence[Arrival]], list[Answer]]


class Exchange:
    """Answers inbound texts durably. Thread-safe; make it in the process that uses it.

    ``base_url`` is PUBLIC_BASE_URL, for replies that lead to a form.
    """

    def __init__(self, database_url: str, base_url: str = "") -> None:
        shops = ShopCache(base_url)
        self._usual = _Way(database_url, "texts", shops, exchange)
        self._fenced = _Way(database_url, "texts that wait", shops, exchange_fenced)

    def answer(self, arrival: Arrival) -> Answer:
        """The answer to a text, committed when this returns.

        Raises ``psycopg.OperationalError`` when the database stays away.
        """
        answer = self._usual.group.submit(arrival)
        while answer.crossing:
            answer = self._fenced.group.submit(arrival)
        return answer

    def close(self) -> None:
        """Let the connections go."""
        self._usual.close()
        self._fenced.close()


class _Way:
    """One group and its connection, which is made when it is wanted."""

    def __init__(self, database_url: str, name: str, shops: ShopCache, serve: _Serve) -> None:
        self._url = database_url
        self._name = name
        self._shops = shops
        self._serve = serve
        self._connection: Connection | None = None
        self.group: Group[Arrival, Answer] = Group(
            self._run, limit=GROUP_LIMIT, shared=psycopg.OperationalError
        )

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, arrivals: Sequence[Arrival]) -> Sequence[Answer]:
        """One group. Only the leader of a group is ever in here, so the connection is its own."""
        deadline = time.monotonic() + PATIENCE_S
        while True:
            try:
                return self._serve(self._connected(), self._shops, arrivals)
            except psycopg.OperationalError:
                self.close()
                if time.monotonic() >= deadline:
                    raise
                time.sleep(PAUSE_S)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, self._name, planner=BY_KEY)
        return self._connection
