"""Dates as other systems write them. What can be read in two ways is refused, not guessed."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final

from keywords.data import load
from keywords.importing.folding import fold


class DateOrder(StrEnum):
    """What "3/4/2025" means; without one it is ambiguous. A date with the year first is clear."""

    DAY_FIRST = "dmy"
    MONTH_FIRST = "mdy"


class DateError(StrEnum):
    """Why a text is no date that can be used."""

    UNREADABLE = "unreadable"
    AMBIGUOUS = "ambiguous"


class InvalidDate(ValueError):
    """A text that is no date, or two; ``code`` says which."""

    def __init__(self, code: DateError) -> None:
        super().__init__(code)
        self.code = code


EARLIEST: Final = 1900
LONGEST: Final = 64
_DAY, _SECOND = len("2025-03-04"), len("2025-03-04 10:11:12")
_MONTHS: Final = {
    name: int(number) for number, names in load("import_cells")["months"].items() for name in names
}
_TIME: Final = (
    r"(?:(?:T|,? +)(?P<hour>[0-9]{1,2}):(?P<minute>[0-9]{2})"
    r"(?::(?P<second>[0-9]{2})(?:[.,][0-9]{1,9})?)?"
    r" ?(?P<half>[AaPp]\.?[Mm]\.?)?"
    r" ?(?P<zone>Z|UTC|GMT|(?:UTC|GMT)?[+-][0-9]{2}:?(?:[0-9]{2})?)?)?"
)
_WEEKDAY: Final = r"(?:[^\W\d_]{2,12}\.?,? +)?"
_FORMS: Final = [
    re.compile(form + _TIME)
    for form in (
        r"(?P<year>[0-9]{4})(?P<mark>[-/.])(?P<month>[0-9]{1,2})(?P=mark)(?P<day>[0-9]{1,2})",
        r"(?P<year>(?:19|20)[0-9]{2})(?P<month>[0-9]{2})(?P<day>[0-9]{2})",
        r"(?P<first>[0-9]{1,2})(?P<mark>[-/.])(?P<second_>[0-9]{1,2})(?P=mark)(?P<year>[0-9]{4})",
        _WEEKDAY + r"(?P<day>[0-9]{1,2})(?:st|nd|rd|th|er|º|°)?\.?[ -](?:de |of )?"
        r"(?P<name>[^\W\d_]{3,12})\.?,?[ -](?:de |del )?(?P<year>[0-9]{4})",
        _WEEKDAY + r"(?P<name>[^\W\d_]{3,12})\.? (?P<day>[0-9]{1,2})(?:st|nd|rd|th)?,? "
        r"(?P<year>[0-9]{4})",
    )
]
# A year of two digits could be any of the three numbers.
_SHORT: Final = re.compile(r"[0-9]{1,2}[-/.][0-9]{1,2}[-/.][0-9]{2}" + _TIME)


def read_date(text: str, order: DateOrder | None = None) -> datetime:
    """The moment that ``text`` writes, in UTC; midnight for a day alone, UTC where no zone is said.

    Raises :class:`InvalidDate`. Never guesses: "3/4/2025" needs an ``order``, "13/4/2025" does not.
    """
    plain = _iso(text)
    if plain is not None:
        return plain
    written = " ".join(text.split())
    if len(written) > LONGEST:
        raise InvalidDate(DateError.UNREADABLE)
    for form in _FORMS:
        found = form.fullmatch(written)
        if found is not None:
            return _moment(found, order)
    raise InvalidDate(DateError.AMBIGUOUS if _SHORT.fullmatch(written) else DateError.UNREADABLE)


def _iso(text: str) -> datetime | None:
    """The two forms that most programs write, "2025-03-04" and "2025-03-04 10:11:12", quickly."""
    size = len(text)
    if size not in (_DAY, _SECOND) or text[4] != "-" or text[7] != "-":
        return None
    if size == _SECOND and (text[10] not in " T" or text[13] != ":" or text[16] != ":"):
        return None
    try:
        # Read with its zone: to put one in its place afterwards takes ten times as long.
        moment = datetime.fromisoformat(f"{text}Z" if size == _SECOND else f"{text}T00:00:00Z")
    except ValueError:
        return None
    return moment if moment.year >= EARLIEST else None


def _moment(found: re.Match[str], order: DateOrder | None) -> datetime:
    parts = found.groupdict()
    month, day = _month_and_day(parts, order)
    try:
        whole = date(int(parts["year"]), month, day)
        hour, minute, second = _clock(parts)
        zone = _zone(parts["zone"])
        local = datetime(whole.year, month, day, hour, minute, second, tzinfo=zone)
        if whole.year < EARLIEST:
            raise InvalidDate(DateError.UNREADABLE)
        return local.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise InvalidDate(DateError.UNREADABLE) from error


def _month_and_day(parts: dict[str, str | None], order: DateOrder | None) -> tuple[int, int]:
    if parts.get("name"):
        month = _MONTHS.get(fold(parts["name"] or ""))
        if month is None:
            raise InvalidDate(DateError.UNREADABLE)
        return month, int(parts["day"] or 0)
    if parts.get("month"):
        return int(parts["month"] or 0), int(parts["day"] or 0)
    return _ordered(int(parts["first"] or 0), int(parts["second_"] or 0), order)


def _ordered(first: int, second: int, order: DateOrder | None) -> tuple[int, int]:
    """Month and day of two numbers. Without an order, one of them must be no month."""
    if order is DateOrder.DAY_FIRST:
        return second, first
    if order is DateOrder.MONTH_FIRST or first == second:
        return first, second
    if first > 12:
        return second, first
    if second > 12:
        return first, second
    raise InvalidDate(DateError.AMBIGUOUS)


def _clock(parts: dict[str, str | None]) -> tuple[int, int, int]:
    hour = int(parts["hour"] or 0)
    half = (parts["half"] or "").replace(".", "").lower()
    if half:
        if not 1 <= hour <= 12:
            raise ValueError("no hour of half a day")
        hour = hour % 12 + (12 if half == "pm" else 0)
    return hour, int(parts["minute"] or 0), int(parts["second"] or 0)


def _zone(written: str | None) -> timezone:
    offset = (written or "").removeprefix("UTC").removeprefix("GMT").replace(":", "")
    if offset in ("", "Z"):
        return UTC
    minutes = int(offset[1:3]) * 60 + int(offset[3:5] or 0)
    return timezone(timedelta(minutes=-minutes if offset[0] == "-" else minutes))
