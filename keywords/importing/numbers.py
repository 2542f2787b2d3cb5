"""Lists of nothing but numbers, in whatever file they come: which column it is, and each number."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from keywords.importing.columns import BadColumns, Role, assign
from keywords.importing.shape import Shape
from keywords.phone import InvalidPhone, PhoneError
from keywords.quick_phone import PhoneReader


class Number(NamedTuple):
    """A row of the list, counted from 1: its E.164 number, or why it is none."""

    row: int
    phone: str | None
    error: PhoneError | None = None


def phone_column(shape: Shape, first: Sequence[Sequence[str]], country: str | None) -> int:
    """Where the numbers are. A file of one column needs no heading.

    ``first`` are the first records, with the header where there is one. Raises
    :class:`~keywords.importing.columns.BadColumns`.
    """
    width = max(map(len, first))
    if width == 1:
        return 0
    if shape.header:
        return assign(first[0], width, {}).roles[Role.PHONE]
    reader = PhoneReader(country)
    found = [at for at, cell in enumerate(first[0]) if number(reader, 1, cell).phone]
    if len(found) != 1:
        raise BadColumns("Which column holds the numbers? Give the file a heading, such as phone.")
    return found[0]


def numbers(records: Iterable[Sequence[str]], column: int, country: str | None) -> Iterator[Number]:
    """Each record's number. Empty records are passed over, and count as rows."""
    reader = PhoneReader(country)
    for row, record in enumerate(records, 1):
        if any(cell.strip() for cell in record):
            yield number(reader, row, record[column] if column < len(record) else "")


def number(reader: PhoneReader, row: int, cell: str) -> Number:
    """The number in one cell of a row."""
    try:
        return Number(row, reader.e164(cell.strip().strip("'")))
    except InvalidPhone as error:
        return Number(row, None, error.code)
