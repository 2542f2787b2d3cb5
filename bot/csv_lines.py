"""Rows as CSV that a spreadsheet can open without running anything in it.

A cell that begins with one of ``= + - @``, a tab or a carriage return is a formula to a spreadsheet
(OWASP CSV injection), and every phone number begins with +; so such cells get an apostrophe in
front, which spreadsheets hide. Machines had better read the JSON.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\0")
_CHUNK: Final = 64 * 1024
MEDIA_TYPE: Final = "text/csv; charset=utf-8"


def lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The text of a CSV file (RFC 4180), in pieces of some size."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow(header)
    for row in rows:
        writer.writerow([cell(value) for value in row])
        if buffer.tell() > _CHUNK:
            yield buffer.getvalue()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue()


def cell(value: Any) -> str:
    """One cell; numbers stay numbers."""
    if value is None:
        return ""
    if isinstance(value, int | float):
        return str(value)
    text = str(value).replace("\0", "")
    return f"'{text}" if text.startswith(_FORMULA) else text
