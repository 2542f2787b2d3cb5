"""For each fault planted between Twilio and the service, the doctor names it and what to change."""

from __future__ import annotations

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.captured_request import Captured
from bot.doctor_causes import Cause
from bot.signature import HMAC_SHA256, SETTINGS_HEADER, SIGNATURE_HEADER, sign
from bot.webhook_doctor import Diagnosis, Expected, diagnose

BASE, TARGET = "https://shop.example", "/webhooks/twilio/inbound"
TOKEN, PREVIOUS, SHARED = "c0ffee" * 5 + "42", "decade" * 5 + "42", "shared-key-secret"
ACCOUNT, OTHER_ACCOUNT = "AC" + "a" * 32, "AC" + "b" * 32
NUMBER, TEXT = "+14155550100", "café 1+1 & more"
PARAMS = {
    "AccountSid": ACCOUNT,
    "Body": TEXT,
    "From": NUMBER,
    "FromCity": "SAN FRANCISCO",
    "FromZip": "",
    "MessageSid": "SM" + "1" * 32,
    "To": "54321",
    "ToState": "",
}
FORM = "application/x-www-form-urlencoded"
EXPECTED = Expected(BASE, ACCOUNT, (TOKEN, PREVIOUS), SHARED)


def captured(
    signed_url: str = BASE + TARGET,
    *,
    target: str = TARGET,
    signed: dict[str, str] | None = None,
    arrived: dict[str, str] | None = None,
    headers: dict[str, str] | None = None,
    token: str = TOKEN,
) -> Captured:
    """A request that Twilio signed for ``signed_url`` and ``signed``, and what arrived of it."""
    signed = PARAMS if signed is None else signed
    sent = {
        "content-type": FORM,
        SIGNATURE_HEADER.lower(): sign(signed_url, signed, token),
        **(headers or {}),
    }
    body = urlencode(signed if arrived is None else arrived).encode()
    return Captured(target, "", sent, body)


def changed(**values: str) -> dict[str, str]:
    """The parameters with these in place of theirs."""
    return {**PARAMS, **values}


def without(*names: str) -> dict[str, str]:
    """The parameters but these."""
    return {name: value for name, value in PARAMS.items() if name not in names}


def at(base_url: str) -> Expected:
    """The settings with another PUBLIC_BASE_URL."""
    return Expected(base_url, ACCOUNT, (TOKEN, PREVIOUS), SHARED)


