"""Phone numbers as people write them, and addresses as Twilio writes them."""

from __future__ import annotations

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keywords.phone import (
    SENTENCES,
    AddressKind,
    InvalidPhone,
    LineType,
    PhoneError,
    PhoneNumber,
    address,
    parse,
)


@pytest.mark.parametrize(
    ("text", "region", "expected"),
    [
        pytest.param("+14155552671", None, "+14155552671", id="e164"),
        pytest.param("+1 (415) 555-2671", None, "+14155552671", id="punctuated"),
        pytest.param("415.555.2671", "US", "+14155552671", id="national"),
        pytest.param("415 555 2671", "us", "+14155552671", id="region_in_small_letters"),
        pytest.param("1 415 555 2671", "US", "+14155552671", id="national_with_country"),
        pytest.param("\u202a+1\u00a0415‑555‑2671\u202c", None, "+14155552671", id="copied"),
        pytest.param("＋１４１５５５５２６７１", None, "+14155552671", id="full_width"),
        pytest.param("+١٤١٥٥٥٥٢٦٧١", None, "+14155552671", id="arabic_digits"),
        pytest.param("tel:+1-415-555-2671", None, "+14155552671", id="uri"),
        pytest.param("07400 123456", "GB", "+447400123456", id="trunk_zero"),
        pytest.param("+44 (0)7400 123456", None, "+447400123456", id="optional_trunk_zero"),
    ],
)
def test_a_number_is_read_however_it_is_written(
    text: str, region: str | None, expected: str
) -> None:
    """Punctuation, spaces and foreign digits do not matter."""
    assert parse(text, region).e164 == expected


@pytest.mark.parametrize(
    ("text", "region", "code"),
    [
        pytest.param("", None, PhoneError.EMPTY, id="empty"),
        pytest.param(" \u200b ", None, PhoneError.EMPTY, id="invisible"),
        pytest.param("hello", "US", PhoneError.NOT_A_NUMBER, id="words"),
        pytest.param("+1415555\x002671", None, PhoneError.NOT_A_NUMBER, id="nul"),
        pytest.param("+14155552671/+14155552672", None, PhoneError.NOT_A_NUMBER, id="two"),
        pytest.param("415+5552671", "US", PhoneError.NOT_A_NUMBER, id="plus_inside"),
        pytest.param("4155552671/4155552672", "US", PhoneError.TOO_LONG, id="two_national"),
        pytest.param("1" * 65, None, PhoneError.NOT_A_NUMBER, id="endless"),
        pytest.param("\ud83d", None, PhoneError.NOT_A_NUMBER, id="lone_surrogate"),
        pytest.param("1-800-FLOWERS", "US", PhoneError.ALPHANUMERIC, id="vanity"),
        pytest.param("whatsapp:+14155552671", None, PhoneError.ALPHANUMERIC, id="address"),
        pytest.param("415 555 2671 ext. 12", "US", PhoneError.EXTENSION, id="extension"),
        pytest.param("4155552671x12", "US", PhoneError.EXTENSION, id="short_extension"),
        pytest.param("4155552671", None, PhoneError.COUNTRY_MISSING, id="which_country"),
        pytest.param("+999 1234567", None, PhoneError.INVALID_COUNTRY, id="no_such_country"),
        pytest.param("+0 4155552671", None, PhoneError.INVALID_COUNTRY, id="zero_country"),
        pytest.param("+1415555", None, PhoneError.TOO_SHORT, id="too_short"),
        pytest.param("555-2671", "US", PhoneError.TOO_SHORT, id="without_area_code"),
        pytest.param("1", "US", PhoneError.TOO_SHORT, id="one_digit"),
        pytest.param("+1415555267100", None, PhoneError.TOO_LONG, id="too_long"),
        pytest.param("+1234567890123456789", None, PhoneError.TOO_LONG, id="far_too_long"),
        pytest.param("+4915123456", None, PhoneError.NOT_VALID, id="wrong_length_of_kind"),
        pytest.param("+15555555555", None, PhoneError.NOT_VALID, id="no_such_area_code"),
        pytest.param("+11234567890", None, PhoneError.NOT_VALID, id="area_code_from_one"),
    ],
)
def test_what_is_wrong_with_a_number_is_said(
    text: str, region: str | None, code: PhoneError
) -> None:
    """Each kind of mistake has its own code and sentence."""
    with pytest.raises(InvalidPhone) as caught:
        parse(text, region)

    assert caught.value.code is code
    assert str(caught.value) == SENTENCES[code]


def test_every_error_has_a_sentence_of_its_own() -> None:
    """A person can be told each error apart, in a sentence without digits of theirs."""
    assert set(SENTENCES) == set(PhoneError)
    assert len(set(SENTENCES.values())) == len(PhoneError)
    assert all(s.endswith(".") and not any(c.isdigit() for c in s) for s in SENTENCES.values())


