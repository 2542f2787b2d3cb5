"""When the ledger is sealed, and what follows: each checkpoint is signed and published.

A thousand entries that wait, or one that has waited for almost a minute, are sealed by the ticker
(``worker.ticker``); ``assent ledger checkpoint`` does it at once. Publishing follows the commit:
what a crash left unpublished is published the next time.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

import psycopg

from storage.checkpoints import Sealed, after, at, newest
from storage.database import Connection
from storage.published import AnotherHistory, folder_of, newest_size, publish
from storage.sealing import seal, waiting
from storage.settings import Settings, SettingsError
from storage.signing import LedgerKey
from storage.tree import TornTree

ENTRIES: Final = 1_000
# A minute, less what a round of the ticker takes: nothing stays unsealed for longer than a minute.
AGE: Final = timedelta(seconds=55)
# Something holds sealing up: a transaction that does not end, or a sealing that fails.
LAG: Final = timedelta(minutes=5)
BATCH: Final = 10_000
ROUNDS: Final = 5
_SAID_EVERY_S: Final = 60.0

_log = logging.getLogger(__name__)


class Ahead(Exception):
    """More was published than the database holds: it was restored, or its tail was cut.

    Sealing on would sign a second history of sizes that were published already.
    """

    def __init__(self, published: int, sealed: int) -> None:
        super().__init__(
            f"A checkpoint of {published} entries was published, but the database holds {sealed}"
            " sealed ones. If it was restored from a backup, see the runbook before sealing on."
        )


# What sealing may end with besides a database that is away.
TROUBLE: Final = (Ahead, AnotherHistory, TornTree, SettingsError, OSError, psycopg.Error)
_SENTENCES: Final[Mapping[type, str]] = {
    Ahead: "more checkpoints are published than the database holds",
    AnotherHistory: "another checkpoint of this size is published already",
    TornTree: "the stored tree is not whole",
    SettingsError: "the signing key cannot be read",
}


class Sealer:
    """Seals one database, with the key and into the directory of one ASSENT_HOME."""

    def __init__(self, settings: Settings) -> None:
        """The key is made or read when the first checkpoint is."""
        self._home = settings.home
        self._folder = folder_of(settings.home)
        self._key: LedgerKey | None = None
        self._published: int | None = None
        self._said: dict[str, float] = {}

    def seal_due(self, connection: Connection) -> int:
        """Seal what is due by number or by age; answers how many entries became leaves.

        What is wrong is logged, not raised, because the ticker has other work; only
        ``psycopg.OperationalError`` says that the database is away.
        """
        due = waiting(connection, ENTRIES)
        if due.oldest is not None and due.oldest > LAG:
            self._say("the ledger has not been sealed for minutes", due.entries)
        if due.entries < ENTRIES and (due.oldest is None or due.oldest < AGE):
            return 0
        try:
            return self._seal(connection, ROUNDS)
        except psycopg.OperationalError:
            raise
        except TROUBLE as error:
            self._say(_SENTENCES.get(type(error), "sealing fails"), due.entries, error)
        return 0

    def seal_now(self, connection: Connection) -> Sealed | None:
        """Seal all that can be, publish it, and answer the newest checkpoint; None if none is.

        Raises what :data:`TROUBLE` lists.
        """
        while self._seal(connection, ROUNDS):
            pass
        return newest(connection)

    def _seal(self, connection: Connection, rounds: int) -> int:
        before = sealed = self._publish(connection)
        key = self._key = self._key or LedgerKey(self._home)
        for _ in range(rounds):
            checkpoint = seal(connection, key.sign, BATCH)
            if checkpoint is None:
                break
            sealed = checkpoint.size
            self._publish(connection)
        return sealed - before

    def _publish(self, connection: Connection) -> int:
        """Publish what is not published yet; answers the size of the newest checkpoint."""
        last = newest(connection)
        held = last.size if last else 0
        published = newest_size(self._folder) if self._published is None else self._published
        if published > held:
            self._published = None
            raise Ahead(published, held)
        if self._published is None and published:
            self._compare(connection, published)
        for checkpoint in after(connection, published):
            publish(self._folder, checkpoint.size, checkpoint.note)
        self._published = held
        return held

    def _compare(self, connection: Connection, size: int) -> None:
        """A process that starts goes on from what was published only if it is the same history."""
        same = at(connection, size)
        if same is None:
            raise AnotherHistory(str(size))
        publish(self._folder, size, same.note)

    def _say(self, sentence: str, entries: int, error: Exception | None = None) -> None:
        """Log what is wrong, once a minute at most."""
        now = time.monotonic()
        if now >= self._said.get(sentence, 0.0):
            self._said[sentence] = now + _SAID_EVERY_S
            kind = type(error).__name__ if error else "waiting"
            _log.error(
                "sealing the ledger is held up",
                extra={"reason": sentence, "kind": kind, "count": entries},
            )
