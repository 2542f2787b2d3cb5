"""One row of a file: a claim that somebody agreed, or the reason why it is none.

What can be said without the database is said here: whether there is a number, a date that can be
read and is neither in the future nor too old, and whether source, date and disclosure are there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Final

from keywords.importing import cells
from keywords.importing.claims import NO_PROFILE, Claim, Finding, Memo, Profile, Refused, Rules
from keywords.importing.columns import Role
from keywords.importing.dates import DateError, InvalidDate, read_date
from keywords.importing.folding import fold
from keywords.importing.reasons import Reason
from keywords.phone import InvalidPhone
from keywords.quick_phone import PhoneReader

# A day that has begun somewhere is not the future (UTC+14 is where it begins first).
_FIRST_ZONE: Final = timedelta(hours=14)
_YEAR: Final = timedelta(days=365.25)
_PROOF: Final = (Role.SOURCE, Role.DATE, Role.DISCLOSURE)
_NAMES: Final = (Role.FIRST_NAME, Role.LAST_NAME, Role.CITY)
_DESCRIBING: Final = frozenset({*_NAMES, Role.BIRTH_DATE, Role.ZIP, Role.STATE, Role.COUNTRY})


class RowReader:
    """Reads the rows of one file."""

    def __init__(self, rules: Rules) -> None:
        """Raises :class:`Refused` when the date of the constants cannot be used."""
        self._rules = rules
        roles = rules.columns.roles
        self._width = rules.columns.width
        self._phone = roles[Role.PHONE]
        self._at = {role: roles[role] for role in Role if role in roles}
        self._numbers = {rules.country: PhoneReader(rules.country)}
        self._texts = Memo(_text)
        self._dates = Memo(self._date)
        self._disclosures = Memo(_disclosure)
        self._countries = Memo(_country)
        self._states = Memo(cells.state_of)
        self._constant_source = rules.constants.get(Role.SOURCE, "")
        self._constant_disclosure = rules.constants.get(Role.DISCLOSURE, "")
        given = rules.constants.get(Role.DATE, "")
        self._constant_date = self._dates[given] if given else None
        self._named_by = tuple(roles.get(role) for role in _NAMES)
        self._described = bool(_DESCRIBING & roles.keys() or rules.columns.attributes)

    def read(self, row: int, record: Sequence[str], *, odd: bool) -> Claim | Finding:
        """The claim of a record, or why there is none. ``odd``: it is not plain ASCII."""
        try:
            if odd or len(record) != self._width:
                record = self._fitted(record)
            return self._claim(row, record)
        except InvalidPhone as error:
            return Finding(row, error.code)
        except cells.Formula:
            return Finding(row, Reason.FORMULA, self._formula(record))
        except Refused as refusal:
            return Finding(row, refusal.code, refusal.detail)

    def _claim(self, row: int, record: Sequence[str]) -> Claim:
        at, rules = self._at, self._rules
        country = self._country_of(record)
        phone = self._number(record[self._phone], country)
        source, when, disclosure = self._proof(record)
        missing: tuple[str, ...] = ()
        if not (source and when and disclosure):
            said = (source, when, disclosure)
            missing = tuple(str(r) for r, value in zip(_PROOF, said, strict=True) if not value)
        program = rules.program
        if Role.PROGRAM in at:
            program = self._program(record[at[Role.PROGRAM]])
        if program is None:
            raise Refused(Reason.PROGRAM_UNKNOWN)
        language = None
        if Role.LANGUAGE in at:
            language = cells.language_of(record[at[Role.LANGUAGE]])
        profile = self._profile(record, country) if self._described else NO_PROFILE
        return Claim(row, phone, program, source, when, disclosure, missing, language, profile)

    def _number(self, cell: str, country: str | None) -> str:
        reader = self._numbers.get(country)
        if reader is None:
            reader = self._numbers[country] = PhoneReader(country)
        if cell[:1] in ("=", "'", " "):
            cell = cells.plain(cell)
        return reader.e164(cell)

    def _proof(self, record: Sequence[str]) -> tuple[str, datetime | None, str]:
        """Source, date and disclosure: the row's own, else those of the whole file."""
        at = self._at
        source, when = self._constant_source, self._constant_date
        disclosure = self._constant_disclosure
        if Role.SOURCE in at:
            source = self._texts[record[at[Role.SOURCE]]] or source
        if Role.DATE in at:
            when = self._dates[record[at[Role.DATE]]] or when
        if Role.DISCLOSURE in at:
            disclosure = self._disclosures[record[at[Role.DISCLOSURE]]] or disclosure
        return source, when, disclosure

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
        now, years = self._rules.now, self._rules.oldest_years
        if when > now + _FIRST_ZONE:
            raise Refused(Reason.DATE_IN_FUTURE)
        if when < now - years * _YEAR:
            raise Refused(Reason.DATE_TOO_OLD, str(years))
        return when

    def _country_of(self, record: Sequence[str]) -> str | None:
        """The row's own country, or that of the file."""
        number = self._at.get(Role.COUNTRY)
        if number is None:
            return self._rules.country
        written, code = self._countries[record[number]]
        if written and code is None and "+" not in record[self._phone]:
            raise Refused(Reason.COUNTRY_UNKNOWN)
        return code if written else self._rules.country

    def _program(self, cell: str) -> str | None:
        words = fold(self._texts[cell])
        if not words:
            return self._rules.program
        return self._rules.programs.get(words)

    def _profile(self, record: Sequence[str], country: str | None) -> Profile:
        at = self._at
        first, last, city = self._named_by
        state = self._states[record[at[Role.STATE]]] or None if Role.STATE in at else None
        written = record[at[Role.ZIP]].strip() if Role.ZIP in at else ""
        attributes = self._attributes(record) if self._rules.columns.attributes else "{}"
        return Profile(
            self._name(record[first], Role.FIRST_NAME) if first is not None else None,
            self._name(record[last], Role.LAST_NAME) if last is not None else None,
            self._birth(record[at[Role.BIRTH_DATE]]) if Role.BIRTH_DATE in at else None,
            cells.zip_of(written, country) or None if written else None,
            self._name(record[city], Role.CITY) if city is not None else None,
            state,
            self._countries[record[at[Role.COUNTRY]]][1] if Role.COUNTRY in at else None,
            attributes,
        )

    def _name(self, cell: str, role: Role) -> str | None:
        words = cells.name(cell)
        if len(words) > cells.LONGEST:
            raise Refused(Reason.TOO_LONG, role)
        return words or None

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
        said: dict[str, str] = {}
        for name, number in self._rules.columns.attributes:
            words = self._texts[record[number]]
            if words:
                said[name] = words
        return json.dumps(said) if said else "{}"

    def _fitted(self, record: Sequence[str]) -> list[str]:
        """The record with as many cells as the file has columns, all of them text.

        Cells that are missing at the end are empty ones that the writer left out. Cells that are
        too many mean that everything may be in another column than it should.
        """
        if any("\0" in cell for cell in record):
            raise Refused(Reason.NUL)
        if any(map(str.strip, record[self._width :])):
            raise Refused(Reason.TOO_MANY_CELLS)
        fitted = [*record[: self._width], *[""] * (self._width - len(record))]
        used = [*self._at.values(), *(number for _, number in self._rules.columns.attributes)]
        if not all(cells.is_text(fitted[number]) for number in used):
            raise Refused(Reason.NOT_TEXT)
        return fitted

    def _formula(self, record: Sequence[str]) -> str:
        """The first column with a formula that counts."""
        named = [(str(role), number) for role, number in self._at.items()]
        for name, number in [*named, *self._rules.columns.attributes]:
            try:
                cells.plain(record[number])
            except cells.Formula:
                return name
        return ""


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
