"""Only what Twilio signed is accepted; twilio's own RequestValidator is the judge."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from urllib.parse import urlencode

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from twilio.request_validator import RequestValidator

from bot.forms import FORM_TYPE, FormError, inbound, parse_form
from bot.signature import Verdict, Verifier, algorithm_of, base_variants, sign

BASE = "https://shop.example"
TARGET = "/webhooks/twilio/inbound"
TOKEN, PREVIOUS, SHARED = "t" * 32, "p" * 32, "shared-key-secret"
ACCOUNT, OTHER_ACCOUNT = "AC" + "a" * 32, "AC" + "b" * 32
SID, OTHER_SID = "SM" + "1" * 32, "SM" + "2" * 32
SHA256_SETTINGS = "key=webhooks_sharedkey_1,algorithm=HMAC_SHA256"
PARAMS = {
    "ToCountry": "US",
    "SmsMessageSid": SID,
    "NumMedia": "0",
    "FromZip": "94103",
    "SmsSid": SID,
    "SmsStatus": "received",
    "FromCity": "SAN FRANCISCO",
    "Body": "Join please",
    "FromCountry": "US",
    "To": "54321",
    "ToZip": "",
    "MessageSid": SID,
    "AccountSid": ACCOUNT,
    "From": "+14155550100",
    "ApiVersion": "2010-04-01",
}
VERIFIER = Verifier(BASE, ACCOUNT, (TOKEN, PREVIOUS), SHARED)


def twilio(params: dict[str, str], token: str = TOKEN, url: str = BASE + TARGET) -> str:
    """The signature that twilio's own library makes."""
    return str(RequestValidator(token).compute_signature(url, params))


GENUINE = twilio(PARAMS)


@dataclass(frozen=True)
class Request:
    """One request as it arrives; by default the genuine one."""

    params: dict[str, str] = field(default_factory=lambda: PARAMS)
    signature: str | None = GENUINE
    target: str = TARGET
    settings: str | None = None
    content_type: str = FORM_TYPE
    body: bytes | None = None


def verdict(request: Request) -> str:
    """What the webhook makes of a request: a verdict, or the fault of its form."""
    body = urlencode(request.params).encode() if request.body is None else request.body
    try:
        form = parse_form(body, request.content_type)
    except FormError as error:
        return error.fault.name
    return VERIFIER.verify(request.target, form.params, request.signature, request.settings)


def without(*names: str) -> dict[str, str]:
    """The genuine parameters but these."""
    return {name: value for name, value in PARAMS.items() if name not in names}


def cut(body: str, **others: str) -> Request:
    """A request whose signature was made for a text the attacker chose, now cut elsewhere."""
    original = {**PARAMS, "Body": body}
    return Request({**PARAMS, **others}, twilio(original))


def smuggled(new_sid: str, *cuts: str) -> Request:
    """The full forgery: a chosen text becomes From, MessageSid and To of somebody else.

    What remains of the true request is cut by ``cuts``: the names of parameters to hide it in.
    """
    names = ("From", "FromCity", "FromCountry", "FromZip", "MessageSid", "NumMedia")
    names_after = ("SmsMessageSid", "SmsSid", "SmsStatus", "To", "ToCountry", "ToZip")
    remains = "".join(name + PARAMS[name] for name in (*names, *names_after))
    forged = {"Body": "STOP", "From": "+19995550123", "MessageSid": new_sid, "To": "54321"}
    chosen = "STOP" + "".join(name + forged[name] for name in ("From", "MessageSid", "To"))
    params = {"AccountSid": ACCOUNT, "ApiVersion": PARAMS["ApiVersion"], **forged}
    first, rest = "Zz", remains
    for name in cuts:
        value, _, rest = rest.partition(name)
        params[first], first = value, name
    params[first] = rest
    return Request(params, twilio({**PARAMS, "Body": f"{chosen}Zz"}))


