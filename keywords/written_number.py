"""Find a phone number wherever it was written: with or without its country code, however spaced.

For erasing somebody from files and answers that hold numbers as other systems wrote them.
"""

from __future__ import annotations

from typing import Final

import phonenumbers
from phonenumbers import NumberParseException

# Brackets, blanks, dots and dashes; in UTF-16 each has a NUL beside it.
_BETWEEN: Final = "[^0-9]{0,5}"
_SHORTEST: Final = 7


def pattern(phone: str) -> str:
    """A regular expression, for Python and PostgreSQL alike, that finds an E.164 number.

    It looks for the digits that every way of writing shares: those without the country code and
    without the zero that many countries put before them.
    """
    return _BETWEEN.join(_national(phone))


def _national(phone: str) -> str:
    digits = "".join(c for c in phone if c.isdecimal())
    try:
        national = phonenumbers.national_significant_number(phonenumbers.parse(phone))
    except NumberParseException:
        return digits
    return national if len(national) >= _SHORTEST else digits
