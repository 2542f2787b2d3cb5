"""Files say what the rows say, and hold nothing that a spreadsheet would calculate."""

from __future__ import annotations

import csv
import io
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bot.csv_lines import cell, lines

CELL = st.one_of(
    st.none(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(),
    st.sampled_from("=+-@\t\r\0").flatmap(lambda first: st.text().map(lambda rest: first + rest)),
)


@given(CELL)
def test_no_cell_is_a_formula(value: Any) -> None:
    """What begins like one gets an apostrophe; numbers stay numbers."""
    written = cell(value)

    if isinstance(value, int | float):
        assert float(written) == float(value)
    else:
        assert not written.startswith(("=", "+", "-", "@", "\t", "\r", "\0"))
        assert written.removeprefix("'") == str("" if value is None else value).replace(
            "\0", ""
        ).removeprefix("'")


@given(st.lists(st.lists(CELL, min_size=3, max_size=3), max_size=5))
def test_what_is_written_can_be_read(rows: list[list[Any]]) -> None:
    """Line breaks, quotes and commas within cells too (RFC 4180)."""
    text = "".join(lines(("a", "b", "c"), rows))

    found = list(csv.reader(io.StringIO(text, newline="")))
    assert found[0] == ["a", "b", "c"]
    assert found[1:] == [[cell(value) for value in row] for row in rows]
