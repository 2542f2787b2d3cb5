"""What a row of a file is read to: a claim that somebody agreed, or a finding why it is none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Final, NamedTuple, TypeVar

from keywords.importing import cells
from keywords.importing.columns import Columns, Role
from keywords.importing.dates import DateOrder
from keywords.importing.reasons import Reason, sentence
from keywords.reach import Unreached

# Values that repeat in a file are read once; a file in which none does must not fill the memory.
_KEPT: Final = 5_000
_Value = TypeVar("_Value")


class Finding(NamedTuple):
    """A row that was refused or held: its number, a code, and the detail of its sentence."""

    row: int
    code: str
    detail: str = ""


class Profile(NamedTuple):
    """What a row says of a person beside consent; None where it says nothing.

    ``attributes`` is a JSON object of texts.
    """

    first_name: str | None = None
    last_name: str | None = None
    birth_date: date | None = None
    zip: str | None = None
    city: str | None = None
    state: str | None = None
    country: str | None = None
    attributes: str = "{}"


NO_PROFILE: Final = Profile()


class Claim(NamedTuple):
    """A row that says: this number agreed to this program.

    ``missing`` names what a whole claim would have too ("source", "date", "disclosure").
    ``disclosure`` is its text.
    """

    row: int
    phone: str
    program: str
    source: str
    happened_at: datetime | None
    disclosure: str
    missing: tuple[str, ...] = ()
    language: str | None = None
    profile: Profile = NO_PROFILE


@dataclass(frozen=True, slots=True)
class Rules:
    """How the rows of a file are to be read. ``constants`` are given once for all its rows.

    ``programs`` maps the folded slug and name of each program to its slug, ``countries`` each slug
    to the countries (ISO) whose numbers it texts; ``program`` is that of rows which do not say.
    ``country`` is that of national numbers, ``now`` the moment that dates are compared with.
    """

    columns: Columns
    programs: Mapping[str, str]
    countries: Mapping[str, Sequence[str]]
    now: datetime
    program: str | None = None
    country: str | None = None
    date_order: DateOrder | None = None
    oldest_years: int = cells.OLDEST_YEARS
    constants: Mapping[Role, str] = field(default_factory=dict)


class Refused(ValueError):
    """A row, or a value given for all rows, that cannot be used; the message says why."""

    def __init__(self, code: Reason | Unreached, detail: str = "") -> None:
        super().__init__(sentence(code, detail))
        self.code = code
        self.detail = detail


class Memo(dict[str, _Value]):
    """Values of cells that were read before, up to a number of them."""

    __slots__ = ("_read",)

    def __init__(self, read: Callable[[str], _Value]) -> None:
        super().__init__()
        self._read = read

    def __missing__(self, cell: str) -> _Value:
        """Read a cell; what it raises is not kept."""
        value = self._read(cell)
        if len(self) >= _KEPT:
            self.clear()
        self[cell] = value
        return value
