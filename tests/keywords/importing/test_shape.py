"""What a file is, from its first bytes, whatever wrote it."""

from __future__ import annotations

import codecs
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.importing.shape import FALLBACK, SAMPLE, NotATable, encoding_of, sniff

TABLE = [["Phone", "First Name", "Source"], ["+14155550123", "Ánna", 'Fair, "north" gate']]
PLAIN = "Phone,Name\r\n+14155550123,Anna\r\n"


def written(delimiter: str, end: str, quote: str = '"', *, quoted: bool = False) -> str:
    """The table, as a program writes it."""

    def cell(words: str) -> str:
        if quoted or any(mark in words for mark in (delimiter, quote, "\n")):
            return quote + words.replace(quote, quote * 2) + quote
        return words

    return "".join(delimiter.join(map(cell, row)) + end for row in TABLE)


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("end", ["\r\n", "\n", "\r"], ids=["crlf", "lf", "cr"])
@pytest.mark.parametrize("quoted", [False, True], ids=["bare", "quoted"])
@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "cp1252", "utf-32"]
)
def test_a_table_is_read_whatever_program_wrote_it(
    delimiter: str, end: str, quoted: bool, encoding: str
) -> None:
    """Encoding, delimiter, quoting and line ends are found; the cells are those that were meant."""
    data = written(delimiter, end, quoted=quoted).encode(encoding)
    if encoding == "utf-16-be":
        assert not data.startswith(codecs.BOM_UTF16_BE)

    shape, records = sniff(data, whole=True)

    assert records == TABLE
    assert (shape.delimiter, shape.header) == (delimiter, True)


@pytest.mark.parametrize(
    ("text", "records"),
    [
        pytest.param("phone\n+14155550123\n", [["phone"], ["+14155550123"]], id="one column"),
        pytest.param(
            "phone;price\n+14155550123;1,50\n+14155550124;2,50\n",
            [["phone", "price"], ["+14155550123", "1,50"], ["+14155550124", "2,50"]],
            id="decimal commas",
        ),
        pytest.param(
            "phone,date\n+14155550123,2024-01-01 10:00:00\n",
            [["phone", "date"], ["+14155550123", "2024-01-01 10:00:00"]],
            id="colons of times",
        ),
        pytest.param(
            "sep=;\r\nphone;name\r\n+14155550123;A,B\r\n",
            [["phone", "name"], ["+14155550123", "A,B"]],
            id="sep=",
        ),
        pytest.param(
            "'phone','name'\n'+14155550123','A,B'\n",
            [["phone", "name"], ["+14155550123", "A,B"]],
            id="single quotes",
        ),
        pytest.param(
            'phone,name\n"+14155550123","A \\"B\\" C"\n',
            [["phone", "name"], ["+14155550123", 'A "B" C']],
            id="backslashes",
        ),
        pytest.param(
            "\n\nphone,name\n\n+14155550123,Anna\n",
            [["phone", "name"], ["+14155550123", "Anna"]],
            id="empty lines",
        ),
        pytest.param(
            'phone,note\n+14155550123,"two\nlines"\n',
            [["phone", "note"], ["+14155550123", "two\nlines"]],
            id="lines in a cell",
        ),
        pytest.param(
            "phone^name\n+14155550123^Anna\n",
            [["phone", "name"], ["+14155550123", "Anna"]],
            id="rare",
        ),
    ],
)
def test_peculiar_tables(text: str, records: list[list[str]]) -> None:
    """What exports really look like."""
    assert sniff(text.encode(), whole=True)[1] == records


@pytest.mark.parametrize(
    ("first", "header"),
    [
        pytest.param("Phone,Name", True, id="known headings"),
        pytest.param("+14155550123,Anna", False, id="a phone"),
        pytest.param("(415) 555-2671,Anna", False, id="a national phone"),
        pytest.param("Contact,Who", True, id="unknown headings"),
    ],
)
def test_a_header_is_told_from_a_first_person(first: str, header: bool) -> None:
    """A person must not be lost as a heading, nor a heading be taken for a person."""
    assert sniff(f"{first}\n+14155550199,Ben\n".encode(), whole=True)[0].header is header


def test_what_is_said_is_not_guessed() -> None:
    """Encoding, delimiter and header may all be given."""
    shape, records = sniff(
        "a;b,ñ\n".encode("cp437"), whole=True, encoding="cp437", delimiter=",", header=False
    )

    assert (shape.encoding, shape.delimiter, shape.header) == ("cp437", ",", False)
    assert records == [["a;b", "ñ"]]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"PK\x03\x04xlsx", "spreadsheet", id="xlsx"),
        pytest.param(b"\xd0\xcf\x11\xe0xls", "old spreadsheet", id="xls"),
        pytest.param(b"\x1f\x8bgz", "compressed", id="gzip"),
        pytest.param(b"%PDF-1.7", "PDF", id="pdf"),
        pytest.param(b"", "empty", id="empty"),
        pytest.param(b"\xef\xbb\xbf\r\n \r\n", "empty", id="blank"),
    ],
)
def test_what_is_no_table_is_named(data: bytes, said: str) -> None:
    """The sentence says what to do instead."""
    with pytest.raises(NotATable, match=said):
        sniff(data, whole=True)


def test_an_encoding_that_does_not_exist_is_named() -> None:
    """Not a crash."""
    with pytest.raises(NotATable, match="cannot be read as klingon"):
        sniff(PLAIN.encode(), whole=True, encoding="klingon")


@given(st.text(st.characters(codec="utf-8", exclude_characters="\x00"), min_size=1), st.data())
def test_utf_8_is_recognised_wherever_the_sample_is_cut(text: str, data: st.DataObject) -> None:
    """The cut may go through a character."""
    whole = ("phone," + text).encode()
    cut = data.draw(st.integers(1, len(whole)))

    assert encoding_of(whole[:cut], whole=cut == len(whole)) == "utf-8"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("José,Núñez,李\n".encode() + b"Jos\xe9,Lee\n", "utf-8", id="mostly utf-8"),
        pytest.param(b"Jos\xe9,N\xfa\xf1ez\n" + "é\n".encode(), "cp1252", id="mostly not"),
        pytest.param(b"Jos\xe9,Lee\n", "cp1252", id="not at all"),
    ],
)
def test_a_list_put_together_from_several_is_what_most_of_it_is(text: bytes, expected: str) -> None:
    """One name in another encoding must not spoil all the others."""
    assert encoding_of(text, whole=True) == expected


def test_a_letter_that_comes_late_is_read_as_windows_1252() -> None:
    """A file that began as ASCII: the bytes that are not UTF-8 are settled when they are met."""
    assert b"Jos\xe9 \xc3\xa9 \x80 \x81".decode("utf-8", FALLBACK) == "José é € \ufffd"


def test_only_the_beginning_is_looked_at() -> None:
    """A sample that ends in the middle of a line is enough."""
    chance = random.Random(1)
    rows = [f'+1415555{chance.randrange(10**4):04d},"A ""B"", {i}"' for i in range(40_000)]
    data = ("phone,name\n" + "\n".join(rows)).encode()

    shape, records = sniff(data[:SAMPLE], whole=False)

    assert len(data) > SAMPLE
    assert (shape.delimiter, len(records[-1])) == (",", 2)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_table_or_none(data: bytes) -> None:
    """Nothing but NotATable is raised."""
    try:
        shape, records = sniff(data, whole=True)
    except NotATable:
        return

    assert shape.encoding
    assert records
