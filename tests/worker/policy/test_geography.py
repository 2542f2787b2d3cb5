"""The tables of places, against libphonenumber's and against themselves."""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import phonenumbers
import pytest
from phonenumbers import PhoneNumber, geocoder
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from worker.policy import geography
from worker.policy.geography import Spot

SEASONS = (datetime(2027, 1, 15, tzinfo=UTC), datetime(2027, 7, 15, tzinfo=UTC))
NAMES = {
    "Washington State": "Washington",
    "Washington D.C.": "District of Columbia",
    "British Colombia": "British Columbia",
}
# libphonenumber has another zone for these and is out of date: 689 is an overlay of Orlando's 407,
# 474 of Saskatchewan's 306, 879 is not in the Caribbean, and Yukon (867) left Pacific time in 2020.
DIFFERENT = {"474", "689", "867", "879"}


def numbers(code: str) -> list[PhoneNumber]:
    """Some numbers of an area code that libphonenumber takes for valid."""
    some = [
        PhoneNumber(country_code=1, national_number=int(f"{code}{exchange}0123"))
        for exchange in (*range(201, 999, 7), 555, 234, 633, 642)
    ]
    return [number for number in some if phonenumbers.is_valid_number(number)]


def clocks(zones: tuple[str, ...]) -> set[tuple[object, ...]]:
    """The ways in which the clocks of some zones run."""
    return {tuple(at.astimezone(ZoneInfo(zone)).utcoffset() for at in SEASONS) for zone in zones}


def regions(code: str) -> set[str | None]:
    """The countries in which libphonenumber places valid numbers of an area code."""
    return {phonenumbers.region_code_for_number(n) for n in numbers(code)}


PLACED = {code: regions(code) for code in map(str, range(200, 1000))}
AMERICAN = {"US", "CA", *geography.TERRITORIES}
OURS = [code for code in PLACED if geography.of_area_code(code)]


def described(code: str) -> str:
    """The state that libphonenumber names for an area code, "" for none."""
    example = PhoneNumber(country_code=1, national_number=int(f"{code}5550123"))
    name = geocoder.description_for_number(example, "en").rpartition(", ")[2]
    return NAMES.get(name, name)


def test_every_area_code_with_a_place_is_in_the_table() -> None:
    """A new one shows here when libphonenumber is updated."""
    missing = {
        code
        for code, countries in PLACED.items()
        if countries & AMERICAN and code not in OURS and described(code) not in ("", "Canada")
    }
    assert missing == set()


def test_no_area_code_is_made_up() -> None:
    """All but the newest are known to libphonenumber."""
    unknown = {code for code in OURS if not PLACED[code]}
    assert len(unknown) <= 8, unknown


@pytest.mark.parametrize("code", OURS)
def test_an_area_code_is_in_the_state_that_libphonenumber_says(code: str) -> None:
    """Names and abbreviations, and the zones of its exchanges are all among ours."""
    spot = geography.of_area_code(code)
    assert spot is not None
    named = described(code)
    if named and PLACED[code]:
        ours = [geography.STATE_NAMES[state] for state in spot.states] + list(spot.states)
        assert any(part in ours for part in named.split("/")), named
    for number in numbers(code):
        theirs = tuple(time_zones_for_number(number))
        vague = len(theirs) > 8 or UNKNOWN_TIMEZONE in theirs
        if not vague and code not in DIFFERENT:
            assert clocks(theirs) <= clocks(spot.zones), (number, theirs)


@pytest.mark.parametrize(
    ("zip_", "states", "zones"),
    [
        ("00501", ("NY",), ("America/New_York",)),
        ("00901", ("PR",), ("America/Puerto_Rico",)),
        ("20101", ("VA",), ("America/New_York",)),
        ("32401", ("FL",), ("America/Chicago", "America/New_York")),
        ("36867", ("AL",), ("America/Chicago", "America/New_York")),
        ("57701", ("SD",), ("America/Denver",)),
        ("79901", ("TX",), ("America/Denver", "America/Chicago")),
        ("83814", ("ID",), ("America/Los_Angeles",)),
        ("86515", ("AZ", "NM"), ("America/Phoenix", "America/Denver")),
        ("88595", ("TX",), ("America/Denver",)),
        ("96799", ("AS",), ("Pacific/Pago_Pago",)),
        ("96815", ("HI",), ("Pacific/Honolulu",)),
        ("99501", ("AK",), ("America/Anchorage", "America/Adak")),
        ("97914", ("OR",), ("America/Los_Angeles", "America/Denver")),
        ("V6B 1A1", ("BC",), ("America/Vancouver", "America/Edmonton", "America/Fort_Nelson")),
        ("h2x1y4", ("QC",), ("America/Toronto",)),
    ],
)
def test_some_postal_codes(zip_: str, states: tuple[str, ...], zones: tuple[str, ...]) -> None:
    """Near borders of states and zones, and far away."""
    spot = geography.of_zip(zip_)
    assert spot is not None
    assert set(spot.states) == set(states)
    assert clocks(spot.zones) == clocks(zones)


def test_every_state_has_area_codes_and_zips() -> None:
    """None was forgotten; Samoa's ZIP code is inside Hawaii's prefix."""
    codes = {state for code in OURS for state in _states(geography.of_area_code(code))}
    assert codes == set(geography.STATE_NAMES)
    prefixes = [f"{n:03d}01" for n in range(1000)] + ["96799"]
    letters = [f"{letter}1A 1A1" for letter in "ABCEGHJKLMNPRSTVXY"]
    zips = {state for text in prefixes + letters for state in _states(geography.of_zip(text))}
    assert zips == set(geography.STATE_NAMES)


def _states(spot: Spot | None) -> tuple[str, ...]:
    return spot.states if spot else ()


def test_every_zone_is_known_to_this_machine() -> None:
    """A typing error would make a state's people unreachable, or the service fail."""
    spots = [geography.of_state(code) for code in geography.STATE_NAMES]
    spots += [geography.of_area_code(code) for code in OURS]
    spots += [geography.of_country(code) for code in phonenumbers.SUPPORTED_REGIONS]
    for spot in spots:
        for zone in spot.zones if spot else ():
            assert geography.is_zone(zone), zone


def test_a_prefix_lies_in_its_state_s_zones() -> None:
    """No area code or ZIP prefix has a zone that its state lacks."""
    for text in [f"{n:03d}01" for n in range(1000)]:
        spot = geography.of_zip(text)
        if spot and text[:3] != "969":
            assert set(spot.zones) <= set(geography.of_states(spot.states).zones), text


def test_a_table_with_a_zone_for_a_stranger_is_refused() -> None:
    """An exception for an area code that the state does not list is a typing error."""
    wrong = {"NY": {"zones": ["America/New_York"], "area_codes": "212", "odd": {"213": ["X"]}}}
    with pytest.raises(ValueError, match="does not list"):
        geography._gathered(wrong, "area_codes", "odd")
