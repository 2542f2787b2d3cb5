"""Files as streams: records by number, quoting that breaks, and whose row is whose."""

from __future__ import annotations

import csv
import hashlib
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from keywords.importing.shape import NotATable, Shape, sniff
from worker.importing import reading
from worker.importing.reading import LONGEST_LINE, Share, Source, digest_of, sample_of, share_of

PLAIN = Shape("utf-8", ",")
Rows = list[tuple[int, list[str] | None]]


def read(path: Path, text: str | bytes, shape: Shape = PLAIN, width: int = 2) -> Rows:
    """The records of a file: row numbers and cells."""
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    source = Source(path, shape)
    try:
        return [(row, cells) for row, cells, _ in source.records(width)]
    finally:
        source.close()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A file that is not there yet."""
    return tmp_path / "people.csv"


def test_rows_count_as_a_spreadsheet_counts_them(path: Path) -> None:
    """The header is row 1, empty rows count, and a cell of several lines is one row."""
    text = 'phone,note\n1,a\n\n2,"two\nlines"\n3,c\n'

    assert read(path, text) == [
        (2, ["1", "a"]),
        (3, []),
        (4, ["2", "two\nlines"]),
        (5, ["3", "c"]),
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            'h,h\n1,"open\n2,b\n3,"c"\n4,d\n',
            [(2, None), (3, ["2", "b"]), (4, ["3", "c"]), (5, ["4", "d"])],
            id="closed by another cell",
        ),
        pytest.param(
            'h,h\n1,"open\n2,b\n3,c\n',
            [(2, None), (3, ["2", "b"]), (4, ["3", "c"])],
            id="never closed",
        ),
        pytest.param(
            'h,h\n"1,a\n2,b\n', [(2, None), (3, ["2", "b"])], id="opened in the first cell"
        ),
        pytest.param(
            'h,h\n1,"open\n2,"open too\n3,c\n',
            [(2, None), (3, None), (4, ["3", "c"])],
            id="two of them",
        ),
        pytest.param(
            'h,h\n1,"a ""quoted"" word"\n2,5" pipe\n',
            [(2, ["1", 'a "quoted" word']), (3, ["2", '5" pipe'])],
            id="quotation marks that are right",
        ),
        pytest.param(
            'h,h\n1,"Acme "Best" Shop"\n2,b\n',
            [(2, ["1", 'Acme Best" Shop"']), (3, ["2", "b"])],
            id="not doubled",
        ),
    ],
)
def test_quoting_that_breaks_costs_one_row(path: Path, text: str, expected: Rows) -> None:
    """The rows after it are read as if it were not there."""
    assert read(path, text) == expected


def test_a_quotation_mark_does_not_swallow_a_long_file(path: Path) -> None:
    """Beyond any size of a cell, and in lines that would fit."""
    rows = [f"{number},b" for number in range(20_000)]
    text = "h,h\n" + 'x,"open\n' + "\n".join(rows) + "\n"

    found = read(path, text)

    assert found[0] == (2, None)
    assert [cells for _, cells in found[1:]] == [row.split(",") for row in rows]


def test_the_header_and_what_comes_before_it_are_no_rows(path: Path) -> None:
    """Files without a header begin with a person, in row 1."""
    skipped = Shape("utf-8", ";", skip=1)

    assert read(path, "sep=;\nphone;name\n1;a\n", skipped) == [(2, ["1", "a"])]
    assert read(path, "1,a\n", Shape("utf-8", ",", header=False)) == [(1, ["1", "a"])]


@pytest.mark.parametrize(
    ("data", "encoding", "said", "cell"),
    [
        pytest.param("Zürich".encode(), "utf-8", False, "Zürich", id="utf-8"),
        pytest.param(b"Z\xfcrich", "utf-8", False, "Zürich", id="not utf-8 after all"),
        pytest.param(b"Z\xfcrich", "utf-8", True, "Z\ufffdrich", id="said to be utf-8"),
        pytest.param(b"\x80", "cp1252", False, "€", id="cp1252"),
        pytest.param(b"\x81", "cp1252", False, "\ufffd", id="nothing in cp1252"),
        pytest.param("é".encode("utf-16-le") + b"\x00\xd8", "utf-16-le", False, "é\ufffd", id="16"),
    ],
)
def test_bytes_that_are_no_text(
    path: Path, data: bytes, encoding: str, said: bool, cell: str
) -> None:
    """A guess has a second guess; what was said has none, and the row will be refused."""
    shape = Shape(encoding, ",", header=False, said=said)
    comma = ",".encode(encoding)

    assert read(path, "1".encode(encoding) + comma + data, shape) == [(1, ["1", cell])]


def test_a_row_that_is_not_plain_is_marked(path: Path) -> None:
    """So that only such rows are looked at closely."""
    path.write_bytes("1,a\n2,é\n3,\0\n".encode())
    source = Source(path, Shape("utf-8", ",", header=False))

    assert [odd for _, _, odd in source.records(2)] == [False, True, True]
    assert source.share() == 1.0
    source.close()


def test_a_line_without_end_is_no_list(path: Path) -> None:
    """A film that somebody calls a list does not fill the memory."""
    path.write_bytes(b"a" * (3 * LONGEST_LINE))
    source = Source(path, PLAIN)
    tracemalloc.start()
    with pytest.raises(NotATable, match="a million characters"):
        list(source.records(2))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    source.close()

    assert peak < 4 * LONGEST_LINE


def test_the_memory_does_not_grow_with_the_file(path: Path) -> None:
    """A stream: ten times the rows, the same memory."""
    peaks = []
    for rows in (40_000, 400_000):
        path.write_text("h,h\n" + "+14155550123,Anna\n" * rows)
        source = Source(path, PLAIN)
        tracemalloc.start()
        assert sum(1 for _ in source.records(2)) == rows
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        source.close()

    assert peaks[1] < peaks[0] * 1.5


def test_the_digest_and_the_sample(path: Path) -> None:
    """Of the bytes as they are."""
    path.write_bytes(b"phone\n1\n")

    assert digest_of(path) == (hashlib.sha256(b"phone\n1\n").hexdigest(), 8)
    assert sample_of(path) == (b"phone\n1\n", True)


@pytest.mark.parametrize(
    ("cell", "digit"),
    [
        ("+14155552671", 1),
        ("(415) 555-2678 ", 8),
        ('="+14155552673"', 3),
        ("+1415555267٣", 3),
        ("+1415555267²", 2),
        ("", 0),
        ("nobody", 0),
    ],
)
def test_a_row_falls_to_the_process_of_its_last_digit(cell: str, digit: int) -> None:
    """However the number is written; rows without one fall to the first."""
    assert [share_of(cell, parts) for parts in (1, 2, 3, 4)] == [
        digit % parts for parts in (1, 2, 3, 4)
    ]


@given(st.text(max_size=40), st.integers(1, 8))
def test_every_row_falls_to_exactly_one_process(cell: str, parts: int) -> None:
    """And always to the same."""
    assert share_of(cell, parts) == share_of(cell, parts)
    assert 0 <= share_of(cell, parts) < parts


@given(st.lists(st.text(max_size=6), max_size=30), st.integers(1, 8))
def test_processes_share_out_every_record_once(cells: list[str], parts: int) -> None:
    """By the same digit, and records that broke or lack the number among them."""
    records: list[list[str] | None] = [None, [], ["x"], *(["x", cell] for cell in cells)]

    found = [Share(parts, part, 1).of(records) for part in range(parts)]

    assert sorted(place for places in found for place in places) == list(range(len(records)))
    assert found[0][:3] == [0, 1, 2]
    for part, places in enumerate(found):
        assert all(share_of(cells[place - 3], parts) == part for place in places if place > 2)


def closely(lines: list[str], width: int) -> list[list[str] | None]:
    """The records of lines as the rule says, one after the other: a record that fits, or a line."""
    found: list[list[str] | None] = []
    while lines:
        for count in range(1, min(len(lines), 50) + 1):
            try:
                records = list(PLAIN.reader(iter(lines[:count]), strict=True))
            except csv.Error:
                continue
            if len(records) == 1 and (count == 1 or len(records[0]) == width):
                found.append(records[0])
                lines = lines[count:]
                break
        else:
            alone = next(PLAIN.reader(iter(lines[:1])), [])
            even = lines[0].count('"') % 2 == 0
            found.append(alone if even and len(alone) == width else None)
            lines = lines[1:]
    return found


LINES = st.lists(
    st.sampled_from(
        ["1,a", "2,b", "", '3,"c"', '4,"two', 'lines"', '"5,x', '6,"a ""b"" c"', '7,"A "B" C"', "8"]
    ),
    max_size=120,
)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(LINES, st.integers(1, 40))
def test_records_do_not_depend_on_how_lines_come(
    path: Path, monkeypatch: pytest.MonkeyPatch, lines: list[str], chunk: int
) -> None:
    """Read at once or one by one, in large pieces or small: the same records, each line once."""
    monkeypatch.setattr(reading, "_CHUNK", chunk)
    monkeypatch.setattr(reading, "_FEW", max(1, chunk // 8))
    shape = Shape("utf-8", ",", header=False)
    ended = [line + "\n" for line in lines]

    assert [cells for _, cells in read(path, "".join(ended), shape)] == closely(ended, 2)


@given(st.lists(st.lists(st.text(max_size=8), min_size=3, max_size=3), min_size=1, max_size=8))
def test_what_python_writes_is_read_back(rows: list[list[str]]) -> None:
    """By the same shape that the sniffer would find in its own output is another test's matter."""
    lines = [",".join('"' + cell.replace('"', '""') + '"' for cell in row) + "\r\n" for row in rows]
    sample = "".join(lines).encode("utf-8", "surrogatepass")
    try:
        shape, _ = sniff(sample, whole=True, delimiter=",", header=False)
    except NotATable:
        return
    assert shape.delimiter == ","
