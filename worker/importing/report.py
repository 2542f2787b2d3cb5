"""The report of an import: one line for each row that was refused or held, with its reason."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final

from keywords.importing.claims import Finding
from keywords.importing.reasons import outcome_of, sentence

HEADINGS: Final = ("row", "outcome", "code", "reason")
MEDIA_TYPE: Final = "text/csv; charset=utf-8"
# What a spreadsheet takes for the beginning of a formula, or drops (OWASP, CSV injection).
_DANGEROUS: Final = ("=", "+", "-", "@", "\t", "\r", "\0")


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """The report as lines of CSV, headings first. Nothing of any person is in it."""
    line = _Line()
    writer: Any = csv.writer(line)
    writer.writerow(HEADINGS)
    yield line.take()
    for row, code, detail in findings:
        cells = (str(row), str(outcome_of(code)), code, sentence(code, detail))
        writer.writerow([harmless(cell) for cell in cells])
        yield line.take()


def harmless(cell: str) -> str:
    """A cell that no spreadsheet runs: what begins like a formula gets an apostrophe before it."""
    return f"'{cell}" if cell.startswith(_DANGEROUS) else cell


class _Line:
    """What the CSV writer writes to: one line at a time."""

    def __init__(self) -> None:
        self._written = ""

    def write(self, text: str) -> int:
        """Take a line."""
        self._written += text
        return len(text)

    def take(self) -> str:
        """The line, once."""
        written, self._written = self._written, ""
        return written
