"""The texts' way into the database: one connection for each web process, shared in groups.

A PostgreSQL that restarts must not cost a STOP, and Twilio waits 15 s for an answer, so a group is
tried again for a few seconds (``ways``). That is safe, because a MessageSid is taken once for ever.

A text that withdraws consent while a campaign's text to the same person is in mid-call must wait
for the carrier; nobody else should. It goes to a second group with a connection of its own.
"""

from __future__ import annotations

from collections.abc import Sequence

from bot.ways import Way
from storage.conversation import Answer, Arrival, exchange, exchange_fenced
from storage.database import Connection
from storage.shop import ShopCache


class Exchange:
    """Answers inbound texts durably. Thread-safe; make it in the process that uses it.

    ``base_url`` is PUBLIC_BASE_URL, for replies that lead to a form.
    """

    def __init__(self, database_url: str, base_url: str = "") -> None:
        shops = ShopCache(base_url)

        def usual(connection: Connection, arrivals: Sequence[Arrival]) -> list[Answer]:
            return exchange(connection, shops, arrivals)

        def fenced(connection: Connection, arrivals: Sequence[Arrival]) -> list[Answer]:
            return exchange_fenced(connection, shops, arrivals)

        self._usual: Way[Arrival, Answer] = Way(database_url, "texts", usual)
        self._fenced: Way[Arrival, Answer] = Way(database_url, "texts that wait", fenced)

    def answer(self, arrival: Arrival) -> Answer:
        """The answer to a text, committed when this returns.

        Raises ``psycopg.OperationalError`` when the database stays away.
        """
        answer = self._usual.submit(arrival)
        while answer.crossing:
            answer = self._fenced.submit(arrival)
        return answer

    def close(self) -> None:
        """Let the connections go."""
        self._usual.close()
        self._fenced.close()
