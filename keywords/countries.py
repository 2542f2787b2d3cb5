"""The countries whose numbers a program may text: their names, and which numbers are theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import phonenumbers

from keywords import data
from keywords.replies import LANGUAGES, language_of


@dataclass(frozen=True, slots=True)
class Country:
    """``code`` is ISO 3166-1 ("US"), ``calling_code`` without its plus (1).

    ``regions`` are the regions of numbering plans that count as this country.
    """

    code: str
    calling_code: int
    regions: frozenset[str]
    names: Mapping[str, str]

    def name(self, language: str) -> str:
        """The name in a language that we speak."""
        return self.names[language_of(language)]


def _country(code: str, entry: Mapping[str, Any]) -> Country:
    regions = frozenset(entry.get("regions", [code]))
    names = {language: str(entry[language]) for language in LANGUAGES}
    return Country(code, phonenumbers.country_code_for_region(code), regions, names)


COUNTRIES: Final[Mapping[str, Country]] = {
    code: _country(code, entry) for code, entry in data.load("countries")["countries"].items()
}


def country_of(region: str | None, allowed: Iterable[str]) -> Country | None:
    """The country among the ``allowed`` codes that a number's region belongs to, or None."""
    return next((c for code in allowed if region in (c := COUNTRIES[code]).regions), None)
