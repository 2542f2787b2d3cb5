"""The directory that checkpoints are published to: one file for each size, never overwritten.

It is what can be copied to places that the database's administrators do not own, and what a
database that was altered, cut or restored is compared with.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_ENDING: Final = ".checkpoint"
_DIGITS: Final = 12


class AnotherHistory(Exception):
    """A checkpoint of this size was published before, and it says something else."""


@dataclass(frozen=True, slots=True)
class Published:
    """A file of the directory, and the note in it (empty when it is not UTF-8)."""

    file: Path
    note: str


def folder_of(home: Path) -> Path:
    """Where an ASSENT_HOME publishes."""
    return home / "checkpoints"


def file_name(size: int) -> str:
    """``000000001000.checkpoint``: names sort by size."""
    return f"{size:0{_DIGITS}d}{_ENDING}"


def publish(folder: Path, size: int, note: str) -> bool:
    """Write a checkpoint durably; False when it was there already, word for word.

    It appears whole or not at all. Raises AnotherHistory, and OSError when it cannot be written.
    """
    folder.mkdir(mode=0o755, parents=True, exist_ok=True)
    file = folder / file_name(size)
    data = note.encode()
    draft = file.with_name(f".{file.name}.{secrets.token_hex(8)}")
    try:
        _write(draft, data)
        os.link(draft, file)
    except FileExistsError:
        if file.read_bytes() != data:
            raise AnotherHistory(str(file)) from None
        return False
    finally:
        draft.unlink(missing_ok=True)
    _sync_folder(folder)
    return True


def newest_size(folder: Path) -> int:
    """The largest size that was published here; 0 when none was."""
    return max((int(file.stem) for file in _files(folder)), default=0)


def published(folder: Path) -> Iterator[Published]:
    """Every checkpoint in the directory, by name. Raises OSError."""
    for file in sorted(folder.iterdir()):
        if file.is_file() and not file.name.startswith("."):
            yield Published(file, file.read_bytes().decode("utf-8", errors="ignore"))


def _files(folder: Path) -> Iterator[Path]:
    return (file for file in folder.glob(f"*{_ENDING}") if file.stem.isdecimal())


def _write(file: Path, data: bytes) -> None:
    descriptor = os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o644)
    with os.fdopen(descriptor, "wb") as out:
        out.write(data)
        out.flush()
        os.fsync(out.fileno())


def _sync_folder(folder: Path) -> None:
    """Make the new name durable too."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
