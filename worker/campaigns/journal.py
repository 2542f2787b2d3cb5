"""What a process has handed over, on its own disk: told by a survivor, when the process was killed.

The database knows what was claimed; only the process knows which calls it had begun. So each batch
has a small file under ``ASSENT_HOME/run/sends``, with a line for each call that is about to begin.
Whoever finds the file of a dead process gives back what was claimed and never begun, instead of
leaving people without their text. What was begun stays as it is: its outcome is unknown.

The lines are not flushed to the disk: they survive a killed process, not a power cut. A file of an
earlier boot therefore proves nothing and is thrown away.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

_BOOT: Final = Path("/proc/sys/kernel/random/boot_id")
_LOCK: Final = ".lock"


@dataclass(frozen=True, slots=True)
class Left:
    """A batch that a dead process left: the token of its claim, and the attempts it had begun."""

    token: str
    begun: frozenset[UUID]


class Page:
    """The file of one batch. ``begin`` may be called by many threads."""

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._descriptor = -1
        if file is not None:
            flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_APPEND
            self._descriptor = os.open(file, flags, 0o600)

    def begin(self, attempt: UUID) -> None:
        """Note that a call is about to begin, in one write, so that lines never mix."""
        if self._descriptor >= 0:
            os.write(self._descriptor, b"%s\n" % attempt.hex.encode())

    def close(self) -> None:
        """Everything is written down elsewhere."""
        if self._file is not None:
            os.close(self._descriptor)
            self._file.unlink(missing_ok=True)


class Journal:
    """One process's. Without a folder that can be written to, nothing is noted."""

    def __init__(self, home: Path) -> None:
        self._folder = home / "run" / "sends"
        self._name = secrets.token_hex(8)
        self._lock = -1
        with contextlib.suppress(OSError):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Locked under a name that nobody looks for: a lock that can be found is held.
            draft = self._folder / f".{self._name}"
            self._lock = os.open(draft, os.O_CREAT | os.O_WRONLY, 0o600)
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.write(self._lock, boot().encode())
            draft.rename(self._folder / f"{self._name}{_LOCK}")

    def page(self, token: str) -> Page:
        """The file of a batch, made before its claim is committed."""
        if self._lock < 0:
            return Page(None)
        try:
            return Page(self._folder / f"{self._name}.{token}")
        except OSError:
            return Page(None)

    def close(self) -> None:
        """End in good order: nothing is left to be told."""
        if self._lock >= 0:
            (self._folder / f"{self._name}{_LOCK}").unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = -1

    def left(self) -> Iterator[Left]:
        """The batches of dead processes; each file goes when the next one is asked for."""
        for lock in sorted(self._folder.glob(f"*{_LOCK}")):
            descriptor = _taken(lock)
            if descriptor is None:
                continue
            try:
                same_boot = os.read(descriptor, 100).decode("ascii", "replace") == boot()
                for file in sorted(self._folder.glob(f"{lock.stem}.*")):
                    if file != lock and same_boot:
                        yield Left(file.name.partition(".")[2], _begun(file))
                    if file != lock:
                        file.unlink(missing_ok=True)
                lock.unlink(missing_ok=True)
            finally:
                os.close(descriptor)


def boot() -> str:
    """What distinguishes this run of the machine from others; "" where nothing does."""
    try:
        return _BOOT.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _taken(lock: Path) -> int | None:
    """The lock of a process that is dead, now ours; None while it lives."""
    try:
        descriptor = os.open(lock, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(descriptor)
        return None
    return descriptor


def _begun(file: Path) -> frozenset[UUID]:
    """The attempts in a file. A line that was cut off counts as well, as far as it can be read."""
    lines = file.read_text(encoding="ascii", errors="replace").split()
    return frozenset(UUID(line) for line in lines if len(line) == 32)
