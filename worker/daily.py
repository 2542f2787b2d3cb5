"""What is done once a day, beside the ticker: bands of customers, and rules about the silent.

Both read a shop's whole history, which may take longer than anybody's text should wait.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from storage import bands
from storage.database import Connection
from storage.settings import Settings
from storage.shop import ShopCache
from storage.transaction import atomic
from worker import sunset
from worker.background import Background
from worker.runtime import required

BANDS_LAST: Final = timedelta(days=1)


class Daily:
    """The ticker's, which asks every few minutes; what was done today is not done again."""

    def __init__(self, settings: Settings) -> None:
        self._shops = ShopCache(settings.public_base_url)
        url = required(settings.database_url, "DATABASE_URL")
        self._work = Background(url, "daily", self._run)

    def begin(self) -> int:
        """Start what is due; answers 0 when it is going on already."""
        return int(self._work.begin())

    def close(self) -> None:
        """Wait for what is going on."""
        self._work.close()

    def _run(self, connection: Connection) -> None:
        cut_bands(connection)
        sunset.apply_due(connection, self._shops)


def cut_bands(connection: Connection) -> int:
    """Compute the bands of programs whose bands are a day old; answers how many have some."""
    done = 0
    for program in bands.due(connection, BANDS_LAST):
        with atomic(connection):
            done += bands.compute(connection, program) is not None
    return done