URL = BASE + TARGET
FORGED = {
    "header missing": (Request(signature=None), "missing"),
    "header empty": (Request(signature=""), "missing"),
    "header not ASCII": (Request(signature=GENUINE[:-2] + "é="), "not_ascii"),
    "header full-width": (Request(signature="\uff21" + GENUINE[1:]), "not_ascii"),
    "header truncated": (Request(signature=GENUINE[:-1]), "mismatch"),
    "header one letter": (Request(signature=GENUINE[:1]), "mismatch"),
    "header longer": (Request(signature=GENUINE + "A"), "mismatch"),
    "header twice": (Request(signature=f"{GENUINE},{GENUINE}"), "mismatch"),
    "header lowercase": (Request(signature=GENUINE.lower()), "mismatch"),
    "space before": (Request(signature=f" {GENUINE}"), "mismatch"),
    "space after": (Request(signature=f"{GENUINE} "), "mismatch"),
    "newline after": (Request(signature=f"{GENUINE}\n"), "mismatch"),
    "quoted": (Request(signature=f'"{GENUINE}"'), "mismatch"),
    "base64 without padding": (Request(signature=GENUINE.rstrip("=")), "mismatch"),
    "base64 padded more": (Request(signature=f"{GENUINE}="), "mismatch"),
    "hexadecimal": (Request(signature=base64.b64decode(GENUINE).hex()), "mismatch"),
    "wrong token": (Request(signature=twilio(PARAMS, "w" * 32)), "mismatch"),
    "empty token": (Request(signature=twilio(PARAMS, "")), "mismatch"),
    "token with a space": (Request(signature=twilio(PARAMS, f"{TOKEN} ")), "mismatch"),
    "account as token": (Request(signature=twilio(PARAMS, ACCOUNT)), "mismatch"),
    "shared key as token": (Request(signature=twilio(PARAMS, SHARED)), "mismatch"),
    "other scheme": (
        Request(signature=twilio(PARAMS, url=f"http://shop.example{TARGET}")),
        "mismatch",
    ),
    "other host": (
        Request(signature=twilio(PARAMS, url=f"https://evil.example{TARGET}")),
        "mismatch",
    ),
    "other port": (Request(signature=twilio(PARAMS, url=f"{BASE}:8443{TARGET}")), "mismatch"),
    "host in capitals": (
        Request(signature=twilio(PARAMS, url=URL.replace("shop", "Shop"))),
        "mismatch",
    ),
    "other path": (Request(target="/webhooks/twilio/status"), "mismatch"),
    "slash added": (Request(target=f"{TARGET}/"), "mismatch"),
    "slash doubled": (Request(target=f"/{TARGET}"), "mismatch"),
    "path in capitals": (Request(target=TARGET.upper()), "mismatch"),
    "path escaped": (Request(target=TARGET.replace("t", "%74", 1)), "mismatch"),
    "query added": (Request(target=f"{TARGET}?a=1"), "mismatch"),
    "query dropped": (Request(signature=twilio(PARAMS, url=f"{URL}?a=1")), "mismatch"),
    "query moved to the form": (
        Request(signature=twilio(PARAMS, url=f"{URL}?a=1"), params={**PARAMS, "a": "1"}),
        "mismatch",
    ),
    "path moved to the host": (Request(target=f".evil.example{TARGET}"), "mismatch"),
    "parameter added": (Request({**PARAMS, "New": "1"}), "mismatch"),
    "blank parameter added": (Request({**PARAMS, "New": ""}), "mismatch"),
    "parameter removed": (Request(without("NumMedia")), "mismatch"),
    "blank parameter removed": (Request(without("ToZip")), "mismatch"),
    "parameter renamed": (Request({**without("To"), "TO": "54321"}), "mismatch"),
    "value changed": (Request({**PARAMS, "Body": "STOP"}), "mismatch"),
    "number changed": (Request({**PARAMS, "From": "+14155550101"}), "mismatch"),
    "SID changed": (Request({**PARAMS, "MessageSid": OTHER_SID}), "mismatch"),
    "value trimmed": (
        Request(signature=twilio({**PARAMS, "Body": "Join please "})),
        "mismatch",
    ),
    "value in capitals": (Request({**PARAMS, "Body": "JOIN PLEASE"}), "mismatch"),
    "values exchanged": (
        Request({**PARAMS, "From": PARAMS["To"], "To": PARAMS["From"]}),
        "mismatch",
    ),
    "signature of another body": (Request(signature=twilio({**PARAMS, "Body": "No"})), "mismatch"),
    "no parameters": (Request({}), "mismatch"),
    "name given twice": (
        Request(body=urlencode(PARAMS).encode() + b"&To=54321"),
        "FORBIDDEN_NAMES",
    ),
    "name with a plus": (cut("x", **{"From+14155550100FromCity": "SF"}), "FORBIDDEN_NAMES"),
    "name with a space": (Request({**PARAMS, "a b": ""}), "FORBIDDEN_NAMES"),
    "name empty": (Request({**PARAMS, "": "x"}), "FORBIDDEN_NAMES"),
    "name in brackets": (Request({**PARAMS, "From[]": "x"}), "FORBIDDEN_NAMES"),
    "name too long": (Request({**PARAMS, "a" * 65: "x"}), "FORBIDDEN_NAMES"),
    "name of Cyrillic letters": (Request({**PARAMS, "Frоm": "x"}), "FORBIDDEN_NAMES"),
    "name with NUL": (Request({**PARAMS, "From\0": "x"}), "FORBIDDEN_NAMES"),
    "other account": (
        Request(
            {**PARAMS, "AccountSid": OTHER_ACCOUNT},
            twilio({**PARAMS, "AccountSid": OTHER_ACCOUNT}),
        ),
        "account",
    ),
    "no account": (Request(without("AccountSid"), twilio(without("AccountSid"))), "account"),
    "text cut into From": (
        cut("STOPFrom+19995550123", Body="STOP", From="+19995550123From+14155550100"),
        "smuggled",
    ),
    "text cut into From, its remains in FromCity": (
        cut(
            "STOPFrom+19995550123FromCity",
            Body="STOP",
            From="+19995550123",
            FromCity="From+14155550100FromCitySAN FRANCISCO",
        ),
        "smuggled",
    ),
    "all cut anew": (smuggled(OTHER_SID), "smuggled"),
    "all cut anew, remains cut once": (smuggled(OTHER_SID, "m"), "smuggled"),
    "all cut anew, SID cut in the middle": (smuggled(OTHER_SID, "m", "sageSid"), "smuggled"),
    "JSON body": (
        Request(body=json.dumps(PARAMS).encode(), content_type="application/json"),
        "mismatch",
    ),
    "JSON body, its hash in the URL": (
        Request(
            body=b"{}",
            content_type="application/json",
            target=f"{TARGET}?bodySHA256={hashlib.sha256(b'{}').hexdigest()}",
        ),
        "mismatch",
    ),
    "multipart body": (Request(content_type="multipart/form-data; boundary=x"), "mismatch"),
    "no content type": (Request(content_type=""), "mismatch"),
    "algorithm unknown": (Request(settings="key=k,algorithm=HMAC_MD5"), "unsupported_algorithm"),
    "algorithm none": (Request(settings="algorithm=none"), "unsupported_algorithm"),
    "SHA-256 with the token": (
        Request(signature=sign(URL, PARAMS, TOKEN, "HMAC_SHA256"), settings=SHA256_SETTINGS),
        "mismatch",
    ),
    "SHA-256 not announced": (
        Request(signature=sign(URL, PARAMS, SHARED, "HMAC_SHA256")),
        "mismatch",
    ),
    "SHA-1 announced as SHA-256": (Request(settings=SHA256_SETTINGS), "mismatch"),
}


