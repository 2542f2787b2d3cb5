"""Fetch the list of numbers that American carriers deactivated on a day, from Twilio.

CTIA's Messaging Principles (5.1.5) ask that such lists are read regularly, for example daily.
Twilio answers with the address of a file that has one number a line.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

import requests
from twilio.base.exceptions import TwilioException
from twilio.http.http_client import TwilioHttpClient
from twilio.rest import Client

from storage import hygiene
from storage.database import Connection
from storage.settings import Settings
from storage.shop import ShopCache
from worker.background import Background
from worker.hygiene import Read, deactivated

_TIMEOUT_S: Final = 10.0
# A list that was not read on its day is still asked for so many days later.
_DAYS: Final = 7
_NATIONAL: Final = 10
SOURCE: Final = "Twilio Deactivations API"
FAILURES: Final = (TwilioException, requests.RequestException, ValueError)

_log = logging.getLogger(__name__)


def fetch(settings: Settings, day: date) -> Iterator[str]:
    """The numbers that were deactivated on ``day``, as the file has them; never a whole file.

    Raises one of ``FAILURES``: a list that is not there yet is a TwilioException (404).
    """
    client = Client(
        settings.twilio_account_sid,
        settings.twilio_auth_token,
        http_client=TwilioHttpClient(timeout=_TIMEOUT_S),
        environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
    )
    address = client.messaging.v1.deactivations().fetch(date=day).redirect_to
    if not address or not address.startswith("https://"):
        raise ValueError("Twilio names no file of deactivated numbers.")
    with requests.get(address, stream=True, timeout=_TIMEOUT_S, allow_redirects=False) as answer:
        answer.raise_for_status()
        yield from answer.iter_lines(decode_unicode=True)


def numbers(lines: Iterable[str]) -> Iterator[str]:
    """The E.164 numbers of such a file; lines that hold none are left out."""
    for line in lines:
        written = line.strip().strip('"')
        digits = written.removeprefix("+")
        if digits.isascii() and digits.isdecimal():
            yield f"+{digits}" if len(digits) > _NATIONAL else f"+1{digits}"


def read_missing(connection: Connection, shops: ShopCache, settings: Settings) -> int:
    """Read the lists of the last days that were not read; answers how many were.

    With the simulator there are no such lists, and nothing is asked for.
    """
    if settings.simulator:
        return 0
    done = 0
    for day in hygiene.days_missing(connection, _DAYS):
        try:
            read_day(connection, shops, settings, day)
        except FAILURES as error:
            _log.warning("a list of deactivated numbers is not there: %s", type(error).__name__)
            continue
        done += 1
    return done


def read_day(connection: Connection, shops: ShopCache, settings: Settings, day: date) -> Read:
    """Fetch and apply one day's list. Raises one of ``FAILURES``."""
    return deactivated(connection, shops, numbers(fetch(settings, day)), day, SOURCE)


class Feed:
    """Reads the lists that are missing, in a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        shops = ShopCache(settings.public_base_url)
        self._simulated = settings.simulator
        self._reading = Background(
            settings.database_url,
            "deactivations",
            lambda connection: read_missing(connection, shops, settings),
        )

    def begin(self) -> int:
        """Begin to look for lists, unless that is going on; answers whether it did."""
        return 0 if self._simulated else int(self._reading.begin())

    def close(self) -> None:
        """Wait for its end."""
        self._reading.close()
