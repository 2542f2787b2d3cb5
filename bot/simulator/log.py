"""An append-only file of JSON lines that survives a kill and can be compacted."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path


class JsonLines:
    """One file, one JSON object a line. The caller keeps threads apart.

    The file is only readable by its owner (0600, in a folder of 0700): it holds texts.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._end_torn_line()
        self._out = self._open()

    def append(self, record: dict[str, Any]) -> None:
        """Hand one line to the operating system: it survives the death of this process."""
        os.write(self._out, _line(record))

    def read(self) -> Iterator[dict[str, Any]]:
        """Every whole line, oldest first. A line cut short by a kill is passed over."""
        with self._path.open("rb") as lines:
            for line in lines:
                with contextlib.suppress(ValueError):
                    record = json.loads(line)
                    if isinstance(record, dict):
                        yield record

    def rewrite(self, records: Iterable[dict[str, Any]]) -> None:
        """Put these lines in the file's place, all at once."""
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        out = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(out, "wb") as stream:
            stream.writelines(_line(record) for record in records)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(self._path)
        os.close(self._out)
        self._out = self._open()

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._out)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def _end_torn_line(self) -> None:
        """Close a line that a kill cut short, so that the next one does not continue it."""
        if not self._path.exists():
            return
        with self._path.open("rb+") as stream:
            if stream.seek(0, os.SEEK_END) == 0:
                return
            stream.seek(-1, os.SEEK_END)
            if stream.read(1) != b"\n":
                stream.write(b"\n")


def _line(record: dict[str, Any]) -> bytes:
    return json.dumps(record, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