@pytest.mark.parametrize("name", FORGED)
def test_a_forged_request_is_refused_for_its_reason(name: str) -> None:
    """Each way to change or make up a request gets its own verdict, none of them OK."""
    request, expected = FORGED[name]

    assert verdict(request) == expected


def test_the_smuggled_requests_would_pass_the_plain_scheme() -> None:
    """The cut requests are signed indeed: only the search for remains refuses them."""
    for request, expected in FORGED.values():
        if expected == "smuggled":
            assert twilio(request.params) == request.signature
            assert inbound(request.params | {"From": "+19995550123"}).address == "+19995550123"


ACCEPTED = {
    "plain": Request(),
    "reordered": Request(dict(reversed(PARAMS.items()))),
    "previous token": Request(signature=twilio(PARAMS, PREVIOUS)),
    "port added by Twilio": Request(signature=twilio(PARAMS, url=f"{BASE}:443{TARGET}")),
    "SHA-256": Request(
        signature=sign(URL, PARAMS, SHARED, "HMAC_SHA256"), settings=SHA256_SETTINGS
    ),
    "SHA-1 announced": Request(settings="key=k,algorithm=HMAC_SHA1"),
    "settings without an algorithm": Request(settings="key=k"),
    "a question mark without a query": Request(target=f"{TARGET}?"),
    "charset named": Request(content_type=f"{FORM_TYPE}; charset=UTF-8"),
    "names escaped": Request(body=urlencode(PARAMS).replace("From=", "%46rom=").encode()),
}
VALUES = {
    "emoji": "Join 🎉🎉",
    "accents": "café ñandú",
    "right to left": "توقف",
    "plus": "1+1=2",
    "ampersand": "a&b=c;d",
    "percent": "100%41 %zz %",
    "spaces": "  STOP \t",
    "lines": "a\r\nb\n",
    "NUL": "STOP\x00",
    "empty": "",
    "talk of From": "From +1415 to MessageSid",
    "a whole SID in the text": f"MessageSid{OTHER_SID}From+19995550123",
    "quotes": "<b>\"'&amp;</b>",
}


