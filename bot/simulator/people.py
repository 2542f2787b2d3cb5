"""The made-up persons whose phones the page offers, and where a number seems to be from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from importlib import resources

import phonenumbers


@dataclass(frozen=True, slots=True)
class Person:
    """A phone number with a name, the place that Twilio would report for it, and its clock.

    ``zone`` is an IANA name.
    """

    number: str
    name: str
    city: str
    state: str
    zip: str
    country: str
    zone: str

    @property
    def place(self) -> str:
        """The place for people to read: ``San Francisco, CA``."""
        return f"{self.city.title()}, {self.state}"


def _load() -> dict[str, Person]:
    data = resources.files("bot.simulator").joinpath("data/people.toml").read_text("utf-8")
    people = [Person(**row) for row in tomllib.loads(data)["people"]]
    return {person.number: person for person in people}


PEOPLE = _load()


def geography(end: str, address: str) -> list[tuple[str, str]]:
    """Twilio's place parameters; ``end`` is "From" or "To".

    They follow from the number alone, as at Twilio: they do not say where the person is. A channel
    address (``whatsapp:+1…``) has none.
    """
    if ":" in address:
        return []
    person = PEOPLE.get(address)
    if person:
        found = (person.city, person.state, person.zip, person.country)
    else:
        found = ("", "", "", _country(address))
    return [
        (f"{end}{part}", value)
        for part, value in zip(("City", "State", "Zip", "Country"), found, strict=True)
    ]


def _country(address: str) -> str:
    if not address.startswith("+"):
        return "US"
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(address)) or ""
    except phonenumbers.NumberParseException:
        return ""
