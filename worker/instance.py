"""What this home remembers of its database, and whether anything may be sent with it.

The file ``ASSENT_HOME/instance.json`` is not part of the database, so it does not go back in time
with it. It is written again every few seconds while something is sent.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

from storage import instance
from storage.database import Connection
from storage.instance import Instance
from storage.transaction import atomic
from worker.policy.life import SENTENCES, Remembered, Seen, doubt

_FRESH_S: Final = 2.0
_MACHINE: Final = Path("/etc/machine-id")

_log = logging.getLogger(__name__)


class Memory:
    """The file of one home. For one thread at a time; several processes may write it."""

    def __init__(self, home: Path) -> None:
        self._file = home / "instance.json"
        self._mark = home / "instance.mark"

    def born(self) -> int:
        """When the home's mark was made on this disk, in whole seconds; 0 where nobody knows.

        The mark is made once and never changed. The system notes by itself when a file last
        changed in any way, and lets nobody choose that time: a mark that was copied, or put back
        from a backup, has another one.
        """
        self._mark.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):
            os.close(os.open(self._mark, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        return int(self._mark.stat().st_ctime)

    def read(self) -> Remembered | None:
        """What is remembered; None when there is nothing, or nothing that can be read."""
        try:
            return Remembered(**json.loads(self._file.read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError):
            return None

    def write(self, remembered: Remembered) -> None:
        """Remember. The log never goes back within an epoch, whoever writes last."""
        before = self.read()
        if before is not None and before.epoch == remembered.epoch:
            remembered = replace(remembered, log=max(before.log, remembered.log))
        self._file.parent.mkdir(parents=True, exist_ok=True)
        draft = self._file.with_name(f".instance.{os.getpid()}")
        draft.write_text(json.dumps(asdict(remembered)), encoding="utf-8")
        draft.replace(self._file)


class Life:
    """Answers whether this process may send, and in which epoch; asked before each round.

    ``memory`` is that of ``home`` unless it is given.
    """

    def __init__(self, home: Path, memory: Memory | None = None) -> None:
        self._memory = memory or Memory(home)
        self._machine = machine()
        self._known: int | None = None
        self._asked = 0.0

    def epoch(self, connection: Connection) -> int | None:
        """The epoch that texts are sent in; None while an operator must confirm first.

        Raises ``psycopg.OperationalError`` when the database is away.
        """
        if self._known is not None and time.monotonic() - self._asked < _FRESH_S:
            return self._known
        # The memory first: other processes of this home write it. One that looked at the database
        # after us would have seen more of its log, and we should take that for a loss.
        remembered = self._memory.read()
        found = instance.look(connection)
        self._known = self._judge(connection, found, remembered)
        self._asked = time.monotonic()
        return self._known

    def _judge(
        self, connection: Connection, found: Instance, remembered: Remembered | None
    ) -> int | None:
        if found.held_since is not None:
            return None
        seen = Seen(found.epoch, found.place, found.here, found.log, found.unseen)
        why = doubt(seen, remembered, self._machine, born(self._memory))
        with atomic(connection):
            if why is not None:
                if instance.hold(connection, SENTENCES[why], "system"):
                    _log.error("nothing is sent until somebody confirms the instance: %s", str(why))
                return None
            instance.settle(connection, found.here)
        remember(self._memory, found, self._machine)
        return found.epoch


def remember(memory: Memory, found: Instance, machine_id: str) -> None:
    """Write down what the database is like now. A home that cannot be written to remembers less."""
    with contextlib.suppress(OSError):
        memory.write(Remembered(found.epoch, found.here, found.log, machine_id, born(memory)))


def born(memory: Memory) -> int:
    """The same as :meth:`Memory.born`; 0 for a home that cannot be written to."""
    try:
        return memory.born()
    except OSError:
        return 0


def machine() -> str:
    """The identity of this machine, "" where it has none."""
    try:
        return _MACHINE.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""
