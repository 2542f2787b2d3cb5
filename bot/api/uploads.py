"""Files that clients send: written to the disk as they come, before any transaction begins."""

from __future__ import annotations

import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flask import request

from bot.api.problems import FieldError, Kind, Problem, invalid
from worker.importing.foreman import FOLDER

MEDIA_TYPES: Final = ("text/csv", "text/plain", "application/octet-stream")
_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that came: where it lies for the moment, its SHA-256 in hex, its size in bytes."""

    path: Path
    digest: str
    size: int

    def keep(self, as_: Path) -> None:
        """Let it stay under another name."""
        self.path.replace(as_)


@contextmanager
def received(home: Path, limit: int) -> Iterator[Upload]:
    """The body of this request as a file below ``home``; deleted at the end unless it was kept.

    Raises :class:`Problem`: another media type, or more than ``limit`` bytes.
    """
    if request.mimetype not in MEDIA_TYPES:
        detail = f"Send the file itself, as one of {', '.join(MEDIA_TYPES)}."
        raise Problem(Kind.MEDIA_TYPE, detail)
    if (request.content_length or 0) > limit:
        raise Problem(Kind.TOO_LARGE)
    folder = home / FOLDER
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f".{secrets.token_hex(16)}"
    try:
        yield _written(path, limit)
    finally:
        path.unlink(missing_ok=True)


def _written(path: Path, limit: int) -> Upload:
    request.max_content_length = limit
    found, size = hashlib.sha256(), 0
    mode = os.O_CREAT | os.O_EXCL | os.O_WRONLY
    with os.fdopen(os.open(path, mode, stat.S_IRUSR | stat.S_IWUSR), "wb") as out:
        while chunk := request.stream.read(_CHUNK):
            size += len(chunk)
            if size > limit:
                raise Problem(Kind.TOO_LARGE)
            found.update(chunk)
            out.write(chunk)
    if not size:
        raise invalid([FieldError("", "The file is empty.", "empty")])
    return Upload(path, found.hexdigest(), size)
