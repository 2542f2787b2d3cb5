"""Ask the carrier what texts have cost: its own log, a day later, an hour of texts at a time.

A thousand texts come with one request, so a campaign of a million is a thousand requests, in a
thread of its own. What the carrier has no price for by then keeps that of the list.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta
from itertools import islice
from typing import Final

from twilio.base.exceptions import TwilioException

from storage import prices
from storage.database import Connection
from storage.settings import Settings
from storage.shop import load_shop
from storage.transaction import atomic
from worker.background import Background
from worker.gateway import Gateway

LATER: Final = timedelta(hours=24)
# So many hours at once, where some were missed.
_HOURS: Final = 24
_PAGE: Final = 1_000
_UNREADABLE: Final = (TwilioException, OSError, ValueError, TypeError, LookupError, ArithmeticError)

_log = logging.getLogger(__name__)


def ask(connection: Connection, gateway: Gateway, later: timedelta = LATER) -> int:
    """Note the prices of texts that went ``later`` ago or before; answers how many were news.

    Raises what the SDK raises: the hour that could not be read is read again the next time.
    """
    total = 0
    for _ in range(_HOURS):
        with atomic(connection):
            hour = prices.due(connection, later)
        if hour is None:
            break
        for sender in load_shop(connection).senders:
            for page in _pages(gateway.prices(sender, *hour)):
                with atomic(connection):
                    total += prices.report_texts(connection, page)
        with atomic(connection):
            prices.asked(connection, hour[1])
    return total


def _pages(told: Iterable[tuple[str, int]]) -> Iterator[dict[str, int]]:
    waiting = iter(told)
    while page := dict(islice(waiting, _PAGE)):
        yield page


class Prices:
    """Asks now and then, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self._gateway = Gateway(settings)
        self._asking = Background(settings.database_url, "prices", self._ask)

    def begin(self) -> bool:
        """Begin to ask, unless that is going on; answers whether it did."""
        return self._asking.begin()

    def close(self) -> None:
        """Wait for its end."""
        self._asking.close()
        self._gateway.close()

    def _ask(self, connection: Connection) -> None:
        try:
            ask(connection, self._gateway)
        except _UNREADABLE as error:
            _log.warning("prices could not be read: %s", type(error).__name__)
