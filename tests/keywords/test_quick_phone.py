"""The quick reader of phone numbers says exactly what the thorough one says."""

from __future__ import annotations

import re
from itertools import product

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywords.phone import InvalidPhone, LineType, parse
from keywords.quick_phone import REGION, PhoneReader

REGIONS = (None, "US", "us", "CA", "GB", "MX", "AG", "DE", "JP", "ZZ")
READERS = {region: PhoneReader(region) for region in REGIONS}
SEPARATORS = st.sampled_from(["", " ", "-", ".", "  ", "/", ") ", ")", "\u00a0", "\u2011", "x"])


def quick(text: str, region: str | None) -> str:
    """The number, or the code of what is wrong with it."""
    try:
        return READERS[region].e164(text)
    except InvalidPhone as error:
        return error.code


def thorough(text: str, region: str | None) -> str:
    """The same by ``phone.parse``."""
    try:
        return parse(text, region).e164
    except InvalidPhone as error:
        return error.code


@st.composite
def north_american(draw: st.DrawFn) -> str:
    """Ten digits as people write them, or nearly so: valid and invalid areas alike."""
    digits = draw(st.integers(0, 9_999_999_999).map("{:010d}".format))
    if draw(st.booleans()):
        area = draw(
            st.sampled_from(["415", "212", "416", "787", "876", "800", "900", "983", "555"])
        )
        digits = area + digits[3:]
    start = draw(st.sampled_from(["", "+1", "1", "+ 1", "001", "+1 (0)", "011", "tel:", " "]))
    opened = draw(st.sampled_from(["", "(", "["]))
    first, second, third = draw(SEPARATORS), draw(SEPARATORS), draw(SEPARATORS)
    end = draw(st.sampled_from(["", " ", "x12", ".0", ")"]))
    area, office, line = digits[:3], digits[3:6], digits[6:]
    return f"{start}{first}{opened}{area}{second}{office}{third}{line}{end}"


ANYTHING = st.text(max_size=70) | st.text("+0123456789 ()-.x#,;/", max_size=24)
FOREIGN = st.sampled_from(["+44", "+49", "+33", "+52", "+81", "+7", "0", "00", "+1"]).flatmap(
    lambda start: st.from_regex(r"[0-9]{5,12}", fullmatch=True).map(lambda rest: start + rest)
)


@settings(max_examples=1500)
@given(north_american() | ANYTHING | FOREIGN, st.sampled_from(REGIONS))
def test_both_readers_agree(text: str, region: str | None) -> None:
    """The number or the code, whatever was written and wherever it may come from."""
    assert quick(text, region) == thorough(text, region)


@settings(max_examples=1000)
@given(north_american() | FOREIGN, st.sampled_from(REGIONS))
def test_both_know_the_same_of_a_number(text: str, region: str | None) -> None:
    """Where the quick one says no more, the plan knows an ordinary line of the United States."""
    try:
        found, said = READERS[region].read(text)
    except InvalidPhone:
        return

    known = parse(text, region)
    assert found == known.e164
    if said is None:
        assert (known.region, known.line_type) == (REGION, LineType.MOBILE_OR_LANDLINE)
    else:
        assert said == known


@settings(max_examples=500)
@given(north_american())
def test_what_the_quick_reader_takes_is_valid_to_phonenumbers(text: str) -> None:
    """The judge of both is the library itself."""
    try:
        found = READERS["US"].e164(text)
    except InvalidPhone:
        return

    assert phonenumbers.is_valid_number(phonenumbers.parse(found))


@pytest.mark.parametrize("region", ["US", "CA", None])
def test_every_area_code_is_judged_alike(region: str | None) -> None:
    """All 800 area codes with offices of each kind, since validity depends on both."""
    offices = ("200", "235", "469", "500", "555", "700", "911", "999")
    for area, office in product(range(200, 1000), offices):
        text = f"+1 ({area}) {office}-0123"
        found = quick(text, region)
        assert found == thorough(text, region), text
        if found.startswith("+") and READERS[region].read(text)[1] is None:
            number = phonenumbers.parse(text)
            assert phonenumbers.region_code_for_number(number) == REGION, text


@settings(max_examples=1000)
@given(north_american() | ANYTHING | FOREIGN, st.sampled_from(REGIONS))
def test_the_last_digit_written_is_the_last_of_the_number(text: str, region: str | None) -> None:
    """By it an import shares out its rows: two spellings of a number must fall to one process."""
    found = quick(text, region)
    if found.startswith("+"):
        written = re.findall(r"\d", text)
        assert int(written[-1]) == int(found[-1])
