"""The report is CSV that a spreadsheet can open without running anything."""

from __future__ import annotations

import csv
import io

from hypothesis import given
from hypothesis import strategies as st

from bot.import_report import HEADINGS, lines
from keywords.importing.claims import Finding
from keywords.importing.reasons import SENTENCES


def test_each_row_has_a_line_with_its_reason() -> None:
    """Row number, outcome, code, sentence."""
    text = "".join(lines([Finding(4, "phone_empty"), Finding(7, "source_missing", "source")]))

    assert list(csv.reader(text.splitlines())) == [
        list(HEADINGS),
        ["4", "refused", "phone_empty", "Enter a phone number."],
        ["7", "held", "source_missing", "Held as asserted, not confirmed. Missing: source."],
    ]


@given(st.sampled_from(sorted(SENTENCES)), st.text(max_size=30))
def test_no_cell_of_a_report_is_a_formula(code: str, detail: str) -> None:
    """Whatever the heading of a column says, and every row has four cells."""
    text = "".join(lines([Finding(2, code, detail)]))
    rows = list(csv.reader(io.StringIO(text, newline="")))

    assert [len(row) for row in rows if row] == [4] * len([row for row in rows if row])
    assert not any(cell.startswith(("=", "+", "-", "@", "\t", "\r")) for cell in rows[1])
