"""A log on disk between the redirect and the table of clicks: what was answered is never lost.

A hit is appended and flushed to the disk before its redirect is answered; hits of the same instant
share one write. The ticker of the same machine drains the files into PostgreSQL. Draining a line
twice adds nothing (the click's id is in it), so no position has to be remembered: a file is
removed once its writer has let go of it and all of it is in the table.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

FOLDER: Final = "clicks"
_SUFFIX: Final = ".log"
_LARGEST: Final = 16 * 1024 * 1024
_MOST: Final = 4 * 1024 * 1024
_encode: Final = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True, slots=True)
class LoggedHit:
    """One hit as the redirect saw it. ``at_ms`` counts milliseconds since 1970, UTC.

    ``address`` is cropped; ``address_key`` a keyed hash of the whole with the agent, in hex.
    ``headers`` are those alone that tell a prefetch.
    """

    id: int
    recipient_id: int
    link_number: int
    at_ms: int
    method: str
    agent: str
    address: str
    address_key: str
    headers: Mapping[str, str]

    def line(self) -> bytes:
        """The hit as a line of the log."""
        values = (
            self.id,
            self.recipient_id,
            self.link_number,
            self.at_ms,
            self.method,
            self.agent,
            self.address,
            self.address_key,
            dict(self.headers),
        )
        return _encode(values).encode("utf-8", "replace") + b"\n"


class ClickLog:
    """The writer of one process. Not thread-safe: its owner lets one thread write at a time."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._file: IO[bytes] | None = None

    def append(self, hits: Sequence[LoggedHit]) -> None:
        """Write hits and flush them to the disk; they are safe when this returns.

        Raises OSError when the disk is full or away.
        """
        file = self._open()
        file.write(b"".join(hit.line() for hit in hits))
        file.flush()
        os.fdatasync(file.fileno())
        if file.tell() > _LARGEST:
            self.close()

    def close(self) -> None:
        """Let the file go, so that it can be drained and removed."""
        if self._file is not None:
            self._file.close()
            self._file = None

    def _open(self) -> IO[bytes]:
        if self._file is None:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = self._folder / f"{os.getpid()}-{secrets.token_hex(8)}{_SUFFIX}"
            file = path.open("xb", buffering=_LARGEST)
            fcntl.flock(file, fcntl.LOCK_EX)
            self._file = file
        return self._file


class ClickLogReader:
    """The reader of one machine's logs: whole lines, from where it stopped."""

    def __init__(self, home: Path) -> None:
        self._folder = home / FOLDER
        self._offsets: dict[Path, int] = {}

    def batches(self) -> Iterator[list[LoggedHit]]:
        """What is new in each file. The next is read once the caller has stored the last one.

        A caller that could not store one, and asks for no more, is given it again another time.
        """
        for path in self._files():
            while block := self._read(path):
                hits, end = block
                if hits:
                    yield hits
                self._offsets[path] = end
            self._remove_if_over(path)

    def _files(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(self._folder.glob(f"*{_SUFFIX}"))

    def _read(self, path: Path) -> tuple[list[LoggedHit], int] | None:
        """The hits of the next block of whole lines, and where it ends; None where there is none.

        A block of nothing but unreadable lines is one without hits.
        """
        offset = self._offsets.get(path, 0)
        with path.open("rb") as file:
            file.seek(offset)
            data = file.read(_MOST)
        whole = data[: data.rfind(b"\n") + 1]
        if not whole:
            return None
        hits = [hit for line in whole.splitlines() if (hit := _hit(line)) is not None]
        return hits, offset + len(whole)

    def _remove_if_over(self, path: Path) -> None:
        """Remove a file that is wholly read and that nobody writes to any more."""
        with path.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return
            rest = os.fstat(file.fileno()).st_size - self._offsets.get(path, 0)
            file.seek(-rest, os.SEEK_END) if rest else None
            # A line without its end was never answered: its writer died in mid-write.
            if not rest or b"\n" not in file.read():
                path.unlink()
                self._offsets.pop(path, None)


def _hit(line: bytes) -> LoggedHit | None:
    """The hit that a line holds; None for one that a crash has cut."""
    try:
        values: Any = json.loads(line)
        return LoggedHit(*values)
    except (ValueError, TypeError):
        return None
