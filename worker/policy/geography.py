"""Where area codes, postal codes and time zones are: the tables of ``worker/data/geography.toml``.

A lookup answers a :class:`Spot`: the states that it may be in, and the time zones. What the tables
do not know they answer with None, never with a guess.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from phonenumbers import PhoneNumberType
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number

from keywords.data import load

UNITED_STATES, CANADA_CODE = "US", "CA"
TERRITORIES: Final = ("AS", "GU", "MP", "PR", "VI")
_US_ZIP: Final = re.compile(r"([0-9]{5})(-?[0-9]{4})?")
_CANADIAN: Final = re.compile(r"[ABCEGHJ-NPRSTVXY][0-9][A-Z] ?([0-9][A-Z][0-9])?")


@dataclass(frozen=True, slots=True)
class Spot:
    """A country (ISO 3166-1), the states or provinces that it may be, and the zones used there."""

    country: str
    states: tuple[str, ...]
    zones: tuple[str, ...]


def of_area_code(code: str) -> Spot | None:
    """Where the numbers of a North American area code (three digits) were handed out."""
    return _AREA_CODES.get(code)


def of_zip(text: str) -> Spot | None:
    """Where a ZIP code ("10001", "10001-1234") or a Canadian postal code ("K1A 0B1") is."""
    written = text.strip().upper()
    american = _US_ZIP.fullmatch(written)
    if american:
        whole = american[1]
        states = WHOLE_ZIPS.get(whole)
        return of_states(states) if states else _ZIPS.get(whole[:3])
    return _POSTAL_LETTERS.get(written[0]) if _CANADIAN.fullmatch(written) else None


def of_state(code: str) -> Spot | None:
    """A state or territory of the United States or a province of Canada, by its two letters."""
    return _STATES.get(code.strip().upper())


def of_states(codes: Iterable[str]) -> Spot:
    """Several states of one country at once. Raises ``KeyError`` for an unknown one."""
    return _union(_STATES[code] for code in codes)


@lru_cache(maxsize=1024)
def of_zone(name: str) -> Spot | None:
    """The states in which an IANA time zone is used; country "" when it is in none that we know.

    None for a name that is no time zone.
    """
    zone = _SAME_ZONES.get(name, name)
    if not is_zone(zone):
        return None
    states = _LOCAL_ZONES.get(zone) or tuple(s for s, spot in _STATES.items() if zone in spot.zones)
    countries = {_STATES[state].country for state in states}
    return Spot(countries.pop() if len(countries) == 1 else "", states, (zone,))


@lru_cache(maxsize=512)
def of_country(code: str) -> Spot | None:
    """A country as a whole, a territory as its state; None when no zone of it is known."""
    if code in TERRITORIES:
        return of_state(code)
    if code == UNITED_STATES:
        return Spot(UNITED_STATES, (), ANYWHERE_IN_THE_US)
    if code == CANADA_CODE:
        zones = (zone for spot in _PROVINCES.values() for zone in spot.zones)
        return Spot(CANADA_CODE, (), tuple(dict.fromkeys(zones)))
    if code in _COUNTRIES:
        return Spot(code, (), tuple(_COUNTRIES[code]))
    example = phonenumbers.example_number_for_type(code, PhoneNumberType.MOBILE)
    zones_known = _zones(example) if example is not None else ()
    return Spot(code, (), zones_known) if zones_known else None


@lru_cache(maxsize=1 << 16)
def of_number(phone: str) -> Spot | None:
    """Where an E.164 number outside the tables belongs, by its prefix; None if it says nothing."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException:
        return None
    country = phonenumbers.region_code_for_number(number)
    if country in (None, "001", UNITED_STATES, *TERRITORIES):
        return None
    if country in (CANADA_CODE, *_COUNTRIES):
        return of_country(country)
    zones = _zones(number)
    return Spot(country, (), zones) if zones else None


def is_zone(name: str) -> bool:
    """Whether this machine knows a time zone of that name."""
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True


def _zones(number: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    zones = tuple(time_zones_for_number(number))
    return () if UNKNOWN_TIMEZONE in zones else tuple(zone for zone in zones if is_zone(zone))


def _union(spots: Iterable[Spot]) -> Spot:
    """Somewhere in any of ``spots``, which are in one country."""
    found = tuple(spots)
    (country,) = {spot.country for spot in found}
    states = dict.fromkeys(state for spot in found for state in spot.states)
    zones = dict.fromkeys(zone for spot in found for zone in spot.zones)
    return Spot(country, tuple(states), tuple(zones))


def _numbers(text: str) -> Iterator[str]:
    """The three-digit prefixes of "005 100-149"."""
    for part in text.split():
        first, _, last = part.partition("-")
        yield from (f"{n:03d}" for n in range(int(first), int(last or first) + 1))


def _gathered(
    regions: Mapping[str, Mapping[str, Any]], listed: str, exceptions: str
) -> dict[str, Spot]:
    """A table by area code or prefix: ``listed`` of every region, each with its zones.

    One that several regions list is somewhere in any of them. Raises ``ValueError`` when a zone is
    given to something that its region does not list.
    """
    found: dict[str, list[Spot]] = {}
    for code, region in regions.items():
        keys = list(_keys(region.get(listed, "")))
        zones = region.get(exceptions, {})
        if set(zones) - set(keys):
            raise ValueError(f"{code} has zones for what it does not list: {exceptions}")
        for key in keys:
            usual = region["zones"][:1]
            spot = Spot(_STATES[code].country, (code,), tuple(zones.get(key, usual)))
            found.setdefault(key, []).append(spot)
    return {key: _union(spots) for key, spots in found.items()}


def _keys(text: str) -> Iterator[str]:
    return _numbers(text) if text[:1].isdigit() else iter(text.split())


_DATA: Final = load("geography", "worker.data")
VERSION: Final[int] = _DATA["version"]
ANYWHERE_IN_THE_US: Final[tuple[str, ...]] = tuple(_DATA["anywhere_in_the_us"])
WHOLE_ZIPS: Final[Mapping[str, list[str]]] = _DATA["whole_zips"]
_COUNTRIES: Final[Mapping[str, list[str]]] = _DATA["countries"]
_SAME_ZONES: Final[Mapping[str, str]] = _DATA["same_zones"]
_LOCAL_ZONES: Final = {zone: tuple(states) for zone, states in _DATA["local_zones"].items()}
_PROVINCES: Final = {
    code: Spot(CANADA_CODE, (code,), tuple(region["zones"]))
    for code, region in _DATA["provinces"].items()
}
_STATES: Final[Mapping[str, Spot]] = {
    code: Spot(UNITED_STATES, (code,), tuple(region["zones"]))
    for code, region in _DATA["states"].items()
} | _PROVINCES
STATE_NAMES: Final[Mapping[str, str]] = {
    code: region["name"] for code, region in (_DATA["states"] | _DATA["provinces"]).items()
}
_AREA_CODES: Final[Mapping[str, Spot]] = _gathered(
    _DATA["states"] | _DATA["provinces"], "area_codes", "zones_of_area_codes"
)
_ZIPS: Final[Mapping[str, Spot]] = _gathered(_DATA["states"], "zips", "zones_of_zips")
_POSTAL_LETTERS: Final[Mapping[str, Spot]] = _gathered(
    _DATA["provinces"], "postal_letters", "zones_of_postal_letters"
)