URL = BASE + TARGET
GENUINE = sign(URL, PARAMS, TOKEN)
SIGNATURE = SIGNATURE_HEADER.lower()
URL_FAULTS = {
    "service thinks http": (captured(), at("http://shop.example"), Cause.SCHEME, BASE),
    "Twilio calls http": (
        captured(f"http://shop.example{TARGET}"),
        EXPECTED,
        Cause.SCHEME,
        "set PUBLIC_BASE_URL=http://shop.example, or better, enter the https address",
    ),
    "host in the Host header": (
        captured(f"https://other.example{TARGET}", headers={"host": "other.example"}),
        EXPECTED,
        Cause.HOST,
        "set PUBLIC_BASE_URL=https://other.example",
    ),
    "host in X-Forwarded-Host": (
        captured(
            f"https://tunnel.example{TARGET}",
            headers={"host": "10.0.0.5:8000", "x-forwarded-host": "tunnel.example, inner"},
        ),
        at("http://127.0.0.1:8000"),
        Cause.HOST,
        "set PUBLIC_BASE_URL=https://tunnel.example",
    ),
    "host in Forwarded": (
        captured(f"https://f.example{TARGET}", headers={"forwarded": 'for=1;host="f.example"'}),
        EXPECTED,
        Cause.HOST,
        "set PUBLIC_BASE_URL=https://f.example",
    ),
    "host with www.": (
        captured(f"https://www.shop.example{TARGET}"),
        EXPECTED,
        Cause.HOST,
        "set PUBLIC_BASE_URL=https://www.shop.example",
    ),
    "host without www.": (captured(), at("https://www.shop.example"), Cause.HOST, f"={BASE}."),
    "host in capitals": (
        captured(),
        at("https://SHOP.example"),
        Cause.HOST,
        f"set PUBLIC_BASE_URL={BASE}.",
    ),
    "port in the Host header": (
        captured(f"{BASE}:9443{TARGET}", headers={"host": "shop.example:9443"}),
        EXPECTED,
        Cause.PORT,
        f"set PUBLIC_BASE_URL={BASE}:9443.",
    ),
    "usual port": (
        captured(f"{BASE}:8443{TARGET}"),
        EXPECTED,
        Cause.PORT,
        f"set PUBLIC_BASE_URL={BASE}:8443.",
    ),
    "port in X-Forwarded-Port": (
        captured(f"{BASE}:7443{TARGET}", headers={"x-forwarded-port": "7443"}),
        EXPECTED,
        Cause.PORT,
        f"set PUBLIC_BASE_URL={BASE}:7443.",
    ),
    "prefix too many": (captured(), at(f"{BASE}/app"), Cause.PATH, f"set PUBLIC_BASE_URL={BASE}."),
    "prefix stripped by the proxy": (
        captured(f"{BASE}/app{TARGET}", headers={"x-forwarded-prefix": "/app/"}),
        EXPECTED,
        Cause.PATH,
        f"set PUBLIC_BASE_URL={BASE}/app.",
    ),
    "path rewritten": (
        captured(f"{BASE}/hooks/sms", headers={"x-original-uri": "/hooks/sms"}),
        EXPECTED,
        Cause.PATH,
        f"Twilio signed the path /hooks/sms, but it arrived as {TARGET}",
    ),
    "path unescaped": (
        captured(f"{BASE}/a%20b", target="/a%2520b"),
        EXPECTED,
        Cause.PATH,
        "Twilio signed the path /a%20b",
    ),
    "slash removed": (
        captured(f"{URL}/"),
        EXPECTED,
        Cause.SLASH,
        f"Twilio signed the path {TARGET}/, but it arrived as {TARGET}:",
    ),
    "slash added": (
        captured(target=f"{TARGET}/"),
        EXPECTED,
        Cause.SLASH,
        f"Twilio signed the path {TARGET}, but it arrived as {TARGET}/:",
    ),
    "query added": (
        captured(target=f"{TARGET}?shop=1"),
        EXPECTED,
        Cause.QUERY,
        f"Twilio signed {TARGET} with no query, but it arrived with ?shop=…",
    ),
    "query field added": (
        captured(f"{URL}?shop=1", target=f"{TARGET}?shop=1&via=cdn"),
        EXPECTED,
        Cause.QUERY,
        "with the query ?shop=…, but it arrived with ?shop=…&via=…",
    ),
    "query dropped": (
        captured(f"{URL}?shop=1", headers={"x-original-uri": f"{TARGET}?shop=1"}),
        EXPECTED,
        Cause.QUERY,
        "with the query ?shop=…, but it arrived with none",
    ),
    "query encoded again": (
        captured(f"{URL}?a=b+c", target=f"{TARGET}?a=b%20c"),
        EXPECTED,
        Cause.QUERY,
        "in another order or encoding",
    ),
    "query reordered": (
        captured(f"{URL}?b=1&a=2&c=3", target=f"{TARGET}?a=2&b=1&c=3"),
        EXPECTED,
        Cause.QUERY,
        "in another order or encoding",
    ),
}
LATIN = TEXT.encode().decode("latin-1")
FORM_FAULTS = {
    "space stripped at the end": (changed(Body="Hi "), changed(Body="Hi"), Cause.WHITESPACE),
    "space stripped at the start": (changed(Body=" Hi"), changed(Body="Hi"), Cause.WHITESPACE),
    "line end stripped": (changed(Body="Hi\n"), changed(Body="Hi"), Cause.WHITESPACE),
    "line ends converted": (changed(Body="a\r\nb"), changed(Body="a\nb"), Cause.WHITESPACE),
    "space in another parameter": (
        changed(FromCity="ST. LOUIS "),
        changed(FromCity="ST. LOUIS"),
        Cause.WHITESPACE,
    ),
    "plus of the number read as a space": (PARAMS, changed(From=f" {NUMBER[1:]}"), Cause.PLUS),
    "plus of a text read as a space": (
        changed(Body="1+1"),
        changed(Body="1 1"),
        Cause.PLUS,
    ),
    "plus not read as a space": (
        changed(Body="a b c"),
        changed(Body="a+b+c", FromCity="SAN+FRANCISCO"),
        Cause.PLUS,
    ),
    "one blank dropped": (PARAMS, without("FromZip"), Cause.BLANKS),
    "all blanks dropped": (PARAMS, without("FromZip", "ToState"), Cause.BLANKS),
    "blank body dropped": (changed(Body=""), without("Body"), Cause.BLANKS),
    "blanks added": (without("FromZip", "ToState"), PARAMS, Cause.BLANKS),
    "escaped twice": (
        PARAMS,
        {name: quote(value) for name, value in PARAMS.items()},
        Cause.ENCODING,
    ),
    "read as Latin-1": (PARAMS, changed(Body=LATIN), Cause.ENCODING),
    "escaped for HTML": (PARAMS, changed(Body=TEXT.replace("&", "&amp;")), Cause.ENCODING),
    "decomposed accents": (PARAMS, changed(Body=TEXT.replace("é", "e\u0301")), Cause.ENCODING),
    "parameter added": (PARAMS, {**PARAMS, "tenant": "7"}, Cause.EXTRA_PARAMETER),
}
SHA256_HEADER = {SETTINGS_HEADER.lower(): "key=k,algorithm=HMAC_SHA256"}
WITH_SHARED_KEY = {SIGNATURE: sign(URL, PARAMS, SHARED, HMAC_SHA256)}
NO_KEY = Expected(BASE, ACCOUNT, (TOKEN,))
OTHERS = {
    "valid": (captured(), EXPECTED, Cause.NONE),
    "valid with the port": (captured(f"{BASE}:443{TARGET}"), EXPECTED, Cause.NONE),
    "previous token": (captured(token=PREVIOUS), EXPECTED, Cause.PREVIOUS_TOKEN),
    "another token": (captured(token="w" * 32), EXPECTED, Cause.TOKEN),
    "space behind the token": (
        captured(),
        Expected(BASE, ACCOUNT, (f"{TOKEN} ",)),
        Cause.TOKEN_WHITESPACE,
    ),
    "account of a subaccount": (
        captured(signed=changed(AccountSid=OTHER_ACCOUNT)),
        EXPECTED,
        Cause.ACCOUNT,
    ),
    "account and token of a subaccount": (
        captured(signed=changed(AccountSid=OTHER_ACCOUNT), token="s" * 32),
        EXPECTED,
        Cause.ACCOUNT,
    ),
    "header dropped": (captured(headers={SIGNATURE: ""}), EXPECTED, Cause.HEADER_MISSING),
    "header cut": (captured(headers={SIGNATURE: GENUINE[:20]}), EXPECTED, Cause.HEADER_DAMAGED),
    "header quoted": (
        captured(headers={SIGNATURE: f'"{GENUINE}"'}),
        EXPECTED,
        Cause.HEADER_DAMAGED,
    ),
    "header in lower case": (
        captured(headers={SIGNATURE: GENUINE.lower()}),
        EXPECTED,
        Cause.HEADER_DAMAGED,
    ),
    "header not ASCII": (captured(headers={SIGNATURE: "é"}), EXPECTED, Cause.HEADER_DAMAGED),
    "header no signature": (captured(headers={SIGNATURE: "x"}), EXPECTED, Cause.HEADER_DAMAGED),
    "shared key, not announced": (captured(headers=WITH_SHARED_KEY), EXPECTED, Cause.ALGORITHM),
    "shared key, not configured": (
        captured(headers=WITH_SHARED_KEY | SHA256_HEADER),
        NO_KEY,
        Cause.ALGORITHM,
    ),
    "shared key, neither": (captured(headers=WITH_SHARED_KEY), NO_KEY, Cause.ALGORITHM),
    "token, announced as shared key": (captured(headers=SHA256_HEADER), EXPECTED, Cause.ALGORITHM),
    "algorithm unknown": (
        captured(headers={SETTINGS_HEADER.lower(): "algorithm=X"}),
        EXPECTED,
        Cause.ALGORITHM,
    ),
    "JSON instead of a form": (
        captured(headers={"content-type": "application/json"}),
        EXPECTED,
        Cause.FORM,
    ),
    "odd name": (captured(arrived={**PARAMS, "From[]": "x"}), EXPECTED, Cause.FORM),
    "body cut": (
        captured(headers={"content-length": "9999"}, token="w"),
        EXPECTED,
        Cause.SHORTENED,
    ),
    "put together from another": (
        captured(signed=changed(FromCity="From+14155550199")),
        EXPECTED,
        Cause.FORGED,
    ),
}


