"""Dates of other systems: read when they are clear, refused when they are not."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.importing.dates import DateError, DateOrder, InvalidDate, read_date

MARCH = "2025-03-04T00:00:00+00:00"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("2025-03-04", MARCH, id="iso"),
        pytest.param("2025/3/4", MARCH, id="slashes, year first"),
        pytest.param("2025.03.04", MARCH, id="dots, year first"),
        pytest.param("20250304", MARCH, id="compact"),
        pytest.param("2025-03-04T10:11:12Z", "2025-03-04T10:11:12+00:00", id="utc"),
        pytest.param("2025-03-04 10:11:12.123456", "2025-03-04T10:11:12+00:00", id="fraction"),
        pytest.param("2025-03-04T23:11:12-05:00", "2025-03-05T04:11:12+00:00", id="offset"),
        pytest.param("2025-03-04 10:00 +0100", "2025-03-04T09:00:00+00:00", id="offset apart"),
        pytest.param("2025-03-04 10:00:00 UTC", "2025-03-04T10:00:00+00:00", id="named utc"),
        pytest.param("13/4/2025", "2025-04-13T00:00:00+00:00", id="only a day can be 13"),
        pytest.param("4/13/2025 1:05 PM", "2025-04-13T13:05:00+00:00", id="afternoon"),
        pytest.param("4/13/2025, 12:05 a.m.", "2025-04-13T00:05:00+00:00", id="after midnight"),
        pytest.param("4.4.2025", "2025-04-04T00:00:00+00:00", id="twice the same"),
        pytest.param("4 March 2025", MARCH, id="month in words"),
        pytest.param("March 4th, 2025", MARCH, id="american words"),
        pytest.param("Mar 4 2025 10:30", "2025-03-04T10:30:00+00:00", id="short, with time"),
        pytest.param("4-Mar-2025", MARCH, id="hyphens"),
        pytest.param("4 de marzo de 2025", MARCH, id="spanish"),
        pytest.param("4 mars 2025", MARCH, id="french"),
        pytest.param("1er août 2024", "2024-08-01T00:00:00+00:00", id="french first"),
        pytest.param("4. März 2025", MARCH, id="german"),
        pytest.param("Tue, 04 Mar 2025 10:00:00 +0100", "2025-03-04T09:00:00+00:00", id="mail"),
        pytest.param("  2025-03-04\u00a0", MARCH, id="spaces"),
    ],
)
def test_a_clear_date_is_read(text: str, expected: str) -> None:
    """In UTC; a day alone is its midnight."""
    assert read_date(text) == datetime.fromisoformat(expected)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        pytest.param("3/4/2025", DateError.AMBIGUOUS, id="march or april"),
        pytest.param("03-04-2025 10:00", DateError.AMBIGUOUS, id="with a time"),
        pytest.param("13/4/25", DateError.AMBIGUOUS, id="which of them is the year"),
        pytest.param("2025-02-30", DateError.UNREADABLE, id="no such day"),
        pytest.param("2025-13-01", DateError.UNREADABLE, id="no such month"),
        pytest.param("13/13/2025", DateError.UNREADABLE, id="neither is a month"),
        pytest.param("1899-12-31", DateError.UNREADABLE, id="long ago"),
        pytest.param("2025-03-04 25:00", DateError.UNREADABLE, id="no such hour"),
        pytest.param("2025-03-04 13:00 PM", DateError.UNREADABLE, id="no such half"),
        pytest.param("9999-12-31T23:59:59-05:00", DateError.UNREADABLE, id="beyond the end"),
        pytest.param("45000", DateError.UNREADABLE, id="days since 1900"),
        pytest.param("1741046400", DateError.UNREADABLE, id="seconds since 1970"),
        pytest.param("4 Foo 2025", DateError.UNREADABLE, id="no month"),
        pytest.param("yesterday", DateError.UNREADABLE, id="words"),
        pytest.param("", DateError.UNREADABLE, id="empty"),
        pytest.param("2025-03-04 " * 9, DateError.UNREADABLE, id="endless"),
    ],
)
def test_what_is_not_clear_is_refused(text: str, code: DateError) -> None:
    """Nobody's consent is dated by a guess."""
    with pytest.raises(InvalidDate) as caught:
        read_date(text)

    assert caught.value.code is code


@pytest.mark.parametrize(
    ("text", "order", "expected"),
    [
        pytest.param("3/4/2025", DateOrder.DAY_FIRST, "2025-04-03", id="day first"),
        pytest.param("3/4/2025", DateOrder.MONTH_FIRST, "2025-03-04", id="month first"),
        pytest.param("2025-03-04", DateOrder.DAY_FIRST, "2025-03-04", id="year first"),
    ],
)
def test_the_order_is_what_the_importer_says(text: str, order: DateOrder, expected: str) -> None:
    """And has nothing to say where the year comes first."""
    assert read_date(text, order).date() == date.fromisoformat(expected)


def test_a_date_that_contradicts_the_order_is_refused() -> None:
    """The order said for the file does not hold for this row."""
    with pytest.raises(InvalidDate):
        read_date("4/13/2025", DateOrder.DAY_FIRST)


DAYS = st.dates(date(1901, 1, 1), date(2100, 1, 1))


@given(DAYS, st.sampled_from(["/", "-", "."]))
def test_two_numbers_are_ambiguous_exactly_when_both_could_be_the_month(
    day: date, mark: str
) -> None:
    """Whichever order wrote it."""
    text = f"{day.day}{mark}{day.month}{mark}{day.year}"
    clear = day.day > 12 or day.day == day.month
    if clear:
        assert read_date(text).date() == day
    else:
        with pytest.raises(InvalidDate, match=DateError.AMBIGUOUS):
            read_date(text)


@given(st.builds(datetime.combine, DAYS, st.times(), st.just(UTC)))
def test_what_we_write_ourselves_is_read_back(moment: datetime) -> None:
    """ISO 8601, to the second."""
    assert read_date(moment.isoformat()) == moment.replace(microsecond=0)


@given(st.text(max_size=80) | st.text("0123456789/-.: TZ+AMPamp", max_size=30))
def test_nothing_else_is_raised(text: str) -> None:
    """A strange cell is refused; it never ends the import."""
    try:
        found = read_date(text)
    except InvalidDate:
        return

    assert found.tzinfo is UTC


ISO = st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}([ T][0-9]{2}:[0-9]{2}:[0-9]{2})?", fullmatch=True)
NEARLY = st.text("0123456789-: TZ+", min_size=10, max_size=19)
REAL = st.datetimes(datetime(1890, 1, 1), datetime(2100, 1, 1)).map(  # noqa: DTZ001
    lambda when: when.isoformat(" ", "seconds")
)


@given(ISO | NEARLY | REAL)
def test_the_quick_way_reads_as_the_long_one(text: str) -> None:
    """What most programs write is not matched; a space before it sends it the long way."""

    def found(written: str) -> datetime | str:
        try:
            return read_date(written)
        except InvalidDate as error:
            return error.code

    assert found(text) == found(f" {text}")