@pytest.mark.parametrize("name", ACCEPTED)
def test_a_genuine_request_is_accepted(name: str) -> None:
    """What Twilio may legitimately send passes, by either token and by the shared key."""
    assert verdict(ACCEPTED[name]) == "ok"


@pytest.mark.parametrize("name", VALUES)
@pytest.mark.parametrize("target", [TARGET, f"{TARGET}?a=1&b=%20x", "/a//b/;p=1?x", "/"])
def test_any_text_is_accepted_when_twilio_signed_it(name: str, target: str) -> None:
    """No character of a text or a URL spoils a genuine signature."""
    params = {**PARAMS, "Body": VALUES[name]}

    assert verdict(Request(params, twilio(params, url=BASE + target), target)) == "ok"


def test_bytes_that_are_no_utf8_verify_as_they_were_sent() -> None:
    """The signature is over the bytes; a lone surrogate in the copy does not spoil it."""
    params = parse_form(b"AccountSid=" + ACCOUNT.encode() + b"&Body=%ff%ED%A0%80\xfe", FORM_TYPE)
    signed = sign(URL, params.params, TOKEN)

    assert VERIFIER.verify(TARGET, params.params, signed) is Verdict.OK


def test_text_that_no_request_can_hold_is_a_mismatch() -> None:
    """A surrogate that stands for no byte is refused, not raised."""
    assert VERIFIER.verify(TARGET, {"Body": "\ud800"}, GENUINE) is Verdict.MISMATCH


def test_only_ok_is_true() -> None:
    """``if verifier.verify(…)`` means what it says."""
    assert [bool(each) for each in Verdict] == [each is Verdict.OK for each in Verdict]


