"""What one cell says: cleaned of what spreadsheets and exports leave in it, or refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

import phonenumbers

from keywords.countries import COUNTRIES
from keywords.data import load
from keywords.importing.folding import fold

LONGEST: Final = 500
LONGEST_DISCLOSURE: Final = 20_000
_DATA: Final = load("import_cells")
OLDEST_YEARS: Final = int(_DATA["oldest_years"])
_NOTHING: Final = frozenset(_DATA["nothing"])
_NO_NAME: Final = frozenset(_DATA["no_name"])
_LONGEST_NO_NAME: Final = max(map(len, _NO_NAME))
_LONGEST_NOTHING: Final = max(map(len, _NOTHING))
_STATES: Final[Mapping[str, str]] = {name: code for code, name in _DATA["states"].items()} | {
    code.lower(): code for code in _DATA["states"]
}
_LANGUAGES: Final[Mapping[str, str]] = {
    name: language for language, names in _DATA["languages"].items() for name in names
}
_COUNTRIES: Final[Mapping[str, str]] = (
    {region.lower(): region for region in phonenumbers.SUPPORTED_REGIONS}
    | {fold(name): c.code for c in COUNTRIES.values() for name in c.names.values()}
    | {fold(name): code for code, names in _DATA["countries"].items() for name in names}
)
# Spreadsheets write ="+14155550123" to keep a number from being one.
_TEXT_FORMULA: Final = re.compile(r'="([^"]*)"')
_NUMBER_LIKE: Final = tuple("+-=@0123456789")
_US_ZIP: Final = re.compile(r"([0-9]{3,5})(?:-([0-9]{4}))?(?:\.0)?")
# What is no text, or no text that can be kept: a byte that could not be read.
_NOT_TEXT: Final = re.compile("[\ud800-\udfff\ufffd]")


class Formula(ValueError):
    """A cell that holds a formula and not its value."""


def plain(cell: str) -> str:
    """A cell without what marks it as text for a spreadsheet; "" where it says nothing.

    Raises :class:`Formula`.
    """
    cell = cell.strip()
    if cell[:1] in ("=", "'"):
        cell = _unmarked(cell)
    if len(cell) <= _LONGEST_NOTHING and cell.lower() in _NOTHING:
        return ""
    return cell


def name(cell: str) -> str:
    """A name: one line, without invisible characters; "" where it says nothing.

    Raises :class:`Formula`.
    """
    if cell.isalpha():
        return cell if len(cell) > _LONGEST_NO_NAME or cell.lower() not in _NO_NAME else ""
    cell = cell.strip()
    if cell[:1] in ("=", "'"):
        cell = _unmarked(cell)
    if not cell.isprintable():
        cell = visible(cell)
    return "" if cell.lower() in _NO_NAME else cell


def visible(words: str) -> str:
    """One line of what can be seen: no control characters, no invisible ones."""
    return "".join(c for c in " ".join(words.split()) if c.isprintable())


def is_text(cell: str) -> bool:
    """Whether every byte of the cell could be read."""
    return _NOT_TEXT.search(cell) is None


def country_of(cell: str) -> str | None:
    """The ISO code of a country, by code or by name; None for one that is not known."""
    return _COUNTRIES.get(fold(cell))


def state_of(cell: str) -> str:
    """The two letters of a state or province; what is not known as it stands, at most 40 long."""
    return _STATES.get(fold(cell)) or visible(cell)[:40]


def language_of(cell: str) -> str | None:
    """The language that we speak for "es-MX", "Spanish" or "español"; None for any other."""
    words = fold(cell)
    return _LANGUAGES.get(words) or _LANGUAGES.get(words[:2] if words[2:3] == " " else "")


def zip_of(cell: str, country: str | None) -> str:
    """A postal code; those of the United States get back the zeros that spreadsheets take away."""
    if country in (None, "US"):
        if len(cell) == 5 and cell.isascii() and cell.isdecimal():
            return cell
        found = _US_ZIP.fullmatch(cell)
        if found is not None:
            whole = found[1].zfill(5)
            return f"{whole}-{found[2]}" if found[2] else whole
    return visible(cell).upper()[:12]


def _unmarked(cell: str) -> str:
    if cell[0] == "'":
        # The mark of a text in a spreadsheet; but it also begins some names ('t Hooft).
        cell = cell[1:].strip() if cell[1:2] in _NUMBER_LIKE else cell
    found = _TEXT_FORMULA.fullmatch(cell)
    cell = found[1].strip() if found else cell
    if cell.startswith("="):
        raise Formula
    return cell
