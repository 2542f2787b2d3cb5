"""A web process says that it is there, so that marketing may go while somebody hears a STOP.

With each beat it hands in what it has counted.
"""

from __future__ import annotations

import logging
import threading
from typing import Final

import psycopg

from storage.database import connect
from storage.listening import BEAT_S, beat
from storage.meters import Meters

_log: Final = logging.getLogger(__name__)


def announce(database_url: str, meters: Meters) -> threading.Event:
    """Begin to say so every few seconds, in a thread; set the event to end it."""
    end = threading.Event()
    given = (database_url, meters, end)
    threading.Thread(target=_beat, args=given, daemon=True, name="presence").start()
    return end


def _beat(database_url: str, meters: Meters, end: threading.Event) -> None:
    while not end.is_set():
        try:
            with connect(database_url, "presence") as connection:
                while not end.is_set():
                    beat(connection)
                    meters.hand_in(connection)
                    end.wait(BEAT_S)
        except psycopg.Error as error:
            _log.warning("the database is away: %s", type(error).__name__)
            end.wait(BEAT_S)