@pytest.mark.parametrize(
    ("base", "signed"),
    [
        pytest.param("https://a.example", "https://a.example:443", id="https adds 443"),
        pytest.param("http://a.example", "http://a.example:80", id="http adds 80"),
        pytest.param("https://a.example:443", "https://a.example", id="443 dropped"),
        pytest.param("https://a.example:8443", "https://a.example", id="own port dropped"),
        pytest.param("https://a.example:8443", "https://a.example:8443", id="own port kept"),
        pytest.param("https://a.example/", "https://a.example", id="slash at the end"),
        pytest.param("https://a.example/app/", "https://a.example/app", id="prefix"),
        pytest.param("HTTPS://a.example", "https://a.example", id="scheme in capitals"),
        pytest.param("http://[::1]:8000", "http://[::1]:8000", id="IPv6"),
        pytest.param("http://[::1]:8000", "http://[::1]", id="IPv6 without its port"),
    ],
)
def test_the_port_may_be_there_or_not(base: str, signed: str) -> None:
    """Twilio signs with the port or without it; both are the same place."""
    verifier = Verifier(base, ACCOUNT, [TOKEN])

    assert verifier.verify(TARGET, PARAMS, twilio(PARAMS, url=signed + TARGET)) is Verdict.OK


@pytest.mark.parametrize(
    ("base", "account", "tokens", "shared"),
    [
        pytest.param(BASE, ACCOUNT, [], None, id="no token"),
        pytest.param(BASE, ACCOUNT, [""], None, id="empty token"),
        pytest.param(BASE, ACCOUNT, [TOKEN, " "], None, id="blank previous token"),
        pytest.param(BASE, ACCOUNT, [TOKEN], "", id="empty shared key"),
        pytest.param(BASE, "", [TOKEN], None, id="no account"),
        pytest.param("https://me:pw@a.example", ACCOUNT, [TOKEN], None, id="password in URL"),
        pytest.param("ftp://a.example", ACCOUNT, [TOKEN], None, id="other scheme"),
        pytest.param("a.example", ACCOUNT, [TOKEN], None, id="no scheme"),
        pytest.param("https://", ACCOUNT, [TOKEN], None, id="no host"),
        pytest.param("https://a.example?x=1", ACCOUNT, [TOKEN], None, id="query"),
        pytest.param("https://a.example#x", ACCOUNT, [TOKEN], None, id="fragment"),
        pytest.param("https://a.example:port", ACCOUNT, [TOKEN], None, id="port is no number"),
    ],
)
def test_settings_that_verify_nothing_are_refused(
    base: str, account: str, tokens: list[str], shared: str | None
) -> None:
    """An empty secret or an impossible URL stops the start instead of accepting forgeries."""
    with pytest.raises(ValueError, match=r".") as caught:
        Verifier(base, account, tokens, shared)

    assert TOKEN not in str(caught.value)


def test_without_a_shared_key_sha256_is_refused() -> None:
    """A request that announces HMAC_SHA256 is not checked with the token instead."""
    signed = sign(URL, PARAMS, TOKEN, "HMAC_SHA256")

    verifier = Verifier(BASE, ACCOUNT, [TOKEN])

    assert verifier.verify(TARGET, PARAMS, signed, SHA256_SETTINGS) is Verdict.NO_SHARED_KEY


def test_an_unknown_algorithm_is_not_signed() -> None:
    """sign() makes the two signatures Twilio has, and no other."""
    with pytest.raises(ValueError, match="cannot be signed"):
        sign(URL, PARAMS, TOKEN, "HMAC_MD5")


@given(st.data())
def test_one_flipped_byte_is_never_accepted(data: st.DataObject) -> None:
    """Whatever byte of body, path or signature changes, the request is refused."""
    parts = [urlencode(PARAMS).encode(), TARGET.encode(), GENUINE.encode()]
    which = data.draw(st.integers(0, 2))
    at = data.draw(st.integers(0, len(parts[which]) - 1))
    flipped = bytearray(parts[which])
    flipped[at] ^= data.draw(st.integers(1, 255))
    parts[which] = bytes(flipped)
    body, target, signed = parts
    try:
        form = parse_form(body, FORM_TYPE)
    except FormError:
        return
    assume(form.params != PARAMS or which != 0)  # %2b for %2B is the same parameter
    verdict = VERIFIER.verify(target.decode("latin-1"), form.params, signed.decode("latin-1"))

    assert verdict is not Verdict.OK


