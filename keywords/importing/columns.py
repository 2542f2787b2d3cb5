"""Which column of a file is what: guessed from its headings, or said by whoever imports it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from keywords.data import load
from keywords.importing.folding import fold


class Role(StrEnum):
    """What a column can hold. ``ATTRIBUTES`` are the shop's own, any number of columns."""

    PHONE = "phone"
    PROGRAM = "program"
    SOURCE = "source"
    DATE = "date"
    DISCLOSURE = "disclosure"
    FIRST_NAME = "first_name"
    LAST_NAME = "last_name"
    BIRTH_DATE = "birth_date"
    ZIP = "zip"
    CITY = "city"
    STATE = "state"
    COUNTRY = "country"
    LANGUAGE = "language"
    ATTRIBUTES = "attributes"


# A role that nothing plays, said on purpose: "--map source=".
NOTHING: Final = ""
MOST_COLUMNS: Final = 500
MOST_ATTRIBUTES: Final = 50
_NAMES: Final[Mapping[str, tuple[Role, int]]] = {
    name: (Role(role), place)
    for role, names in load("import_columns")["columns"].items()
    for place, name in enumerate(names)
}


class BadColumns(ValueError):
    """The columns cannot be used; the message is for the person who imports."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The number (from 0) of each role's column, and the attributes: names and numbers."""

    width: int
    roles: Mapping[Role, int]
    attributes: tuple[tuple[str, int], ...] = ()
    header: tuple[str, ...] = field(default=())


def is_heading(cell: str) -> bool:
    """Whether a cell says what a column holds."""
    return fold(cell) in _NAMES


def assign(header: Sequence[str], width: int, wishes: Mapping[Role, Sequence[str]]) -> Columns:
    """The columns of a file. ``header`` is empty where it has none; then wishes are "#1", "#2", …

    ``wishes`` name columns by heading or by number and count before any guess. Raises
    :class:`BadColumns`: no phone column, two that could be it, a heading that is not there.
    """
    if width > MOST_COLUMNS:
        raise BadColumns(f"The file has {width} columns; at most {MOST_COLUMNS} can be read.")
    wished = {
        role: [_find(header, width, name) for name in names if name != NOTHING]
        for role, names in wishes.items()
    }
    taken = {number for numbers in wished.values() for number in numbers}
    roles = {role: number for role, number in _guessed(header, taken) if role not in wished}
    for role, numbers in wished.items():
        if role is not Role.ATTRIBUTES and numbers:
            roles[role] = _single(role, numbers)
    if Role.PHONE not in roles:
        raise BadColumns("No column is called phone or the like; say which with phone=HEADING.")
    attributes = _attributes(header, wished.get(Role.ATTRIBUTES, []))
    return Columns(width, roles, attributes, tuple(header))


def _guessed(header: Sequence[str], taken: set[int]) -> Iterator[tuple[Role, int]]:
    """For each role the column whose heading is the likeliest."""
    best: dict[Role, list[tuple[int, int]]] = {}
    for number, cell in enumerate(header):
        role, place = _NAMES.get(fold(cell), (None, 0))
        if role is not None and number not in taken:
            best.setdefault(role, []).append((place, number))
    for role, found in best.items():
        likeliest = min(found)
        rivals = [number for place, number in found if place == likeliest[0]]
        if len(rivals) > 1:
            raise BadColumns(f"{len(rivals)} columns could be the {role}; say which.")
        yield role, likeliest[1]


def _find(header: Sequence[str], width: int, name: str) -> int:
    """The column that a wish names: "#3", the heading as it is, or as it is folded."""
    if name.startswith("#") and name[1:].isascii() and name[1:].isdecimal():
        number = int(name[1:][:6]) - 1
        if 0 <= number < width:
            return number
        raise BadColumns(f"There is no column {name}; the file has {width}.")
    exact = [number for number, cell in enumerate(header) if cell.strip() == name.strip()]
    folded = [number for number, cell in enumerate(header) if fold(cell) == fold(name)]
    found = exact or folded
    if not found:
        raise BadColumns(f"No column is called {name!r}.")
    if len(found) > 1:
        raise BadColumns(f"{len(found)} columns are called {name!r}; say which as #NUMBER.")
    return found[0]


def _single(role: Role, numbers: Sequence[int]) -> int:
    if len(numbers) > 1:
        raise BadColumns(f"Only one column can be the {role}.")
    return numbers[0]


def _attributes(header: Sequence[str], numbers: Sequence[int]) -> tuple[tuple[str, int], ...]:
    if len(numbers) > MOST_ATTRIBUTES:
        raise BadColumns(f"At most {MOST_ATTRIBUTES} columns can be attributes.")
    named = [(_attribute(header, number), number) for number in numbers]
    if len({name for name, _ in named}) < len(named):
        raise BadColumns("Two columns would be the same attribute.")
    return tuple(named)


def _attribute(header: Sequence[str], number: int) -> str:
    """An attribute's name: its heading in small letters and underscores."""
    name = fold(header[number]).replace(" ", "_") if number < len(header) else ""
    return name[:60] or f"column_{number + 1}"
