"""Where a person may be: which evidence decides the clocks, and which laws add up."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.worker.policy.cases import NEW_YORKER, local, place
from worker.policy import hours, windows
from worker.policy.geography import ANYWHERE_IN_THE_US
from worker.policy.hours import Preset
from worker.policy.places import PRESUMING, Confidence, Evidence, Source, jurisdictions, locate

EAST, CENTRAL = "America/New_York", "America/Chicago"
MOUNTAIN, WEST = "America/Denver", "America/Los_Angeles"
FLORIDA, DALLAS, TOLL_FREE = "+13055550123", "75201", "+18005550123"


@pytest.mark.parametrize(
    ("known", "source", "zones", "states"),
    [
        pytest.param({}, Source.AREA_CODE, (EAST,), ("NY",), id="the number alone"),
        pytest.param({"zip": DALLAS}, Source.ZIP, (CENTRAL,), ("TX", "NY"), id="ZIP"),
        pytest.param({"zip": "75201-1234"}, Source.ZIP, (CENTRAL,), ("TX", "NY"), id="ZIP+4"),
        pytest.param({"state": "CA"}, Source.STATE, (WEST,), ("CA", "NY"), id="state"),
        pytest.param({"state": " ca "}, Source.STATE, (WEST,), ("CA", "NY"), id="written badly"),
        pytest.param(
            {"state": "TN"}, Source.STATE, (CENTRAL, EAST), ("TN", "NY"), id="a state of two zones"
        ),
        pytest.param(
            {"zip": DALLAS, "state": "CA"},
            Source.ZIP,
            (CENTRAL,),
            ("TX", "CA", "NY"),
            id="ZIP before state, and both laws",
        ),
        pytest.param(
            {"time_zone": WEST, "zip": DALLAS},
            Source.TIME_ZONE,
            (WEST,),
            ("TX", "NY"),
            id="a zone before all",
        ),
        pytest.param(
            {"time_zone": "US/Eastern"}, Source.TIME_ZONE, (EAST,), ("NY",), id="the same zone"
        ),
        pytest.param(
            {"time_zone": "America/Detroit"},
            Source.TIME_ZONE,
            ("America/Detroit",),
            ("MI", "NY"),
            id="the zone of one state",
        ),
        pytest.param(
            {"time_zone": "Europe/Paris"},
            Source.TIME_ZONE,
            ("Europe/Paris",),
            ("NY",),
            id="abroad with an American number",
        ),
        pytest.param({"country": "US"}, Source.AREA_CODE, (EAST,), ("NY",), id="the country"),
        pytest.param(
            {"country": "PR"}, Source.STATE, ("America/Puerto_Rico",), ("PR", "NY"), id="territory"
        ),
        pytest.param(
            {"country": "FR"}, Source.COUNTRY, ("Europe/Paris",), ("NY",), id="moved to France"
        ),
        pytest.param(
            {"country": "FR", "zip": "75201"},
            Source.COUNTRY,
            ("Europe/Paris",),
            ("NY",),
            id="a French postal code is no ZIP",
        ),
        pytest.param(
            {"zip": "42223"}, Source.ZIP, (EAST, CENTRAL), ("KY", "TN", "NY"), id="across a border"
        ),
        pytest.param({"zip": "06390"}, Source.ZIP, (EAST,), ("NY",), id="not as its prefix says"),
        pytest.param({"zip": "K1A 0B1"}, Source.ZIP, ("America/Toronto",), ("NY",), id="Canada"),
        pytest.param({"zip": "09012"}, Source.AREA_CODE, (EAST,), ("NY",), id="a military ZIP"),
    ],
)
def test_the_best_evidence_decides_the_clock(
    known: dict[str, str], source: Source, zones: tuple[str, ...], states: tuple[str, ...]
) -> None:
    """A number of New York, and what the profile says."""
    where = place(NEW_YORKER, **known)
    assert (where.source, set(where.zones), where.states) == (source, set(zones), states)


@pytest.mark.parametrize(
    "known",
    [
        {"time_zone": "Nowhere/Land"},
        {"time_zone": "../../etc/passwd"},
        {"zip": "1234"},
        {"zip": "000"},
        {"zip": "00000"},
        {"state": "XX"},
        {"country": "ZZ"},
        {"country": "001"},
        {"time_zone": "", "zip": "", "state": "", "country": ""},
    ],
    ids=str,
)
def test_what_cannot_be_read_is_not_evidence(known: dict[str, str]) -> None:
    """It neither fails nor counts."""
    assert place(NEW_YORKER, **known) == place(NEW_YORKER)


@given(st.text(max_size=12), st.text(max_size=12), st.text(max_size=4), st.text(max_size=3))
def test_nothing_that_is_written_in_a_profile_fails(
    phone: str, zone: str, state: str, zip_: str
) -> None:
    """There is always a place, with at least one clock."""
    where = locate(Evidence(phone, zone, zip_, state, state))
    assert where.zones
    assert json.dumps(where.as_json())
    assert windows.pairs(where, Preset.STATE_TABLE)


@pytest.mark.parametrize(
    ("phone", "known", "source", "confidence"),
    [
        pytest.param(NEW_YORKER, {"time_zone": WEST}, "time_zone", Confidence.HIGH, id="zone"),
        pytest.param(NEW_YORKER, {"zip": DALLAS}, "zip", Confidence.HIGH, id="zip"),
        pytest.param(NEW_YORKER, {"state": "CA"}, "state", Confidence.MEDIUM, id="state"),
        pytest.param(NEW_YORKER, {}, "area_code", Confidence.LOW, id="area code"),
        pytest.param("+33612345678", {}, "number", Confidence.LOW, id="a number abroad"),
        pytest.param(TOLL_FREE, {}, "nothing", Confidence.NONE, id="nothing"),
    ],
)
def test_the_evidence_has_a_weight(
    phone: str, known: dict[str, str], source: str, confidence: Confidence
) -> None:
    """It is stored with each decision."""
    where = place(phone, **known)
    assert where.confidence is confidence
    assert where.as_json()["source"] == source
    assert where.as_json()["confidence"] == confidence


@pytest.mark.parametrize(
    ("phone", "country"),
    [
        pytest.param("+14165550123", "CA", id="Canada"),
        pytest.param("+16005550123", "CA", id="Canada, no place"),
        pytest.param("+33612345678", "FR", id="France"),
        pytest.param("+18765550123", "JM", id="Jamaica"),
        pytest.param("+447400123456", "GB", id="Britain"),
        pytest.param("+18095550123", "DO", id="Dominican Republic"),
    ],
)
def test_other_countries_have_their_own_hours(phone: str, country: str) -> None:
    """No state of the United States counts there, whatever the preset."""
    where = place(phone)
    assert where.countries == (country,)
    assert where.states == ()
    assert len(where.zones) < 12
    laws = {law for law, _ in jurisdictions(where, Preset.STATE_TABLE)}
    assert laws == {{"CA": "canada", "FR": "france"}.get(country, "elsewhere")}


@pytest.mark.parametrize("phone", [TOLL_FREE, "+18885550123", "+19995550123", "nonsense", "", "+"])
def test_nothing_known_is_anywhere_in_the_united_states(phone: str) -> None:
    """Under the strictest law, whatever state it is."""
    where = place(phone)
    assert where.zones == ANYWHERE_IN_THE_US
    assert jurisdictions(where, Preset.STATE_TABLE) == tuple(
        (law, zone) for law in ("federal", "strictest") for zone in where.zones
    )


def test_a_zone_without_a_state_is_held_to_every_state_that_uses_it() -> None:
    """A toll-free number in Phoenix is in Arizona; one in Chicago's zone may be in many states."""
    assert place(TOLL_FREE, time_zone="America/Phoenix").states == ("AZ",)
    central = place(TOLL_FREE, time_zone=CENTRAL)
    assert {"AL", "IL", "KY", "TX"} <= set(central.states)
    assert "NY" not in central.states
    assert place("+13125550123", time_zone=CENTRAL).states == ("IL",)


