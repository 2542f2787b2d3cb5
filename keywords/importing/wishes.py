"""What whoever imports a file says about it, and the task that follows from that and the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

from keywords.importing import cells
from keywords.importing.claims import Refused
from keywords.importing.columns import BadColumns, Columns, Role, assign
from keywords.importing.dates import DateOrder
from keywords.importing.rows import RowReader
from keywords.importing.shape import NotATable, Shape, sniff
from keywords.importing.task import Task
from keywords.shop import Shop

OLDEST_YEARS: Final = 10
# Nobody exports two lists at once into one file.
_DEFAULT_COUNTRY: Final = "US"


class BadWish(ValueError):
    """Something that was said does not fit; ``field`` names it, the message is for the person."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.field = name


@dataclass(frozen=True, slots=True)
class Wishes:
    """What is said about a file. Everything that is not said is guessed, or found in the rows.

    ``columns`` maps roles to headings ("Mobile", or "#3"); ``source``, ``date`` and ``disclosure``
    hold for rows that do not say; ``country`` is the ISO code for national numbers.
    """

    program: str | None = None
    columns: Mapping[Role, Sequence[str]] = field(default_factory=dict)
    source: str | None = None
    date: str | None = None
    disclosure: str | None = None
    country: str | None = None
    date_order: DateOrder | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header: bool | None = None
    oldest_years: int = cells.OLDEST_YEARS

    def as_json(self) -> dict[str, Any]:
        """The form in which they are stored."""
        columns = {str(role): list(headings) for role, headings in self.columns.items()}
        return asdict(self) | {"columns": columns}


def read_wishes(stored: Mapping[str, Any]) -> Wishes:
    """The wishes that :meth:`Wishes.as_json` wrote."""
    order = stored["date_order"]
    columns = {Role(role): headings for role, headings in stored["columns"].items()}
    order_read = DateOrder(order) if order else None
    return Wishes(**{**stored, "columns": columns, "date_order": order_read})


def plan(
    wishes: Wishes, sample: bytes, shop: Shop, now: datetime, *, whole: bool, parts: int
) -> Task:
    """How a file that begins with ``sample`` will be read. Raises :class:`BadWish`."""
    check(wishes, shop)
    try:
        shape, records = sniff(
            sample,
            whole=whole,
            encoding=wishes.encoding,
            delimiter=wishes.delimiter,
            header=wishes.header,
        )
    except NotATable as error:
        raise BadWish("file", str(error)) from error
    columns = _columns(wishes, shape, records)
    if wishes.program is None and Role.PROGRAM not in columns.roles:
        raise BadWish("program", "Say which program the people agreed to; no column does.")
    task = Task(
        shape,
        columns,
        wishes.program,
        _country(wishes, shop),
        wishes.date_order,
        wishes.oldest_years,
        _constants(wishes),
        parts,
    )
    _try_constants(task, shop, now)
    return task


def check(wishes: Wishes, shop: Shop) -> None:
    """What can be said of wishes before there is a file. Raises :class:`BadWish`."""
    if wishes.program is not None and wishes.program not in shop.programs:
        raise BadWish("program", "There is no program with this slug.")
    if wishes.country is not None and cells.country_of(wishes.country) is None:
        raise BadWish("country", "This is no country; give its two letters, such as US.")
    if wishes.delimiter is not None and len(wishes.delimiter) != 1:
        raise BadWish("delimiter", "A delimiter is one character.")
    if not 1 <= wishes.oldest_years <= OLDEST_YEARS:
        raise BadWish("oldest_years", f"Between 1 and {OLDEST_YEARS} years.")


def _columns(wishes: Wishes, shape: Shape, records: Sequence[Sequence[str]]) -> Columns:
    header = records[0] if shape.header else ()
    width = len(records[0])
    try:
        return assign(header, width, wishes.columns)
    except BadColumns as error:
        raise BadWish("columns", str(error)) from error


def _country(wishes: Wishes, shop: Shop) -> str:
    """The country of national numbers: what is said, else the program's likeliest."""
    if wishes.country is not None:
        return cells.country_of(wishes.country) or _DEFAULT_COUNTRY
    program = shop.programs.get(wishes.program or "")
    return program.countries[0] if program else _DEFAULT_COUNTRY


def _constants(wishes: Wishes) -> dict[Role, str]:
    said = {
        Role.SOURCE: cells.visible(cells.plain(wishes.source or "")),
        Role.DATE: wishes.date or "",
        Role.DISCLOSURE: cells.plain(wishes.disclosure or ""),
    }
    if len(said[Role.SOURCE]) > cells.LONGEST:
        raise BadWish("source", f"At most {cells.LONGEST} characters.")
    if len(said[Role.DISCLOSURE]) > cells.LONGEST_DISCLOSURE or "\0" in said[Role.DISCLOSURE]:
        raise BadWish("disclosure", f"Text of at most {cells.LONGEST_DISCLOSURE} characters.")
    return {role: words for role, words in said.items() if words}


def _try_constants(task: Task, shop: Shop, now: datetime) -> None:
    """A date that holds for the whole file is checked before any row is read."""
    try:
        RowReader(task.rules(shop, now))
    except Refused as error:
        raise BadWish("date", str(error)) from error
