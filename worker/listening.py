"""Read the carrier's log of inbound texts, and take in those that no webhook brought.

Only texts to our own senders are listed, so a campaign of a million does not have to be paged
through. The newest moments are left to the webhook, which may be at work on them: a text that both
take is one text (its MessageSid is taken once), but its reply would be said twice.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Sequence
from datetime import UTC, timedelta
from typing import Final

from twilio.base.exceptions import TwilioException

from keywords.phone import address
from keywords.turn import Text
from storage import inbound, listening
from storage.conversation import Arrival, exchange, exchange_fenced
from storage.database import Connection
from storage.settings import Settings
from storage.shop import ShopCache, load_shop
from worker.background import Background
from worker.gateway import Gateway, Listed

EVERY_S: Final = 120.0
# While marketing waits for it.
URGENT_S: Final = 5.0
# Twilio has given up on a webhook by then (15 s), and a text may enter its log a little late.
GRACE: Final = timedelta(seconds=20)
_OVERLAP: Final = timedelta(minutes=5)
_GROUP: Final = 64
_UNREADABLE: Final = (TwilioException, OSError, ValueError, TypeError, LookupError, AttributeError)

_log = logging.getLogger(__name__)


def hear(
    connection: Connection, shops: ShopCache, gateway: Gateway, grace: timedelta = GRACE
) -> int:
    """Take in what the carrier has and we have not; answers how many texts that were.

    Texts younger than ``grace`` are left to the webhook. Raises what the SDK raises when the log
    cannot be read: then the mark stays where it is, and the next reading begins there again.
    """
    before = listening.look(connection)
    until = before.now - grace
    if before.until is None:
        # The number is new to us: what was said on it earlier was said to somebody else.
        listening.done(connection, until, 0)
        return 0
    texts: list[Listed] = []
    for sender in load_shop(connection).senders:
        texts += gateway.inbound(sender, before.until - _OVERLAP)
    found = _take_in(connection, shops, [text for text in texts if text.at < until])
    listening.done(connection, until, found)
    if found:
        _log.warning("texts were found in the carrier's log", extra={"count": found})
    return found


def _take_in(connection: Connection, shops: ShopCache, texts: Sequence[Listed]) -> int:
    known = inbound.known(connection, [text.sid for text in texts])
    missing = sorted((t for t in texts if t.sid not in known), key=lambda t: (t.at, t.sid))
    for start in range(0, len(missing), _GROUP):
        waiting = [_arrival(text) for text in missing[start : start + _GROUP]]
        answers = exchange(connection, shops, waiting)
        while waiting := [a for a, b in zip(waiting, answers, strict=True) if b.crossing]:
            answers = exchange_fenced(connection, shops, waiting)
    return len(missing)


def _arrival(text: Listed) -> Arrival:
    """A text of the log as the exchange takes it; the record stands where the form would."""
    raw = json.dumps(text.record, ensure_ascii=True).encode()
    heard = Text(
        sid=text.sid,
        address=text.address,
        sender=text.sender,
        body=_clean(text.body),
        media=text.media,
        sent_at=text.at.astimezone(UTC),
    )
    return Arrival(heard, address(text.address).phone, raw)


def _clean(body: str) -> str:
    """Without what PostgreSQL does not take."""
    return body.replace("\0", "").encode("utf-8", "replace").decode()


class Ear:
    """Reads the log now and then, in a thread of its own: a carrier that hangs delays nobody."""

    def __init__(self, settings: Settings) -> None:
        assert settings.database_url is not None
        self._shops = ShopCache(settings.public_base_url)
        self._gateway = Gateway(settings)
        self._reading = Background(settings.database_url, "listening", self._read)
        self._last = float("-inf")

    def listen(self, connection: Connection) -> bool:
        """Begin a reading if one is due; answers whether it was."""
        if self._reading.busy:
            return False
        held = listening.look(connection).hold is not None
        if time.monotonic() - self._last < (URGENT_S if held else EVERY_S):
            return False
        self._last = time.monotonic()
        return self._reading.begin()

    def close(self) -> None:
        """Let everything go when the reading has ended."""
        self._reading.close()
        self._gateway.close()

    def _read(self, connection: Connection) -> None:
        try:
            hear(connection, self._shops, self._gateway)
        except _UNREADABLE as error:
            _log.error("the carrier's log could not be read: %s", type(error).__name__)
