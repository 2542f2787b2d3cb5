"""The words of the forms in the visitor's language, filled in for a program."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import phonenumbers

from keywords import data
from keywords.countries import COUNTRIES
from keywords.phone import readable
from keywords.replies import LANGUAGES, language_of, title
from keywords.shop import Program

Words = Mapping[str, str]
_FILES: Final[Mapping[str, Mapping[str, Any]]] = {
    language: data.load(f"form.{language}", "bot.joining.data") for language in LANGUAGES
}
NAMES: Final = {language: str(table["name"]) for language, table in _FILES.items()}


def words(part: str, program: Program, language: str, **more: str) -> Words:
    """One part of what is said ("form", "thanks", "errors"), each text filled in.

    ``more`` are values that belong to this page only, such as the ``number`` just given.
    """
    values = _values(program, language) | more
    texts: Mapping[str, str] = _FILES[language_of(language)][part]
    return {name: text.format_map(_Given(values)) for name, text in texts.items()}


def missing(language: str) -> Words:
    """What is said where there is no such program."""
    texts: Words = _FILES[language_of(language)]["missing"]
    return texts


def date_parts(language: str) -> tuple[str, ...]:
    """The parts of a date in the order in which the language writes them."""
    return tuple(_FILES[language_of(language)]["dates"])


class _Given(dict[str, str]):
    """A value that is not known here stays a field: another page fills it in."""

    def __missing__(self, key: str) -> str:
        return f"{{{key}}}"


def _values(program: Program, language: str) -> dict[str, str]:
    voice = program.voice
    return {
        "title": title(voice),
        "brand": voice.brand,
        "keyword": voice.keyword,
        "help_contact": voice.help_contact,
        "sender": readable(program.sender),
        "age": str(program.minimum_age or ""),
        "yes": str(_FILES[language_of(language)]["yes"]),
        "countries": ", ".join(COUNTRIES[code].name(language) for code in program.countries),
        "example": _example(program.countries[0]),
    }


def _example(country: str) -> str:
    """A number of the country that nobody has, as it is written there."""
    number = phonenumbers.example_number(country)
    assert number is not None
    national = phonenumbers.PhoneNumberFormat.NATIONAL
    return str(phonenumbers.format_number(number, national))
