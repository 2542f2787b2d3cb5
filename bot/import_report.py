"""The report of an import: one line for each row that was refused or held, with its reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from bot import csv_lines
from keywords.importing.claims import Finding
from keywords.importing.reasons import outcome_of, sentence

HEADINGS: Final = ("row", "outcome", "code", "reason")


def lines(findings: Iterable[Finding]) -> Iterator[str]:
    """The report as CSV, in pieces of some size. Nothing of any person is in it."""
    rows = ((row, outcome_of(code), code, sentence(code, detail)) for row, code, detail in findings)
    return csv_lines.lines(HEADINGS, rows)
