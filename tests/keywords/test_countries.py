"""The countries that a form may offer."""

from __future__ import annotations

import phonenumbers
import pytest

from keywords.countries import COUNTRIES, Country, country_of
from keywords.phone import parse


@pytest.mark.parametrize("country", COUNTRIES.values(), ids=COUNTRIES)
def test_each_country_has_names_a_calling_code_and_numbers(country: Country) -> None:
    """Its regions are those of libphonenumber, and its own is among them."""
    assert country.calling_code > 0
    assert country.code in country.regions
    assert country.regions <= set(phonenumbers.SUPPORTED_REGIONS)
    assert len({country.name(language) for language in ("en", "es", "fr")}) >= 1


def test_no_region_belongs_to_two_countries() -> None:
    """A number is of one country, or of none that we know."""
    regions = [region for country in COUNTRIES.values() for region in country.regions]

    assert len(regions) == len(set(regions))


@pytest.mark.parametrize(
    ("number", "allowed", "code"),
    [
        ("+14155550123", ("US",), "US"),
        ("+17872005555", ("US",), "US"),
        ("+14165550123", ("US",), None),
        ("+14165550123", ("US", "CA"), "CA"),
        ("+18765550123", ("US", "CA"), None),
        ("+447400123456", ("US", "GB"), "GB"),
    ],
)
def test_a_number_belongs_to_a_country_of_the_program(
    number: str, allowed: tuple[str, ...], code: str | None
) -> None:
    """+1 is not one country: Puerto Rico counts as the United States, Jamaica does not."""
    found = country_of(parse(number).region, allowed)

    assert (found.code if found else None) == code