@pytest.mark.parametrize(
    ("text", "region", "line_type"),
    [
        pytest.param("+14155552671", "US", LineType.MOBILE_OR_LANDLINE, id="north_america"),
        pytest.param("+16135550123", "CA", LineType.MOBILE_OR_LANDLINE, id="canada"),
        pytest.param("+18005550123", None, LineType.TOLL_FREE, id="toll_free"),
        pytest.param("+447400123456", "GB", LineType.MOBILE, id="mobile"),
        pytest.param("+442079460958", "GB", LineType.LANDLINE, id="landline"),
        pytest.param("+19002345678", None, LineType.PREMIUM_RATE, id="premium"),
        pytest.param("+80012345678", None, LineType.TOLL_FREE, id="of_no_country"),
    ],
)
def test_the_plan_tells_region_and_line(text: str, region: str | None, line_type: LineType) -> None:
    """Toll-free numbers of the North American plan may be of any of its countries."""
    number = parse(text)

    assert number.line_type is line_type
    assert number.region == region or (region is None and text.startswith("+1"))


def test_a_number_is_a_value() -> None:
    """Two readings of one number are equal, and it prints as E.164."""
    number = parse("+1 415 555 2671")

    assert number == PhoneNumber("+14155552671", "US", LineType.MOBILE_OR_LANDLINE)
    assert str(number) == "+14155552671"


@pytest.mark.parametrize(
    ("text", "kind", "phone"),
    [
        pytest.param("+14155552671", AddressKind.E164, "+14155552671", id="e164"),
        pytest.param("22395", AddressKind.SHORT_CODE, None, id="short_code"),
        pytest.param("333", AddressKind.SHORT_CODE, None, id="shortest_code"),
        pytest.param("whatsapp:+34600", AddressKind.WHATSAPP, None, id="whatsapp_too_short"),
        pytest.param("whatsapp:+14155552671", AddressKind.WHATSAPP, "+14155552671", id="whatsapp"),
        pytest.param("WhatsApp:+14155552671", AddressKind.WHATSAPP, "+14155552671", id="case"),
        pytest.param("whatsapp:US.1234", AddressKind.WHATSAPP, None, id="whatsapp_user_id"),
        pytest.param("rcs:+14155552671", AddressKind.RCS, "+14155552671", id="rcs_person"),
        pytest.param("rcs:acme_outfitters_agent", AddressKind.RCS, None, id="rcs_agent"),
        pytest.param("ACME Shop", AddressKind.ALPHANUMERIC, None, id="alphanumeric"),
        pytest.param("client:jenny", AddressKind.CLIENT, None, id="client"),
        pytest.param("client:+14155552671", AddressKind.CLIENT, None, id="client_is_no_phone"),
        pytest.param("messenger:1234", AddressKind.OTHER, None, id="unknown_channel"),
        pytest.param("sip:+14155552671@x.y", AddressKind.OTHER, None, id="sip"),
        pytest.param("", AddressKind.OTHER, None, id="empty"),
        pytest.param(" 14155552671", AddressKind.OTHER, None, id="plus_lost_in_decoding"),
        pytest.param("+04155552671", AddressKind.OTHER, None, id="country_zero"),
        pytest.param("+1234567890123456", AddressKind.OTHER, None, id="sixteen_digits"),
        pytest.param("+14155552671\n", AddressKind.OTHER, None, id="trailing_newline"),
        pytest.param("+١٤١٥٥٥٥٢٦٧١", AddressKind.OTHER, None, id="foreign_digits"),
        pytest.param("123456789", AddressKind.OTHER, None, id="nine_digits"),
        pytest.param("ACME Outfitters", AddressKind.OTHER, None, id="too_long_a_name"),
    ],
)
def test_an_address_tells_its_kind(text: str, kind: AddressKind, phone: str | None) -> None:
    """Twilio's spelling is kept; a number is found only where a person's number stands."""
    assert address(text) == (kind, text, phone)


@given(st.text(max_size=80))
def test_no_address_raises(text: str) -> None:
    """A strange sender must not lose us a text, and only E.164 is ever called a phone."""
    found = address(text)

    assert found.text == text
    assert found.phone is None or address(found.phone).kind is AddressKind.E164


@given(st.text(max_size=80) | st.text("+0123456789 ()-.x#,;", max_size=24))
def test_parsing_ends_in_a_number_or_in_a_code(text: str) -> None:
    """Nothing but InvalidPhone is raised, and what is returned parses to itself."""
    try:
        number = parse(text, "US")
    except InvalidPhone:
        return

    assert parse(number.e164) == number
    assert address(number.e164).phone == number.e164


@settings(max_examples=1500)
@given(
    st.sampled_from(["+1", "+44", "+33", "+52", "+49", "+39", "+7", "+800", "+883", "+61", "+599"]),
    st.integers(10**4, 10**12),
)
def test_a_number_is_one_where_phonenumbers_says_so(start: str, rest: int) -> None:
    """The type of a number is asked for, and is known of valid ones alone."""
    written = f"{start}{rest}"
    try:
        found = parse(written)
    except InvalidPhone as error:
        if error.code is PhoneError.NOT_VALID:
            assert not phonenumbers.is_valid_number(phonenumbers.parse(written))
        return

    number = phonenumbers.parse(written)
    assert phonenumbers.is_valid_number(number)
    region = phonenumbers.region_code_for_number(number)
    assert found.region == (None if region == "001" else region)


@given(st.text(st.characters(max_codepoint=127), max_size=70))
def test_plain_text_is_read_like_its_full_width_form(text: str) -> None:
    """ASCII goes a shorter way through the cleaning; it must lead to the same place."""
    wide = "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)

    def found(written: str) -> str:
        try:
            return parse(written, "US").e164
        except InvalidPhone as error:
            return error.code

    assert found(wide) == found(text)