def test_both_laws_count_when_zip_and_area_code_differ() -> None:
    """A Texan with a number of Kentucky: Sundays from noon (Texas), other days from ten (Kentucky).

    The clock is that of the ZIP code.
    """
    where = place("+15025550123", zip=DALLAS)
    opens = [
        opening(where, day)
        for day in ("2026-12-06", "2026-12-07")  # a Sunday and a Monday
    ]
    assert opens == [local(CENTRAL, "2026-12-06T12:00"), local(CENTRAL, "2026-12-07T10:00")]


def opening(where: object, day: str) -> datetime:
    """When the window of a day opens, asked at one o'clock in the morning in Chicago."""
    assert isinstance(where, type(place()))
    found = windows.window(where, Preset.STATE_TABLE, local(CENTRAL, f"{day}T01:00"))
    assert found is not None
    return found.opens


def test_florida_takes_its_area_codes_for_residents() -> None:
    """So its own clock counts beside the declared one: 20 o'clock in Miami is 19 in Dallas."""
    assert frozenset({"FL", "OK"}) == PRESUMING
    where = place(FLORIDA, zip=DALLAS)
    assert where.zones == (CENTRAL,)
    assert where.presumed == (("FL", EAST),)
    assert ("FL", CENTRAL) in windows.pairs(where, Preset.STATE_TABLE)
    found = windows.window(where, Preset.STATE_TABLE, local(CENTRAL, "2026-12-07T12:00"))
    assert found is not None
    assert found.closes == local(CENTRAL, "2026-12-07T19:00")
    assert place(FLORIDA, zip="33101").presumed == ()
    assert ("FL", EAST) not in windows.pairs(where, Preset.FEDERAL)


@pytest.mark.parametrize("preset", list(Preset))
def test_the_country_counts_under_every_preset(preset: Preset) -> None:
    """No preset loosens the federal hours."""
    laws = {law for law, _ in jurisdictions(place(), preset)}
    assert "federal" in laws
    assert laws - {"federal"} <= {"NY", "national_safe", "strictest"}
    assert all(law in hours.ROWS or law == "strictest" for law in laws)


def test_people_of_one_area_code_share_an_answer() -> None:
    """A million recipients ask; the second with the same evidence costs nothing."""
    assert place("+12125550123") is place("+12125559999")
