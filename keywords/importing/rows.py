"""One row of a file: a claim that somebody agreed, or the reason why it is none.

What can be said without the database is said here: whether there is a number, a date that can be
read and is neither in the future nor too old, and whether source, date and disclosure are there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from typing import Final

from keywords.importing import cells
from keywords.importing.claims import NO_PROFILE, Claim, Finding, Memo, Profile, Refused, Rules
from keywords.importing.columns import Role
from keywords.importing.dates import DateError, InvalidDate, read_date
from keywords.importing.folding import fold
from keywords.importing.reasons import Reason
from keywords.phone import InvalidPhone, PhoneNumber
from keywords.quick_phone import REGION, PhoneReader
from keywords.reach import Unreached, unreached

# A day that has begun somewhere is not the future (UTC+14 is where it begins first).
_FIRST_ZONE: Final = timedelta(hours=14)
_KEPT: Final = 5_000
_YEAR: Final = timedelta(days=365.25)
_PROOF: Final = (Role.SOURCE, Role.DATE, Role.DISCLOSURE)
# How a cell begins that a spreadsheet has marked, or that somebody has indented.
_MARKED: Final = frozenset({"=", "'", " "})
_NAMES: Final = (Role.FIRST_NAME, Role.LAST_NAME, Role.CITY)
_CLAIMING: Final = (
    *(Role.PHONE, Role.PROGRAM, Role.SOURCE, Role.DATE, Role.DISCLOSURE, Role.LANGUAGE),
    Role.COUNTRY,
)
_PROFILE: Final = (*_NAMES, Role.BIRTH_DATE, Role.ZIP, Role.STATE, Role.COUNTRY)
# A named tuple's own constructor takes three times as long, and there is one for each row.
_new: Final = tuple.__new__


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, rules: Rules) -> None:
        """Raises :class:`Refused` when the date of the constants cannot be used."""
        self._rules = rules
        self._width = rules.columns.width
        self._latest = rules.now + _FIRST_ZONE
        self._earliest = rules.now - rules.oldest_years * _YEAR
        self._claiming = _places(rules, _CLAIMING)
        self._describing = _places(rules, _PROFILE)
        self._attributes_at = [number for _, number in rules.columns.attributes]
        self._numbers = {rules.country: PhoneReader(rules.country)}
        self._at_home = {p for p, served in rules.countries.items() if REGION in served}
        self._texts = Memo(_text)
        self._dates = Memo(self._date)
        self._disclosures = Memo(_disclosure)
        self._countries = Memo(_country)
        self._languages = Memo(cells.language_of)
        self._states = Memo(cells.state_of)
        self._first_names = Memo(lambda cell: _name(cell, Role.FIRST_NAME))
        self._last_names = Memo(lambda cell: _name(cell, Role.LAST_NAME))
        self._cities = Memo(lambda cell: _name(cell, Role.CITY))
        self._attributes_known: dict[tuple[str, ...], str] = {}
        self._constant_source = rules.constants.get(Role.SOURCE, "")
        self._constant_disclosure = rules.constants.get(Role.DISCLOSURE, "")
        given = rules.constants.get(Role.DATE, "")
        self._constant_date = self._dates[given] if given else None
        self._described = bool({*_PROFILE} & {*rules.columns.roles} or self._attributes_at)

    def read(self, row: int, record: Sequence[str], *, odd: bool) -> Claim | Finding:
        """The claim of a record, or why there is none. ``odd``: it is not plain ASCII."""
        try:
            if odd or len(record) != self._width:
                record = self._fitted(record)
            return self._claim(row, [*record, ""])
        except InvalidPhone as error:
            return Finding(row, error.code)
        except cells.Formula:
            return Finding(row, Reason.FORMULA, self._formula(record))
        except Refused as refusal:
            return Finding(row, refusal.code, refusal.detail)

    def _claim(self, row: int, record: Sequence[str]) -> Claim:
        number, slug, source, date_, words, language, home = self._claiming
        rules, country = self._rules, self._rules.country
        if record[home]:
            country = self._country_of(record[home], record[number])
        phone, abroad = self._number(record[number], country)
        program = self._program(record[slug]) if record[slug] else rules.program
        if program is None:
            raise Refused(Reason.PROGRAM_UNKNOWN)
        if abroad is not None or program not in self._at_home:
            self._reached(abroad, program)
        said = (
            self._texts[record[source]] or self._constant_source,
            self._dates[record[date_]] or self._constant_date,
            self._disclosures[record[words]] or self._constant_disclosure,
        )
        missing = () if all(said) else _missing(said)
        spoken = self._languages[record[language]]
        profile = self._profile(record, country) if self._described else NO_PROFILE
        return _new(Claim, (row, phone, program, *said, missing, spoken, profile))

    def _number(self, cell: str, country: str | None) -> tuple[str, PhoneNumber | None]:
        reader = self._numbers.get(country)
        if reader is None:
            reader = self._numbers[country] = PhoneReader(country)
        if cell[:1] in _MARKED:
            cell = cells.plain(cell)
        return reader.read(cell)

    def _reached(self, number: PhoneNumber | None, program: str) -> None:
        """Refuse a number that the program does not text; None is a line of the United States."""
        countries = self._rules.countries[program]
        why = unreached(number, countries) if number is not None else Unreached.COUNTRY
        if why is not None:
            raise Refused(why)

    def _date(self, cell: str) -> datetime | None:
        written = cells.plain(cell)
        if not written:
            return None
        try:
            when = read_date(written, self._rules.date_order)
        except InvalidDate as error:
            ambiguous = error.code is DateError.AMBIGUOUS
            code = Reason.DATE_AMBIGUOUS if ambiguous else Reason.DATE_UNREADABLE
            raise Refused(code) from None
        if when > self._latest:
            raise Refused(Reason.DATE_IN_FUTURE)
        if when < self._earliest:
            raise Refused(Reason.DATE_TOO_OLD, str(self._rules.oldest_years))
        return when

    def _country_of(self, cell: str, phone: str) -> str | None:
        """The row's own country, or that of the file."""
        written, code = self._countries[cell]
        if not written:
            return self._rules.country
        if code is None and "+" not in phone:
            raise Refused(Reason.COUNTRY_UNKNOWN)
        return code

    def _program(self, cell: str) -> str | None:
        words = fold(self._texts[cell])
        if not words:
            return self._rules.program
        return self._rules.programs.get(words)

    def _profile(self, record: Sequence[str], country: str | None) -> Profile:
        first, last, city, birth, code, state, home = self._describing
        zip_ = record[code].strip()
        return _new(
            Profile,
            (
                self._first_names[record[first]],
                self._last_names[record[last]],
                self._birth(record[birth]) if record[birth] else None,
                (cells.zip_of(zip_, country) or None) if zip_ else None,
                self._cities[record[city]],
                self._states[record[state]] or None,
                self._countries[record[home]][1],
                self._attributes(record) if self._attributes_at else "{}",
            ),
        )

    def _birth(self, cell: str) -> date | None:
        written = cells.plain(cell)
        if not written:
            return None
        try:
            birth = read_date(written, self._rules.date_order).date()
        except InvalidDate:
            raise Refused(Reason.BIRTH_UNREADABLE) from None
        if birth > self._rules.now.date():
            raise Refused(Reason.BIRTH_UNREADABLE)
        return birth

    def _attributes(self, record: Sequence[str]) -> str:
        """The row's own attributes as a JSON object; few of them have many values."""
        key = tuple([record[number] for number in self._attributes_at])
        known = self._attributes_known.get(key)
        if known is None:
            names = [name for name, _ in self._rules.columns.attributes]
            words = [self._texts[cell] for cell in key]
            said = {name: word for name, word in zip(names, words, strict=True) if word}
            if len(self._attributes_known) >= _KEPT:
                self._attributes_known.clear()
            known = self._attributes_known[key] = json.dumps(said)
        return known

    def _fitted(self, record: Sequence[str]) -> list[str]:
        """The record with as many cells as the file has columns, all of them text.

        Cells that are missing at the end are empty ones that the writer left out. Cells that are
        too many mean that everything may be in another column than it should.
        """
        whole = "\n".join(record)
        if "\0" in whole:
            raise Refused(Reason.NUL)
        if any(map(str.strip, record[self._width :])):
            raise Refused(Reason.TOO_MANY_CELLS)
        fitted = [*record[: self._width], *[""] * (self._width - len(record))]
        if cells.is_text(whole):
            return fitted
        if not all(cells.is_text(fitted[number]) for _, number in self._used()):
            raise Refused(Reason.NOT_TEXT)
        return fitted

    def _formula(self, record: Sequence[str]) -> str:
        """The first column with a formula that counts."""
        for name, number in self._used():
            try:
                cells.plain(record[number])
            except cells.Formula:
                return name
        return ""

    def _used(self) -> Iterator[tuple[str, int]]:
        """The columns that count, by name."""
        yield from ((str(role), at) for role, at in self._rules.columns.roles.items())
        yield from self._rules.columns.attributes


def _places(rules: Rules, roles: Sequence[Role]) -> list[int]:
    """Where each role is; one that no column has is at the end, where an empty cell is put."""
    columns = rules.columns
    return [columns.roles.get(role, columns.width) for role in roles]


def _missing(said: Sequence[object]) -> tuple[str, ...]:
    return tuple(str(role) for role, value in zip(_PROOF, said, strict=True) if not value)


def _name(cell: str, role: Role) -> str | None:
    if not cell:
        return None
    words = cells.name(cell)
    if len(words) > cells.LONGEST:
        raise Refused(Reason.TOO_LONG, role)
    return words or None


def _text(cell: str) -> str:
    words = cells.visible(cells.plain(cell))
    if len(words) > cells.LONGEST:
        raise Refused(Reason.TOO_LONG, "a text")
    return words


def _disclosure(cell: str) -> str:
    """As it stands: it is to be kept word for word."""
    words = cells.plain(cell)
    if len(words) > cells.LONGEST_DISCLOSURE:
        raise Refused(Reason.TOO_LONG, Role.DISCLOSURE)
    return words


def _country(cell: str) -> tuple[str, str | None]:
    written = cells.plain(cell)
    return written, cells.country_of(written) if written else None
