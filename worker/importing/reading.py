"""A file of people as a stream of records: never more of it in memory than a record.

Quoting that breaks costs one row and not the rest of the file: a record that a quotation mark has
made of several lines and that does not fit is refused as its first line, and the lines after it
are read again.
"""

from __future__ import annotations

import csv
import hashlib
import os
import re
import unicodedata
from collections import deque
from collections.abc import Iterator, Sequence
from io import FileIO
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from keywords.importing.shape import FALLBACK, LONGEST_CELL, SAMPLE, NotATable, Shape

# A line is cut here, and the file refused: nobody's row has a million characters.
LONGEST_LINE: Final = 1_000_000
_BUFFER: Final = 1 << 20
_CHUNK: Final = 1 << 16
# Python's own idea of where lines end has these too (str.splitlines).
_OTHER_ENDS: Final = "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
# A cell may hold a few lines; a quotation mark that is never closed holds the rest of the file.
_MOST_LINES: Final = 50
# So many lines around a broken one are read closely.
_FEW: Final = 32
_AS_GUESSED: Final = frozenset({"utf-8", "utf-8-sig", "cp1252"})


class Block(NamedTuple):
    """Some records: the number of the first, what each was read from, and the cells of each.

    Rows count as spreadsheets count them. Cells are None where the quoting breaks.
    """

    first: int
    texts: list[str]
    records: list[list[str] | None]


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

    def blocks(self, width: int) -> Iterator[Block]:
        """The records without the header, some hundreds at a time.

        ``width`` is the number of columns. Raises :class:`~keywords.importing.shape.NotATable` for
        a line without end.
        """
        csv.field_size_limit(LONGEST_CELL)
        lines = _blocks(self._text, self._shape.skip)
        headings = int(self._shape.header)
        for first, texts, records in _Records(lines, self._shape, width).blocks():
            yield Block(first + headings, texts[headings:], records[headings:])
            headings = 0

    def records(self, width: int) -> Iterator[tuple[int, list[str] | None, bool]]:
        """The same one by one: row number, cells, and whether they are not plain ASCII."""
        for first, texts, records in self.blocks(width):
            for row, (text, cells) in enumerate(zip(texts, records, strict=True), first):
                yield row, cells, is_odd(text)


def is_odd(text: str) -> bool:
    """Whether there is more than plain ASCII in it, so that it must be looked at closely."""
    return not text.isascii() or "\0" in text


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


class Share:
    """Which records fall to one of ``parts`` processes; numbers stand in the column ``phone``."""

    def __init__(self, parts: int, part: int, phone: int) -> None:
        self._parts = parts
        self._part = part
        self._phone = phone
        self._mine = frozenset(str(digit) for digit in range(10) if digit % parts == part)
        self._others = frozenset("0123456789") - self._mine

    def of(self, records: Sequence[list[str] | None]) -> list[int]:
        """The places of the records that are this process's; those that broke are the first's."""
        phone, mine, others = self._phone, self._mine, self._others
        places = []
        for place, cells in enumerate(records):
            cell = cells[phone] if cells and phone < len(cells) else ""
            last = cell[-1:]
            if last in mine or (last not in others and self._takes(cell)):
                places.append(place)
        return places

    def _takes(self, cell: str) -> bool:
        return share_of(cell, self._parts) == self._part


def _errors(shape: Shape) -> str:
    """What to do with bytes that are no text: guessed encodings have a second guess."""
    return FALLBACK if not shape.said and shape.encoding in _AS_GUESSED else "replace"


def _blocks(text: TextIO, skip: int) -> Iterator[list[str]]:
    """The lines of a file with their ends, some hundreds at a time, without the first ``skip``."""
    rest = ""
    while chunk := text.read(_CHUNK):
        chunk = rest + chunk
        lines = _split(chunk)
        # The last line may go on in the next chunk, and so may an end of two characters.
        rest = "" if chunk[-1] == "\n" else lines.pop()
        if len(rest) > LONGEST_LINE:
            raise NotATable("A line has more than a million characters: this is no list.")
        lines, skip = lines[skip:], max(0, skip - len(lines))
        if lines:
            yield lines
    last = _split(rest)[skip:]
    if last:
        yield last


def _split(text: str) -> list[str]:
    """Lines with their ends: CR, LF or both, and nothing else that Python calls an end."""
    if not any(end in text for end in _OTHER_ENDS):
        return text.splitlines(keepends=True)
    lines: list[str] = _LINE.findall(text)
    return lines


class _Records:
    """Records out of lines, a block at a time.

    Lines of which each is a record are read at once. Where a record has several lines, or the
    quoting breaks, a few lines around it are read one by one: there the lines of the record at hand
    are kept until it is known to fit.
    """

    def __init__(self, lines: Iterator[list[str]], shape: Shape, width: int) -> None:
        self._lines = lines
        self._shape = shape
        self._width = width
        self._row = 1
        self._waiting: deque[str] = deque()
        self._held: list[str] = []

    def blocks(self) -> Iterator[Block]:
        """The records, the header among them."""
        for lines in self._lines:
            records = self._at_once(lines)
            if records is not None:
                yield self._block(lines, records)
                continue
            self._waiting.extend(lines)
            while self._waiting:
                yield self._few()

    def _block(self, texts: list[str], records: list[list[str] | None]) -> Block:
        block = Block(self._row, texts, records)
        self._row += len(records)
        return block

    def _at_once(self, lines: list[str]) -> list[list[str] | None] | None:
        try:
            records: list[list[str] | None] = [*self._shape.reader(iter(lines), strict=True)]
        except csv.Error:
            return None
        return records if len(records) == len(lines) else None

    def _few(self) -> Block:
        """The records of the first lines that wait, and of as many more as the last one needs."""
        lines = [self._waiting.popleft() for _ in range(min(_FEW, len(self._waiting)))]
        records = self._at_once(lines)
        if records is None:
            self._waiting.extendleft(reversed(lines))
            lines, records = self._one_by_one(len(lines))
        return self._block(lines, records)

    def _one_by_one(self, count: int) -> tuple[list[str], list[list[str] | None]]:
        """About ``count`` lines: what each record was read from, and the records."""
        texts: list[str] = []
        records: list[list[str] | None] = []
        while self._waiting and len(records) < count:
            broken = False
            try:
                for cells in self._shape.reader(self._feed(), strict=True):
                    broken = len(self._held) > 1 and self._broken(cells)
                    if broken:
                        break
                    texts.append("".join(self._held))
                    records.append(cells)
                    self._held.clear()
                    if len(records) >= count:
                        break
            except csv.Error:
                broken = True
            if broken:
                texts.append(self._held[0])
                records.append(self._alone(self._held[0]))
                self._take_back()
        return texts, records

    def _feed(self) -> Iterator[str]:
        while True:
            if not self._waiting:
                more = next(self._lines, None) if self._held else None
                if more is None:
                    return
                self._waiting.extend(more)
            line = self._waiting.popleft()
            self._held.append(line)
            yield line

    def _take_back(self) -> None:
        """Read the lines after the first one again."""
        self._waiting.extendleft(reversed(self._held[1:]))
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
