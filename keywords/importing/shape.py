"""What a file is, from its first bytes: its encoding, what stands between its cells, its header.

Nothing here needs the whole file. What the first bytes cannot show (a letter outside ASCII that
comes later) is settled when it is met, see ``fallback``.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from keywords.importing.columns import is_heading
from keywords.phone import InvalidPhone, checked

SAMPLE: Final = 256 * 1024
DELIMITERS: Final = (",", ";", "\t", "|")
# Only where none of those fits: a colon stands in every time of day.
_RARE: Final = ("^", "~", ":")
LONGEST_CELL: Final = 100_000
_LOOKED_AT: Final = 200
_BOMS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What people send in place of a list, by how it begins.
_OTHER_FILES: Final = (
    (b"PK\x03\x04", "This is a spreadsheet or a zip archive; save the sheet as CSV first."),
    (b"\xd0\xcf\x11\xe0", "This is an old spreadsheet; save the sheet as CSV first."),
    (b"\x1f\x8b", "This file is compressed; unpack it first."),
    (b"%PDF", "This is a PDF; export the list as CSV."),
    (b"{\\rtf", "This is a text document; export the list as CSV."),
)
_LINE: Final = re.compile(r"[^\r\n]*(?:\r\n|\n|\r)|[^\r\n]+")
_SEP: Final = re.compile(r"sep=(.)\r?\n?", re.IGNORECASE)


class NotATable(ValueError):
    """The file holds no list that could be read; the message is for the person who imports."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How to read a file. ``skip`` lines come before the table ("sep=;" of some spreadsheets).

    ``backslash`` says that quotes inside cells are escaped and not doubled; ``said`` that the
    encoding was given and not guessed.
    """

    encoding: str
    delimiter: str
    quote: str = '"'
    backslash: bool = False
    skip: int = 0
    header: bool = True
    said: bool = False

    def reader(self, lines: Iterator[str], *, strict: bool = False) -> Iterator[list[str]]:
        """The records of lines, as ``csv`` reads them in this shape.

        ``strict`` raises ``csv.Error`` where a quotation mark stands in a wrong place.
        """
        return csv.reader(
            lines,
            delimiter=self.delimiter,
            quotechar=self.quote,
            doublequote=not self.backslash,
            escapechar="\\" if self.backslash else None,
            strict=strict,
        )


def encoding_of(sample: bytes, *, whole: bool) -> str:
    """The encoding of a file that begins with ``sample``; ``whole`` says that this is all of it.

    A byte order mark decides; then the NULs of UTF-16; then whether more of it is UTF-8 than is
    not, because lists are put together from several sources. All else is taken for Windows-1252,
    of which Latin-1 is a part for all that is printed.
    """
    for mark, name in _BOMS:
        if sample.startswith(mark):
            return name
    even, odd = sample[0:2000:2].count(0), sample[1:2000:2].count(0)
    half = max(1, min(len(sample), 2000) // 2)
    if odd > half * 0.4 and even < half * 0.1:
        return "utf-16-le"
    if even > half * 0.4 and odd < half * 0.1:
        return "utf-16-be"
    text = codecs.getincrementaldecoder("utf-8")("replace").decode(sample, final=whole)
    wrong = text.count("\ufffd")
    right = sum(not c.isascii() for c in text) - wrong if wrong else 0
    return "cp1252" if wrong > right else "utf-8"


def sniff(
    sample: bytes,
    *,
    whole: bool,
    encoding: str | None = None,
    delimiter: str | None = None,
    header: bool | None = None,
) -> tuple[Shape, list[list[str]]]:
    """The shape of a file that begins with ``sample``, and its first records, header included.

    What is given is not guessed. Raises :class:`NotATable`.
    """
    for start, words in _OTHER_FILES:
        if sample.startswith(start):
            raise NotATable(words)
    name = encoding or encoding_of(sample, whole=whole)
    lines = _lines(sample, name, whole=whole)
    skip = 0
    said = _SEP.fullmatch(lines[0]) if lines else None
    if said is not None:
        skip, delimiter = 1, delimiter or said[1]
    lines = lines[skip:]
    if not any(line.strip() for line in lines):
        raise NotATable("The file is empty.")
    shape = _dialect(name, lines, delimiter, skip)
    records = [record for record in _records(shape, lines) if any(map(str.strip, record))]
    if not records:
        raise NotATable("The file is empty.")
    with_header = _has_header(records[0]) if header is None else header
    found = replace(shape, header=with_header, said=encoding is not None)
    return found, records


def fallback(error: UnicodeError) -> tuple[str, int]:
    """A codec error handler: a byte that is not UTF-8 is read as Windows-1252.

    For files that began as ASCII and turn out to be neither; what Windows-1252 does not have
    becomes U+FFFD, and its row is refused.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return wrong.decode("cp1252", "replace"), error.end


FALLBACK: Final = "assent-cp1252"
codecs.register_error(FALLBACK, fallback)


def _lines(sample: bytes, encoding: str, *, whole: bool) -> list[str]:
    """The whole lines of the sample; the last one may be cut, and is left out."""
    try:
        decoder = codecs.getincrementaldecoder(encoding)(FALLBACK)
        text = decoder.decode(sample, whole)
    except (LookupError, UnicodeError) as error:
        raise NotATable(f"The file cannot be read as {encoding}.") from error
    lines = _LINE.findall(text)
    return lines if whole or len(lines) < 2 else lines[:-1]


def _dialect(encoding: str, lines: Sequence[str], delimiter: str | None, skip: int) -> Shape:
    """The delimiter with which most records have the same number of cells, and more than one."""
    text = "".join(lines[:_LOOKED_AT])
    quote = "'" if text.count('"') == 0 and _quoted_singly(text) else '"'
    backslash = f"\\{quote}" in text and f"{quote}{quote}" not in text.replace(f"\\{quote}", "")
    for choices in (delimiter,) if delimiter else (DELIMITERS, _RARE):
        shapes = [Shape(encoding, choice, quote, backslash, skip) for choice in choices]
        best = max(shapes, key=lambda shape: _fit(shape, lines))
        if delimiter or _fit(best, lines) > (0.0, 0):
            return best
    return Shape(encoding, ",", quote, backslash, skip)


def _quoted_singly(text: str) -> bool:
    cells = re.findall(r"(?:^|[,;\t|])'[^'\r\n]*'(?=[,;\t|\r\n]|$)", text, re.MULTILINE)
    return len(cells) >= 2


def _fit(shape: Shape, lines: Sequence[str]) -> tuple[float, int]:
    """The share of records with the usual number of cells, and that number; (0, 0) for one."""
    records = [record for record in _records(shape, lines) if record]
    widths = Counter(map(len, records))
    if not widths:
        return 0.0, 0
    usual, times = max(widths.items(), key=lambda item: (item[1], item[0]))
    if usual < 2 or len(records[0]) < 2:
        return 0.0, 0
    return round(times / widths.total(), 1), usual


def _records(shape: Shape, lines: Sequence[str]) -> list[list[str]]:
    """The first records; fewer when the quoting breaks."""
    records: list[list[str]] = []
    with contextlib.suppress(csv.Error):
        records.extend(shape.reader(iter(lines[:_LOOKED_AT])))
    return records


def _has_header(first: Sequence[str]) -> bool:
    """A first record with a heading that we know is one; one with a phone number is none."""
    if any(is_heading(cell) for cell in first):
        return True
    return not any(_is_phone(cell) for cell in first)


def _is_phone(cell: str) -> bool:
    for region in (None, "US"):
        try:
            checked(cell, region)
        except InvalidPhone:
            continue
        return True
    return False
