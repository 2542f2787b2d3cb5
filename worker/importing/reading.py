"""A file of people as a stream of records: never more of it in memory than a record.

Quoting that breaks costs one row and not the rest of the file: a record that a quotation mark has
made of several lines and that does not fit is refused as its first line, and the lines after it
are read again.
"""

from __future__ import annotations

import csv
import hashlib
import os
import unicodedata
from collections import deque
from collections.abc import Iterator
from io import FileIO
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

from keywords.importing.shape import FALLBACK, LONGEST_CELL, SAMPLE, NotATable, Shape

# A line is cut here, and the file refused: nobody's row has a million characters.
LONGEST_LINE: Final = 1_000_000
_BUFFER: Final = 1 << 20
# A cell may hold a few lines; a quotation mark that is never closed holds the rest of the file.
_MOST_LINES: Final = 50
_AS_GUESSED: Final = frozenset({"utf-8", "utf-8-sig", "cp1252"})


class Source:
    """An open file: its records, and how much of it was read."""

    def __init__(self, path: Path, shape: Shape) -> None:
        """Raises OSError when it cannot be opened."""
        self._shape = shape
        self._size = max(path.stat().st_size, 1)
        self._text: TextIO = path.open(
            "r", buffering=_BUFFER, encoding=shape.encoding, errors=_errors(shape), newline=""
        )

    def share(self) -> float:
        """How much of the file was read, 0 to 1; a buffer ahead of the records."""
        raw = getattr(self._text.buffer, "raw", None)
        return min(1.0, raw.tell() / self._size) if isinstance(raw, FileIO) else 0.0

    def close(self) -> None:
        """Let the file go."""
        self._text.close()

    def records(self, width: int) -> Iterator[tuple[int, list[str] | None, bool]]:
        """Row number, cells, and whether they are not plain ASCII; rows count as spreadsheets do.

        ``width`` is the number of columns. Cells are None where the quoting breaks. Raises
        :class:`~keywords.importing.shape.NotATable` for a line without end.
        """
        csv.field_size_limit(LONGEST_CELL)
        lines = islice(_lines(self._text), self._shape.skip, None)
        rows = _Records(lines, self._shape, width).rows()
        yield from islice(rows, 1 if self._shape.header else 0, None)


def digest_of(path: Path) -> tuple[str, int]:
    """The SHA-256 of a file in hex, and its size."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256")
        return found.hexdigest(), file.tell()


def sample_of(path: Path) -> tuple[bytes, bool]:
    """The first bytes of a file, and whether they are all of it."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
        return sample, os.fstat(file.fileno()).st_size <= len(sample)


def share_of(cell: str, parts: int) -> int:
    """To which of ``parts`` processes a row falls, by the last digit of its phone number.

    Two spellings of a number end in the same digit, so that one process sees them both.
    """
    try:
        return int(cell[-1]) % parts
    except (ValueError, IndexError):
        plain = unicodedata.normalize("NFKC", cell)
        digits = (int(c) for c in reversed(plain) if c.isdecimal())
        return next(digits, 0) % parts


def _errors(shape: Shape) -> str:
    """What to do with bytes that are no text: guessed encodings have a second guess."""
    return FALLBACK if not shape.said and shape.encoding in _AS_GUESSED else "replace"


def _lines(text: TextIO) -> Iterator[str]:
    while line := text.readline(LONGEST_LINE):
        if len(line) == LONGEST_LINE and line[-1] not in "\r\n":
            raise NotATable("A line has more than a million characters: this is no list.")
        yield line


class _Records:
    """Records out of lines; the lines of the record at hand are kept until it is known to fit."""

    def __init__(self, lines: Iterator[str], shape: Shape, width: int) -> None:
        self._lines = lines
        self._shape = shape
        self._width = width
        self._again: deque[str] = deque()
        self._held: list[str] = []

    def rows(self) -> Iterator[tuple[int, list[str] | None, bool]]:
        row, going_on = 0, True
        while going_on:
            going_on = False
            try:
                for cells in self._shape.reader(self._feed(), strict=True):
                    row += 1
                    held = self._held
                    if len(held) > 1 and self._broken(cells):
                        going_on = True
                        break
                    yield row, cells, any(not line.isascii() or "\0" in line for line in held)
                    held.clear()
            except csv.Error:
                row += 1
                going_on = True
            if going_on:
                yield row, self._alone(self._held[0]), True
                self._take_back()

    def _feed(self) -> Iterator[str]:
        held = self._held
        while self._again:
            line = self._again.popleft()
            held.append(line)
            yield line
        for line in self._lines:
            held.append(line)
            yield line

    def _take_back(self) -> None:
        """Read the lines after the first one again."""
        self._again.extendleft(reversed(self._held[1:]))
        self._held.clear()

    def _broken(self, cells: list[str]) -> bool:
        """Whether a quotation mark has swallowed lines that were no part of its cell."""
        return len(cells) != self._width or len(self._held) > _MOST_LINES

    def _alone(self, line: str) -> list[str] | None:
        """A line in which a mark stands in a wrong place, if it can be read by itself.

        Some programs write "Acme "Best" Shop" and mean it.
        """
        if line.count(self._shape.quote) % 2 or len(line) > LONGEST_CELL:
            return None
        cells = next(self._shape.reader(iter([line])), [])
        return cells if len(cells) == self._width else None