def harmless(diagnosis: Diagnosis) -> bool:
    """Whether the sentence is one sentence and tells no token, number or text."""
    secrets = (TOKEN, PREVIOUS, SHARED, NUMBER[1:], TEXT, "café", ACCOUNT, GENUINE)
    text = diagnosis.sentence
    return text.endswith(".") and ". " not in text and not any(part in text for part in secrets)


@pytest.mark.parametrize("name", URL_FAULTS)
def test_a_changed_url_is_named(name: str) -> None:
    """Scheme, host, port, path, slash or query: which of them, and the value to set."""
    request, expected, cause, words = URL_FAULTS[name]

    diagnosis = diagnose(request, expected)

    assert (diagnosis.ok, diagnosis.cause) == (False, cause)
    assert words in diagnosis.sentence
    assert harmless(diagnosis)


@pytest.mark.parametrize("name", FORM_FAULTS)
def test_a_changed_form_is_named(name: str) -> None:
    """Trimming, plus signs, blanks and encodings are told apart."""
    signed, arrived, cause = FORM_FAULTS[name]

    diagnosis = diagnose(captured(signed=signed, arrived=arrived), EXPECTED)

    assert (diagnosis.ok, diagnosis.cause) == (False, cause)
    assert harmless(diagnosis)


@pytest.mark.parametrize("name", OTHERS)
def test_any_other_cause_is_named(name: str) -> None:
    """Secrets, accounts, algorithms and headers; the previous token is no fault."""
    request, expected, cause = OTHERS[name]

    diagnosis = diagnose(request, expected)

    assert (diagnosis.ok, diagnosis.cause) == (cause in (Cause.NONE, Cause.PREVIOUS_TOKEN), cause)
    assert harmless(diagnosis)


