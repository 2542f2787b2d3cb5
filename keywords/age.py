"""Is somebody old enough? A full date of birth, because "Reply YES if 21+" is not enough.

Twilio refuses such traffic without a gate of this kind (errors 30529, 30456, 30875), and any
age-gated traffic to Canada.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from keywords.ledger import Json

OLDEST: Final = 120
# It is one's birthday everywhere only once it is where the day comes last (UTC-12).
_LAST_ZONE: Final = timedelta(hours=12)


class BirthError(StrEnum):
    """Why three fields are not a date of birth. The values are stable."""

    INCOMPLETE = "birth_incomplete"
    NO_DATE = "birth_no_date"
    FUTURE = "birth_future"
    TOO_LONG_AGO = "birth_too_long_ago"


class InvalidBirth(ValueError):
    """Three fields that are not a date of birth; ``code`` says why."""

    def __init__(self, code: BirthError) -> None:
        super().__init__(code)
        self.code = code


def read_birth(month: str, day: str, year: str, now: datetime) -> date:
    """The date of birth that somebody wrote, each part in digits.

    Raises :class:`InvalidBirth`: a year of two digits is not guessed at.
    """
    parts = [part.strip() for part in (year, month, day)]
    if not all(parts):
        raise InvalidBirth(BirthError.INCOMPLETE)
    if not all(part.isascii() and part.isdecimal() and len(part) <= 4 for part in parts):
        raise InvalidBirth(BirthError.NO_DATE)
    if len(parts[0]) < 4:
        raise InvalidBirth(BirthError.NO_DATE)
    try:
        birth = date(*(int(part) for part in parts))
    except ValueError:
        raise InvalidBirth(BirthError.NO_DATE) from None
    if birth > now.date():
        raise InvalidBirth(BirthError.FUTURE)
    if now.year - birth.year > OLDEST:
        raise InvalidBirth(BirthError.TOO_LONG_AGO)
    return birth


def old_enough(birth: date, minimum: int, now: datetime) -> bool:
    """Whether somebody born on ``birth`` has completed ``minimum`` years, wherever they are.

    Who was born on 29 February comes of age on 1 March in a common year.
    """
    today = (now - _LAST_ZONE).date()
    years = today.year - birth.year
    if (today.month, today.day) < (birth.month, birth.day):
        years -= 1
    return years >= minimum


def gate(minimum: int) -> dict[str, Json]:
    """What the ledger keeps of a check that was passed: not the date, only that it was made."""
    return {"checked": "date_of_birth", "minimum": minimum}


def passed(evidence: Mapping[str, Json], minimum: int | None) -> bool:
    """Whether evidence shows that the age of ``minimum`` was checked; None asks for nothing."""
    if minimum is None:
        return True
    age = evidence.get("age")
    shown = age.get("minimum") if isinstance(age, dict) else None
    return isinstance(shown, int) and shown >= minimum
