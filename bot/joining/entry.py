"""What somebody wrote into a form, read and judged; the same for the page and the embedded form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from keywords.age import InvalidBirth, old_enough, read_birth
from keywords.countries import country_of
from keywords.phone import LONGEST_INPUT, InvalidPhone, LineType, PhoneNumber, parse
from keywords.shop import Program

TRAP: Final = "website"
FIELDS: Final = ("phone", "country", "agree", "month", "day", "year")
# Nobody reads a text on the first two; the others are what numbers are made of that pay whoever
# has them texted (reliability T2).
_UNTEXTABLE: Final = frozenset(
    {LineType.LANDLINE, LineType.TOLL_FREE, LineType.PREMIUM_RATE, LineType.VOIP, LineType.OTHER}
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A form as it came: what stood in it, what is wrong with it, and the number if it is one.

    ``errors`` maps a field ("phone", "birth", "agree") to the code of a sentence. ``too_young``
    is said only of a form without errors.
    """

    values: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    phone: PhoneNumber | None = None
    too_young: bool = False


def read_entry(given: Mapping[str, str], program: Program, now: datetime) -> Entry:
    """Read a form of ``program``; ``given`` are its fields by name."""
    values = {name: given.get(name, "")[:LONGEST_INPUT] for name in FIELDS}
    errors: dict[str, str] = {}
    phone = _phone(values, program, errors)
    grown_up = _grown_up(values, program, errors, now)
    if not values["agree"]:
        errors["agree"] = "box"
    return Entry(values, errors, phone, too_young=not errors and not grown_up)


def trapped(given: Mapping[str, str]) -> bool:
    """Whether a field was filled in that nobody sees."""
    return bool(given.get(TRAP))


def _phone(
    values: Mapping[str, str], program: Program, errors: dict[str, str]
) -> PhoneNumber | None:
    region = values["country"] if values["country"] in program.countries else program.countries[0]
    try:
        number = parse(values["phone"], region)
    except InvalidPhone as error:
        errors["phone"] = error.code
        return None
    if country_of(number.region, program.countries) is None:
        errors["phone"] = "phone_country"
    elif number.line_type in _UNTEXTABLE:
        errors["phone"] = "phone_line"
    return number


def _grown_up(
    values: Mapping[str, str], program: Program, errors: dict[str, str], now: datetime
) -> bool:
    if program.minimum_age is None:
        return True
    try:
        birth = read_birth(values["month"], values["day"], values["year"], now)
    except InvalidBirth as error:
        errors["birth"] = error.code
        return False
    return old_enough(birth, program.minimum_age, now)
