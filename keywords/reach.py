"""Which numbers that exist a program does not text at all, however somebody agreed.

What a numbering plan says of a line is a guess, so only those are refused by it that nobody reads
texts on, or that cost who texts them. Forms, where strangers type, are stricter (``bot.joining``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from keywords.countries import country_of
from keywords.phone import LineType, PhoneNumber


class Unreached(StrEnum):
    """Why a number that exists is not texted. The values are stable API codes."""

    COUNTRY = "phone_country"
    LINE = "phone_line_type"


SENTENCES: Final[Mapping[Unreached, str]] = MappingProxyType(
    {
        Unreached.COUNTRY: "This program does not text numbers of this country.",
        Unreached.LINE: "This number is toll-free or costs the caller; no person is texted there.",
    }
)
_NO_PERSON: Final = frozenset({LineType.TOLL_FREE, LineType.PREMIUM_RATE})


def unreached(number: PhoneNumber, countries: Iterable[str]) -> Unreached | None:
    """Why a program for these countries (ISO codes) does not text a number; None if it does."""
    if country_of(number.region, countries) is None:
        return Unreached.COUNTRY
    return Unreached.LINE if number.line_type in _NO_PERSON else None