NAMES = st.from_regex(r"\A[A-Za-z][A-Za-z0-9_]{0,12}\Z")
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
HOSTS = st.sampled_from(["a.example", "a.example:8443", "a.example:443", "a.example:80"])
# No ";" at the end of a path: the judge's URL parser drops it, so that it refuses what was signed.
PATHS = st.from_regex(r"\A/[A-Za-z0-9_.~-]{0,12}(;[a-z])?(\?[a-z0-9&=%+.]{1,8})?\Z")


@given(
    params=st.dictionaries(NAMES, TEXTS, max_size=8),
    scheme=st.sampled_from(["http", "https"]),
    host=HOSTS,
    signed_host=HOSTS,
    path=PATHS,
    signed_path=st.none() | PATHS,
    changed=st.none() | st.tuples(NAMES, TEXTS),
    algorithm=st.sampled_from(["HMAC_SHA1", "HMAC_SHA256"]),
)
def test_twilios_validator_gives_the_same_answer(
    *,
    params: dict[str, str],
    scheme: str,
    host: str,
    signed_host: str,
    path: str,
    signed_path: str | None,
    changed: tuple[str, str] | None,
    algorithm: str,
) -> None:
    """For clean names both accept and both refuse, whatever the URL, the port and the values."""
    params["AccountSid"] = ACCOUNT
    arrived = dict([*params.items(), *([changed] if changed else [])])
    assume(arrived["AccountSid"] == ACCOUNT)
    judge = RequestValidator(TOKEN)
    made = judge.compute_signature(
        f"{scheme}://{signed_host}{signed_path or path}", params, algorithm
    )
    judged = judge.validate(f"{scheme}://{host}{path}", arrived, made, algorithm)

    verifier = Verifier(f"{scheme}://{host}", ACCOUNT, [TOKEN], TOKEN)
    ours = verifier.verify(path, arrived, made, f"key=k,algorithm={algorithm}")

    assert (ours is Verdict.OK) == judged


@given(st.dictionaries(NAMES, TEXTS, max_size=8), TEXTS)
def test_sign_makes_twilios_signature(params: dict[str, str], token: str) -> None:
    """Our signature of a form is the one twilio's library makes."""
    assert sign(URL, params, token) == twilio(params, token)


@pytest.mark.parametrize(
    ("header", "algorithm"),
    [
        ("", "HMAC_SHA1"),
        ("key=k", "HMAC_SHA1"),
        ("algorithm=", "HMAC_SHA1"),
        (SHA256_SETTINGS, "HMAC_SHA256"),
        ("algorithm = hmac_sha256 , key=k", "HMAC_SHA256"),
    ],
)
def test_the_settings_header_names_the_algorithm(header: str, algorithm: str) -> None:
    """Read as twilio's library reads it: nothing named means HMAC_SHA1."""
    assert algorithm_of(header) == algorithm


def test_each_base_is_tried_once_as_configured_first() -> None:
    """Where the port says nothing new, no signature is computed twice."""
    assert base_variants("https://a.example") == ("https://a.example", "https://a.example:443")
    assert len(base_variants("http://a.example:80/x")) == 2


def test_signatures_are_compared_in_constant_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No shortcut tells a forger how much was right: each comparison is ``compare_digest``.

    Timing itself is not asserted here; a busy machine would decide.
    """
    compared: list[bytes] = []

    def note(ours: bytes, given: bytes) -> bool:
        compared.append(given)
        return False

    monkeypatch.setattr(hmac, "compare_digest", note)

    assert VERIFIER.verify(TARGET, PARAMS, GENUINE) is Verdict.MISMATCH
    assert set(compared) == {GENUINE.encode()}
