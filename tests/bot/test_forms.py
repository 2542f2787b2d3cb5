"""Twilio's forms are read byte for byte, within limits, and inbound texts checked."""

from __future__ import annotations

from io import BytesIO
from urllib.parse import quote_from_bytes, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from werkzeug.formparser import FormDataParser

from bot.forms import (
    FORM_TYPE,
    MAX_BODY,
    MAX_PARAMETERS,
    BadForm,
    FormError,
    FormFault,
    clean_text,
    inbound,
    parse_form,
)

SID, ACCOUNT = "SM" + "0123456789abcdef" * 2, "AC" + "a" * 32
TEXT = {"MessageSid": SID, "AccountSid": ACCOUNT, "From": "+14155550100", "To": "54321"}


def params_of(body: bytes) -> dict[str, str]:
    """The parameters of a form body."""
    return parse_form(body, FORM_TYPE).params


@pytest.mark.parametrize(
    ("body", "params"),
    [
        pytest.param(b"", {}, id="empty"),
        pytest.param(b"a=1&b=2", {"a": "1", "b": "2"}, id="two"),
        pytest.param(b"a=&b", {"a": "", "b": ""}, id="blank values kept"),
        pytest.param(b"&&a=1&", {"a": "1"}, id="empty pairs skipped"),
        pytest.param(b"a=b=c", {"a": "b=c"}, id="only the first = divides"),
        pytest.param(b"a=1;b=2", {"a": "1;b=2"}, id="a semicolon divides nothing"),
        pytest.param(b"a=1+2%2B3", {"a": "1 2+3"}, id="plus is a space"),
        pytest.param(b"a=%26%3D%25", {"a": "&=%"}, id="escaped separators"),
        pytest.param(b"a=%zz%4&b=%", {"a": "%zz%4", "b": "%"}, id="broken escapes stay"),
        pytest.param(b"%46rom=x", {"From": "x"}, id="escaped name"),
        pytest.param(b"a=%F0%9F%8E%89", {"a": "🎉"}, id="escaped UTF-8"),
        pytest.param("a=🎉é".encode(), {"a": "🎉é"}, id="raw UTF-8"),
        pytest.param(b"a=STOP%00", {"a": "STOP\0"}, id="NUL"),
        pytest.param(b"a=%ff\xfe", {"a": "\udcff\udcfe"}, id="no UTF-8"),
        pytest.param(b"a=%ED%A0%80", {"a": "\udced\udca0\udc80"}, id="a surrogate's bytes"),
        pytest.param(b"a=%C3\xa9", {"a": "é"}, id="one letter, half escaped"),
        pytest.param(b"a" * 64 + b"=1", {"a" * 64: "1"}, id="longest name"),
    ],
)
def test_a_form_is_read_as_sent(body: bytes, params: dict[str, str]) -> None:
    """Every byte keeps a place in the parameters, in order, and the body is kept whole."""
    form = parse_form(body, FORM_TYPE)

    assert form.params == params
    assert list(form.params) == list(params)
    assert form.raw == body


NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,9}\Z")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@given(st.dictionaries(NAMES, TEXTS))
def test_forms_read_like_werkzeugs(params: dict[str, str]) -> None:
    """For real text the parameters are those that werkzeug, and so Flask, reads."""
    body = urlencode(params).encode()
    theirs = FormDataParser().parse(BytesIO(body), FORM_TYPE, len(body))[1]

    assert params_of(body) == params == theirs.to_dict()


@given(st.binary(max_size=60))
def test_no_byte_is_lost(value: bytes) -> None:
    """The parameter's bytes are those that were sent, whatever they are."""
    body = b"Body=" + quote_from_bytes(value).encode()

    assert params_of(body)["Body"].encode("utf-8", "surrogateescape") == value


@given(st.binary(max_size=200))
def test_any_body_is_read_or_refused(body: bytes) -> None:
    """Nothing but FormError comes out, and a cleaned value is always real text without NUL."""
    try:
        params = params_of(body)
    except FormError:
        return
    for value in params.values():
        assert "\0" not in clean_text(value).encode().decode()


MANY = urlencode({f"a{index}": index for index in range(MAX_PARAMETERS)}).encode()


@pytest.mark.parametrize(
    ("body", "fault", "status"),
    [
        pytest.param(b"a" * (MAX_BODY + 1), FormFault.TOO_LARGE, 413, id="body"),
        pytest.param(MANY + b"&b=1", FormFault.TOO_LARGE, 413, id="parameters"),
        pytest.param(b"&" * MAX_PARAMETERS, FormFault.TOO_LARGE, 413, id="empty pairs"),
        pytest.param(b"a" * 65 + b"=1", FormFault.FORBIDDEN_NAMES, 403, id="long name"),
        pytest.param(b"a=1&b=2&a=1", FormFault.FORBIDDEN_NAMES, 403, id="twice"),
        pytest.param(b"a=1&%61=1", FormFault.FORBIDDEN_NAMES, 403, id="twice, once escaped"),
        pytest.param(b"=1", FormFault.FORBIDDEN_NAMES, 403, id="no name"),
        pytest.param(b"1a=1", FormFault.FORBIDDEN_NAMES, 403, id="digit first"),
        pytest.param(b"_a=1", FormFault.FORBIDDEN_NAMES, 403, id="underscore first"),
        pytest.param(b"a-b=1", FormFault.FORBIDDEN_NAMES, 403, id="hyphen"),
        pytest.param(b"a+=1", FormFault.FORBIDDEN_NAMES, 403, id="space after"),
        pytest.param(b"a%0A=1", FormFault.FORBIDDEN_NAMES, 403, id="newline after"),
        pytest.param(b"From%2B1415FromCity=x", FormFault.FORBIDDEN_NAMES, 403, id="smuggling"),
        pytest.param("а=1".encode(), FormFault.FORBIDDEN_NAMES, 403, id="Cyrillic"),
        pytest.param(b"\xff=1", FormFault.FORBIDDEN_NAMES, 403, id="no UTF-8"),
    ],
)
def test_a_form_beyond_the_limits_is_refused(body: bytes, fault: FormFault, status: int) -> None:
    """Too large is 413, a name that could smuggle is 403; the message quotes no value."""
    with pytest.raises(FormError) as caught:
        params_of(body)

    assert (caught.value.fault, caught.value.status) == (fault, status)
    assert "1415" not in str(caught.value)


