"""Erasure where it meets the world: files of this machine first, then the database, in this order.

Files cannot be part of a transaction. They are emptied before it commits: an erasure that fails
afterwards is asked for again, while one whose files were left could never be, for nothing knows the
number any more.
"""

from __future__ import annotations

import logging
from pathlib import Path

from keywords.consent import Method
from storage import erasures
from storage.database import Connection
from storage.erasing import Erased, InCall, Request, erase
from storage.home_files import forget
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic

_RELEASED = "the hold that it waited for is over"
_log = logging.getLogger(__name__)


class Rights:
    """What an installation needs to erase people. The signing key is read when it is needed."""

    def __init__(self, home: Path, pepper: str, shops: ShopCache) -> None:
        """``pepper`` is PHONE_PEPPER."""
        self._home = home
        self._pepper = pepper
        self._shops = shops

    def erase(self, connection: Connection, request: Request) -> Erased:
        """Erase a person. Call inside a transaction.

        Raises :class:`storage.erasing.InCall`, OSError for a file that cannot be written, and
        ``storage.settings.SettingsError`` for a signing key that cannot be read.
        """
        key = LedgerKey(self._home)
        erased = erase(connection, self._shops, self._pepper, key.sign_receipt, request)
        if erased.outcome.clears_files:
            forget(self._home, request.phone)
        return erased

    def finish(self, connection: Connection, limit: int = 100) -> int:
        """Erase those whose request waited for a hold that is over; answers how many."""
        done = 0
        for phone, ground in erasures.released(connection, limit):
            request = Request(phone, "system", Method.SYSTEM, _RELEASED, ground)
            try:
                with atomic(connection):
                    self.erase(connection, request)
            except InCall:
                _log.warning("an erasure waits for a text in mid-call")
                continue
            done += 1
        return done
