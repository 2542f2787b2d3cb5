"""Where may the owner of a number be? The answer decides which clocks and which laws count.

The best evidence decides the time zones: a zone that the person gave, then a ZIP code, then a
state, then the country, then the number's area code, which people keep when they move. The laws
add up: those of the place that was given and those of the area code, because nobody can prove
which of two states a court will take (47 CFR 64.1200(c)(1) looks at the called party's location;
Fla. Stat. 501.059(8)(d) at the area code). Nothing known is held to every state at once.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Final

from keywords.ledger import Json
from worker.policy import geography, hours
from worker.policy.geography import ANYWHERE_IN_THE_US, UNITED_STATES, Spot


class Source(StrEnum):
    """What decided the time zones, the best first."""

    TIME_ZONE = "time_zone"
    ZIP = "zip"
    STATE = "state"
    COUNTRY = "country"
    AREA_CODE = "area_code"
    NUMBER = "number"
    NOTHING = "nothing"


class Confidence(StrEnum):
    """How much the evidence is worth. An area code is a proxy and no safe harbour."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    NONE = "none"


_CONFIDENCE: Final = {
    Source.TIME_ZONE: Confidence.HIGH,
    Source.ZIP: Confidence.HIGH,
    Source.STATE: Confidence.MEDIUM,
    Source.COUNTRY: Confidence.LOW,
    Source.AREA_CODE: Confidence.LOW,
    Source.NUMBER: Confidence.LOW,
    Source.NOTHING: Confidence.NONE,
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of a person's place: the number, and what a profile or form says.

    ``phone`` is E.164, ``time_zone`` an IANA name, ``zip`` a ZIP or postal code, ``state`` two
    letters, ``country`` ISO 3166-1. Whatever cannot be read counts as not given.
    """

    phone: str
    time_zone: str | None = None
    zip: str | None = None
    state: str | None = None
    country: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where a person may be. A text must suit every zone, and the law of every state in every zone.

    ``countries`` are ISO 3166-1. ``states`` are those of the United States that may apply; an
    empty tuple with "US" among the countries means that any of them may. ``presumed`` are pairs
    of a state and a zone: the clock of the area code, where a state's law takes the owner of the
    number for a resident whatever else is known.
    """

    countries: tuple[str, ...]
    states: tuple[str, ...]
    zones: tuple[str, ...]
    presumed: tuple[tuple[str, str], ...]
    source: Source

    @property
    def confidence(self) -> Confidence:
        """How much the evidence behind the zones is worth."""
        return _CONFIDENCE[self.source]

    def as_json(self) -> dict[str, Json]:
        """The place as it is stored with a decision."""
        found: dict[str, Json] = {
            "source": str(self.source),
            "confidence": str(self.confidence),
            "countries": list(self.countries),
            "states": list(self.states),
            "zones": list(self.zones),
        }
        if self.presumed:
            found["presumed"] = [list(pair) for pair in self.presumed]
        return found


def locate(evidence: Evidence) -> Place:
    """Where the person may be. Never raises: what cannot be read is no evidence.

    Two people with the same area code and the same profile get the same answer from a cache.
    """
    phone = evidence.phone
    area = phone[2:5] if phone.startswith("+1") and len(phone) == _NORTH_AMERICAN else ""
    number = phone[:5] if geography.of_area_code(area) else phone
    state, country = evidence.state or None, (evidence.country or "").strip().upper() or None
    if country in geography.TERRITORIES:
        state, country = state or country, UNITED_STATES
    return _locate(number, evidence.time_zone or None, evidence.zip or None, state, country)


_NORTH_AMERICAN: Final = len("+12125550123")


@lru_cache(maxsize=1 << 16)
def _locate(
    number: str, time_zone: str | None, zip_: str | None, state: str | None, country: str | None
) -> Place:
    """``number`` is "+1" and the area code where only that matters, else the whole number."""
    home = geography.of_area_code(number[2:5]) if len(number) == 5 else geography.of_number(number)
    given = _given(zip_, state, country, home)
    zoned = geography.of_zone(time_zone) if time_zone else None
    if zoned is not None and zoned.country and not given:
        given = {Source.TIME_ZONE: _narrowed(zoned, home)}
    source, zones = _zones(zoned, given, home, by_area=len(number) == 5)
    spots = [*given.values(), *([home] if home else [])]
    countries = tuple(dict.fromkeys(spot.country for spot in spots)) or (UNITED_STATES,)
    states = tuple(
        dict.fromkeys(s for spot in spots if spot.country == UNITED_STATES for s in spot.states)
    )
    return Place(countries, states, zones, _presumed(home, zones), source)


def _given(
    zip_: str | None, state: str | None, country: str | None, home: Spot | None
) -> dict[Source, Spot]:
    """What the profile says, each in the country that was given, or else in the number's.

    Without a country a ZIP code is read only for a North American number: five digits are a
    postal code in many countries.
    """
    found = {
        Source.ZIP: geography.of_zip(zip_) if zip_ else None,
        Source.STATE: geography.of_state(state) if state else None,
        Source.COUNTRY: geography.of_country(country) if country else None,
    }
    whole = found[Source.COUNTRY]
    allowed = {whole.country} if whole else _NEIGHBOURS
    if whole is None and home is not None and home.country not in _NEIGHBOURS:
        allowed = {home.country}
    return {source: spot for source, spot in found.items() if spot and spot.country in allowed}


_NEIGHBOURS: Final = {UNITED_STATES, geography.CANADA_CODE}


def _narrowed(zoned: Spot, home: Spot | None) -> Spot:
    """The states of a zone; the area code's own when it lies in that zone."""
    common = tuple(s for s in zoned.states if home is not None and s in home.states)
    return Spot(zoned.country, common, zoned.zones) if common else zoned


def _zones(
    zoned: Spot | None, given: dict[Source, Spot], home: Spot | None, *, by_area: bool
) -> tuple[Source, tuple[str, ...]]:
    """The zones of the best evidence there is."""
    if zoned is not None:
        return Source.TIME_ZONE, zoned.zones
    for source in (Source.ZIP, Source.STATE):
        if source in given:
            return source, given[source].zones
    abroad = given.get(Source.COUNTRY)
    if abroad is not None and (home is None or home.country != abroad.country):
        return Source.COUNTRY, abroad.zones
    if home is not None:
        return (Source.AREA_CODE if by_area else Source.NUMBER), home.zones
    return Source.NOTHING, ANYWHERE_IN_THE_US


def _presumed(home: Spot | None, zones: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    """The area code's own clock, in the states that presume residence by it."""
    if home is None or home.country != UNITED_STATES:
        return ()
    presuming = [state for state in home.states if state in PRESUMING]
    return tuple((state, zone) for state in presuming for zone in home.zones if zone not in zones)


PRESUMING: Final = frozenset(row.id for rows in hours.ROWS.values() for row in rows if row.presumes)


def jurisdictions(place: Place, preset: hours.Preset) -> tuple[tuple[str, str], ...]:
    """The pairs of a jurisdiction and a zone that a text must suit, without doubles.

    The person's country always counts. A state without hours of its own adds nothing.
    """
    laws = [_COUNTRIES.get(country, hours.ELSEWHERE) for country in place.countries]
    presumed: list[tuple[str, str]] = []
    if preset is hours.Preset.STATE_TABLE and UNITED_STATES in place.countries:
        laws += [s for s in place.states if s in hours.ROWS] or _if_unknown(place)
        presumed = [pair for pair in place.presumed if pair[0] in hours.ROWS]
    if preset in (hours.Preset.NATIONAL_SAFE, hours.Preset.STRICTEST):
        laws.append(str(preset))
    pairs = [(law, zone) for law in laws for zone in place.zones]
    return tuple(dict.fromkeys(pairs + presumed))


def _if_unknown(place: Place) -> list[str]:
    return [] if place.states else [str(hours.Preset.STRICTEST)]


_COUNTRIES: Final = {
    UNITED_STATES: hours.FEDERAL,
    geography.CANADA_CODE: hours.CANADA,
    "FR": hours.FRANCE,
}
