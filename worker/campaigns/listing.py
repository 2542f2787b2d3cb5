"""A file of numbers for a list: each row's number, and why it will not be texted, if so.

A list says who is meant, never who agreed. So everybody we know is on it, and whoever uploads it
learns row by row who of them gets nothing of a program as things are, by the codes that a
campaign's report has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple

from keywords.consent import State
from keywords.importing.numbers import number, phone_column
from keywords.importing.reasons import Reason as RowReason
from keywords.importing.reasons import sentence
from keywords.importing.shape import sniff
from keywords.quick_phone import PhoneReader
from storage.database import Connection
from storage.segments import lists
from storage.segments.lists import Known
from storage.suppression import blocking
from worker.importing.reading import Source, sample_of
from worker.policy.allowance import NOT_AGREED, NOT_REACHED
from worker.policy.reasons import SENTENCES, Reason

_BATCH: Final = 5_000


class Row(NamedTuple):
    """A row, counted as a spreadsheet does: its E.164 number, or the code of why it is none."""

    row: int
    phone: str | None
    code: str | None


class Judged(NamedTuple):
    """A row: its number, whether we know it, and what is in the way of a text, with a sentence.

    ``code`` is None for somebody who would be texted; ``phone`` is None where there is no number,
    or it stands in an earlier row.
    """

    row: int
    phone: str | None
    code: str | None
    sentence: str
    known: bool = False


def read(path: Path, country: str) -> Iterator[Row]:
    """The rows of a CSV file of any shape; those without anything in them are passed over.

    Raises ``keywords.importing.shape.NotATable`` or ``keywords.importing.columns.BadColumns``.
    """
    sample, whole = sample_of(path)
    shape, first = sniff(sample, whole=whole)
    column = phone_column(shape, first, country)
    reader = PhoneReader(country)
    source = Source(path, shape)
    try:
        for row, cells, _ in source.records(max(map(len, first))):
            if cells is None:
                yield Row(row, None, RowReason.QUOTING)
            elif any(cell.strip() for cell in cells):
                found = number(reader, row, cells[column] if column < len(cells) else "")
                yield Row(row, found.phone, found.error)
    finally:
        source.close()


def judged(
    connection: Connection, pepper: str, program: str | None, rows: Iterable[Row]
) -> Iterator[list[Judged]]:
    """What becomes of each row, some thousands at a time, in their order.

    Without a ``program`` nothing is said of consent to one. ``pepper`` is PHONE_PEPPER.
    """
    before: dict[str, int] = {}
    rest = iter(rows)
    while batch := list(islice(rest, _BATCH)):
        phones = [row.phone for row in batch if row.phone]
        found = lists.known(connection, program, phones)
        confirmed = {
            phone: found[phone].confirmed_at if phone in found else None for phone in phones
        }
        blocked = blocking(connection, pepper, confirmed)
        yield [_judge(row, found, blocked, program, before) for row in batch]


def _judge(
    row: Row,
    found: Mapping[str, Known],
    blocked: frozenset[str],
    program: str | None,
    before: dict[str, int],
) -> Judged:
    number, phone, code = row
    if phone is None:
        assert code is not None
        return Judged(number, None, code, sentence(code))
    first = before.setdefault(phone, number)
    if first != number:
        told = sentence(RowReason.DUPLICATE, str(first))
        return Judged(number, None, RowReason.DUPLICATE, told)
    who = found.get(phone)
    why = Reason.SUPPRESSED if phone in blocked else _obstacle(who, program)
    told = SENTENCES[why] if why else ""
    return Judged(number, phone, why, told, known=who is not None)


def _obstacle(who: Known | None, program: str | None) -> Reason | None:
    """What keeps somebody from getting a program, now and later; None when nothing does."""
    if who is None:
        return Reason.NEVER_AGREED
    if program is not None:
        state = State(who.state or State.NONE)
        if state in NOT_AGREED:
            return NOT_AGREED[state]
        if who.confirmed_at is None:
            return Reason.NO_PROOF
        if state is State.PAUSED:
            return Reason.PAUSED
    return Reason.SUSPENDED if who.suspended else NOT_REACHED.get(who.reachability)