def test_a_form_at_the_limits_is_read() -> None:
    """The largest body and the most parameters allowed are no error."""
    assert len(params_of(MANY)) == MAX_PARAMETERS
    assert len(params_of(b"a=" + b"x" * (MAX_BODY - 2))["a"]) == MAX_BODY - 2


@pytest.mark.parametrize(
    ("content_type", "expected"),
    [
        (FORM_TYPE, {"a": "1"}),
        (f"{FORM_TYPE}; charset=UTF-8", {"a": "1"}),
        (f" {FORM_TYPE.title()} ;charset=utf-8", {"a": "1"}),
        ("application/json", {}),
        ("multipart/form-data; boundary=a", {}),
        (f"{FORM_TYPE}2", {}),
        ("", {}),
        (None, {}),
    ],
)
def test_only_a_form_holds_parameters(content_type: str | None, expected: dict[str, str]) -> None:
    """A body of another type is kept but holds nothing, so that its signature must fail."""
    form = parse_form(b"a=1", content_type)

    assert (form.params, form.raw) == (expected, b"a=1")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("MessageSid", ""),
        ("MessageSid", "SM123"),
        ("MessageSid", SID.upper()),
        ("MessageSid", f"{SID}\n"),
        ("MessageSid", "CA" + SID[2:]),
        ("MessageSid", SID[:-1] + "٣"),
        ("AccountSid", "AC123"),
        ("AccountSid", ""),
        ("From", ""),
        ("From", " +14155550100"),
        ("From", "+14155550100\0"),
        ("From", "\udcff"),
        ("From", "1" * 129),
        ("To", ""),
        ("To", "54321\n"),
    ],
)
def test_a_malformed_field_is_named(field: str, value: str) -> None:
    """400 with the field's name and a reason, never with its value."""
    with pytest.raises(BadForm) as caught:
        inbound({**TEXT, field: value})

    assert (caught.value.field, caught.value.status) == (field, 400)
    assert str(caught.value) == f"{field} is {'malformed' if value else 'missing'}."


@pytest.mark.parametrize("field", list(TEXT))
def test_a_missing_field_is_named(field: str) -> None:
    """Each of the four that every inbound text has must be there."""
    with pytest.raises(BadForm, match=f"^{field} is missing"):
        inbound({name: value for name, value in TEXT.items() if name != field})


def test_the_least_inbound_text() -> None:
    """Without a body, media or anything optional, it is an empty text."""
    text = inbound(TEXT)

    assert (text.message_sid, text.account_sid) == (SID, ACCOUNT)
    assert (text.address, text.sender) == ("+14155550100", "54321")
    assert (text.body, text.media, text.opt_out_type) == ("", 0, None)
    assert text.messaging_service_sid is None


@pytest.mark.parametrize(
    "address",
    ["+14155550100", "54321", "whatsapp:+14155550100", "rcs:acme_agent", "Acme"],
)
def test_every_kind_of_address_is_taken(address: str) -> None:
    """Short codes, WhatsApp and RCS are addresses; what they mean is decided elsewhere."""
    text = inbound({**TEXT, "From": address, "To": address})

    assert (text.address, text.sender) == (address, address)


@pytest.mark.parametrize(
    ("given_count", "media"),
    [("0", 0), ("2", 2), ("", 0), ("x", 0), ("-1", 0), ("1e3", 0), ("٣", 0), ("9" * 5000, 0)],
)
def test_the_number_of_media_is_tolerant(given_count: str, media: int) -> None:
    """A count that is no number is no reason to lose a text."""
    assert inbound({**TEXT, "NumMedia": given_count}).media == media


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("STOP", "STOP"),
        ("START", "START"),
        ("HELP", "HELP"),
        ("stop", None),
        ("", None),
        ("X", None),
    ],
)
def test_opt_out_type_is_one_of_three(value: str, kept: str | None) -> None:
    """Only the words that Twilio documents count as answered by Twilio."""
    assert inbound({**TEXT, "OptOutType": value}).opt_out_type == kept


def test_new_and_huge_parameters_are_left_alone() -> None:
    """What Twilio adds without notice changes nothing, however long."""
    text = inbound({**TEXT, "Body": "x" * 60_000, "Brand_New": "y" * 5_000})

    assert text.body == "x" * 60_000


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        ("STOP", "STOP"),
        ("STOP\0", "STOP"),
        ("é\0🎉", "é🎉"),
        ("a\ud800b\udcff", "a\ufffdb\ufffd"),
        ("", ""),
    ],
)
def test_cleaned_text_is_what_postgresql_takes(text: str, cleaned: str) -> None:
    """NUL goes, a lone surrogate becomes U+FFFD, everything else stays."""
    assert clean_text(text) == cleaned
    assert inbound({**TEXT, "Body": text}).body == cleaned


@given(st.text(st.characters()))
def test_cleaning_twice_changes_nothing_more(text: str) -> None:
    """Cleaned text is valid UTF-8 without NUL, and stays as it is."""
    cleaned = clean_text(text)

    assert clean_text(cleaned) == cleaned
    assert "\0" not in cleaned
    assert cleaned.encode().decode() == cleaned
