"""The report is CSV that a spreadsheet can open without running anything."""

from __future__ import annotations

import csv

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.importing.claims import Finding
from keywords.importing.reasons import SENTENCES
from worker.importing.report import HEADINGS, harmless, lines


def test_each_row_has_a_line_with_its_reason() -> None:
    """Row number, outcome, code, sentence."""
    text = "".join(lines([Finding(4, "phone_empty"), Finding(7, "source_missing", "source")]))

    assert list(csv.reader(text.splitlines())) == [
        list(HEADINGS),
        ["4", "refused", "phone_empty", "Enter a phone number."],
        ["7", "held", "source_missing", "Held as asserted, not confirmed. Missing: source."],
    ]


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\0"])
def test_what_begins_like_a_formula_is_disarmed(start: str) -> None:
    """Each of the seven that spreadsheets take for more than text."""
    assert harmless(f"{start}cmd") == f"'{start}cmd"


@given(st.sampled_from(sorted(SENTENCES)), st.text(max_size=30))
def test_no_cell_of_a_report_is_a_formula(code: str, detail: str) -> None:
    """Whatever the heading of a column says, and it stays one line of four cells."""
    text = "".join(lines([Finding(2, code, detail)]))
    rows = list(csv.reader(text.splitlines(keepends=True)))

    assert [len(row) for row in rows if row] == [4] * len([row for row in rows if row])
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in rows[1])