def test_two_faults_at_once_are_both_named() -> None:
    """A proxy that changes the scheme and trims the text gets one sentence about both."""
    request = captured(signed=changed(Body="Hi "), arrived=changed(Body="Hi"))

    diagnosis = diagnose(request, at("http://shop.example"))

    assert diagnosis.cause is Cause.SCHEME
    assert f"set PUBLIC_BASE_URL={BASE}; also, whitespace in Body" in diagnosis.sentence


def test_numbers_and_tokens_in_a_url_stay_secret() -> None:
    """Values of a query, long numbers in a path and a token in a URL are left out."""
    path = f"/hook/{NUMBER[1:]}/{TOKEN}/{SHARED}"
    request = captured(f"{BASE}{path}/?key={TOKEN}", target=f"{path}?key={TOKEN}")

    diagnosis = diagnose(request, EXPECTED)

    assert diagnosis.cause is Cause.SLASH
    assert harmless(diagnosis)


TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=25, deadline=None)
@given(
    scheme=st.sampled_from(["https", "http"]),
    host=st.sampled_from(["shop.example", "www.shop.example", "proxy.example"]),
    port=st.sampled_from(["", ":8443", ":9000"]),
    text=TEXTS,
)
def test_the_base_to_set_is_the_one_twilio_signed(
    scheme: str, host: str, port: str, text: str
) -> None:
    """Whatever differs of scheme, host and port: doing what the sentence says repairs it."""
    signed_base = f"{scheme}://{host}{port}"
    headers = {"host": "10.0.0.5", "x-forwarded-host": f"proxy.example{port}"}
    request = captured(signed_base + TARGET, signed=changed(Body=text), headers=headers)

    diagnosis = diagnose(request, EXPECTED)
    _, named, rest = diagnosis.sentence.partition("set PUBLIC_BASE_URL=")
    advised = rest.removesuffix(".").partition(",")[0]

    assert bool(named) == (not diagnosis.ok)
    assert diagnose(request, at(advised or BASE)).ok


@settings(max_examples=40, deadline=None)
@given(TEXTS, st.sampled_from([" ", "\n", "\r\n"]))
def test_stripped_whitespace_is_named_whatever_the_text(text: str, space: str) -> None:
    """Whatever stands before it, a space lost at the end of the text is found."""
    request = captured(signed=changed(Body=text + space), arrived=changed(Body=text))

    assert diagnose(request, EXPECTED).cause is Cause.WHITESPACE


@settings(max_examples=20, deadline=None)
@given(TEXTS, st.binary(min_size=16, max_size=16))
def test_an_unknown_token_is_never_taken_for_another_fault(text: str, token: bytes) -> None:
    """Where no guess fits, no guess is made."""
    request = captured(signed=changed(Body=text), token=token.hex())

    assert diagnose(request, EXPECTED).cause is Cause.TOKEN
