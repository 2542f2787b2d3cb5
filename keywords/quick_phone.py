"""Many phone numbers, quickly: the same answers as ``phone.parse``, at a tenth of the cost.

Most numbers of a file are North American and written in one of a few ways. For those one pattern
finds the ten digits, and the plan's own pattern for lines in the United States (taken from
``phonenumbers``, so the two cannot differ) says whether they exist. Every other text goes the whole
way. That both ways agree on every text is tested, not assumed.
"""

from __future__ import annotations

import re
from typing import Any, Final

import phonenumbers

from keywords.phone import PhoneNumber, parse

# Digits in ASCII and one separator at most between the groups: what needs no cleaning.
_FORM: Final = re.compile(
    r"(\+?1)?[-. ]?\(?([2-9][0-9][0-9])\)?[-. ]?([2-9][0-9][0-9])[-. ]?([0-9]{4})"
).fullmatch
# Lines, mobile or not: the plan does not tell them apart. Toll-free and premium numbers go the
# whole way. The first region of country code 1 is the United States, and a number that is valid
# there is looked for nowhere else.
_PLAN: Final[Any] = phonenumbers.PhoneMetadata.metadata_for_region("US")
_LINE: Final = re.compile(_PLAN.fixed_line.national_number_pattern).fullmatch
_NATIONAL: Final = frozenset({"US", "CA"})
# Where every number is that the quick way finds.
REGION: Final = "US"


class PhoneReader:
    """Reads numbers that may be written as in ``region`` (ISO "US"), or internationally."""

    def __init__(self, region: str | None) -> None:
        self._region = region and region.upper()
        self._national = self._region in _NATIONAL

    def e164(self, text: str) -> str:
        """``phone.parse(text, region).e164``. Raises ``phone.InvalidPhone`` as that does."""
        return self.read(text)[0]

    def read(self, text: str) -> tuple[str, PhoneNumber | None]:
        """The number in E.164, and all of ``phone.parse(text, region)`` where the plan says more.

        None stands for an ordinary line of the United States (``REGION``). Raises
        ``phone.InvalidPhone`` as ``parse`` does.
        """
        form = _FORM(text)
        if form is not None:
            country, area, office, line = form.groups()
            if self._national or country == "+1":
                digits = area + office + line
                if _LINE(digits):
                    return "+1" + digits, None
        number = parse(text, self._region)
        return number.e164, number
