"""Why a webhook's signature fails, in one sentence that says what to change.

The captured request is signed again, as it would have been for each URL and each form that may
have been changed on the way; the guess that gives Twilio's signature is what happened. Sentences
name URLs, settings and parameters, never a token, a number or a text.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot import signature
from bot.doctor_causes import Cause
from bot.doctor_params import ParamsVariant, blank_variants, params_variants
from bot.doctor_sentences import (
    ANOTHER_SHARED_KEY,
    ANOTHER_TOKEN,
    NOT_A_FORM,
    NOT_A_SIGNATURE,
    OTHER_ACCOUNT,
    REFUSED,
    SHORTENED,
    Finding,
    Key,
    sentence,
)
from bot.doctor_urls import UrlVariant, url_variants
from bot.forms import FormError, is_form, parse_form
from bot.signature import Verdict, Verifier

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from bot.captured_request import Captured

# How many differences of the URL are still tried together with a changed form.
_AT_MOST_WITH_FORM = 2
_SHORTEST_PART_OF_A_SIGNATURE = 12
_LENGTH_OF_SHA1, _LENGTH_OF_SHA256 = 28, 44  # in base64


@dataclass(frozen=True, slots=True)
class Expected:
    """The service's settings: PUBLIC_BASE_URL, the account and its secrets, current token first."""

    base_url: str
    account_sid: str
    tokens: tuple[str, ...] = field(repr=False)
    shared_key: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """The cause, and one sentence about it that says what to change."""

    cause: Cause
    sentence: str

    @property
    def ok(self) -> bool:
        """Whether the service accepts the signature as it is."""
        return self.cause in (Cause.NONE, Cause.PREVIOUS_TOKEN)


def diagnose(captured: Captured, expected: Expected) -> Diagnosis:
    """What is wrong with this request's signature.

    Raises ValueError where the settings themselves cannot verify anything (no token, an empty
    one, a base URL that Twilio cannot call).
    """
    verifier = Verifier(
        expected.base_url, expected.account_sid, expected.tokens, expected.shared_key
    )
    given = captured.headers.get(signature.SIGNATURE_HEADER.lower())
    try:
        params = parse_form(captured.body, captured.content_type).params
    except FormError as error:
        return Diagnosis(Cause.FORM, f"The form is refused before its signature: {error}")
    settings = captured.headers.get(signature.SETTINGS_HEADER.lower())
    verdict = verifier.verify(captured.target, params, given, settings)
    if verdict is Verdict.OK:
        return _accepted(captured, expected, params)
    if verdict is Verdict.MISMATCH:
        return _searched(captured, expected, params, given or "")
    return Diagnosis(*REFUSED[verdict])


def _accepted(captured: Captured, expected: Expected, params: Mapping[str, str]) -> Diagnosis:
    headers = captured.headers
    given = headers[signature.SIGNATURE_HEADER.lower()]
    settings = headers.get(signature.SETTINGS_HEADER.lower())
    current = Verifier(
        expected.base_url, expected.account_sid, expected.tokens[:1], expected.shared_key
    )
    if current.verify(captured.target, params, given, settings):
        return Diagnosis(Cause.NONE, "The signature is valid.")
    return Diagnosis(
        Cause.PREVIOUS_TOKEN,
        "The signature is valid, made with TWILIO_AUTH_TOKEN_PREVIOUS: "
        "keep it until Twilio signs with the current token.",
    )


def _searched(
    captured: Captured, expected: Expected, params: Mapping[str, str], given: str
) -> Diagnosis:
    keys = tuple(_keys(expected))
    bare = _bare(given)
    for url, form in _guesses(captured, expected, params):
        for key in keys:
            made = signature.sign(url.base + url.target, form.params, key.secret, key.algorithm)
            if made == given or _bare(made).startswith(bare):
                finding = Finding(url, form, key, is_damaged=made != given)
                return Diagnosis(finding.cause, _sentence(finding, captured, expected))
    return Diagnosis(*_unknown(captured, expected, params, given))


def _guesses(
    captured: Captured, expected: Expected, params: Mapping[str, str]
) -> Iterator[tuple[UrlVariant, ParamsVariant]]:
    """What Twilio may have signed, the likeliest and smallest changes first."""
    urls = url_variants(expected.base_url, captured.target, captured.host, captured.headers)
    unchanged = ParamsVariant(params, Cause.NONE)
    yield from ((url, unchanged) for url in urls)
    changed = list(params_variants(params))
    near = [url for url in urls if len(url.causes) <= _AT_MOST_WITH_FORM]
    as_expected = [url for url in urls if not url.causes]
    yield from itertools.product(as_expected, (*changed, *blank_variants(params)))
    yield from itertools.product(near[len(as_expected) :], changed)


def _keys(expected: Expected) -> Iterator[Key]:
    for token in expected.tokens:
        yield Key(token, signature.HMAC_SHA1, Cause.NONE)
        if token.strip() != token:
            yield Key(token.strip(), signature.HMAC_SHA1, Cause.TOKEN_WHITESPACE)
    if expected.shared_key:
        yield Key(expected.shared_key, signature.HMAC_SHA256, Cause.ALGORITHM)


def _bare(given: str) -> str:
    """What is left of a signature when case, quotes, padding and its two odd signs are ignored."""
    bare = given.strip("\"' ").replace("-", "+").replace("_", "/").replace(" ", "+")
    bare = bare.rstrip("=").casefold()
    return bare if len(bare) >= _SHORTEST_PART_OF_A_SIGNATURE else "no signature is this short"


def _sentence(finding: Finding, captured: Captured, expected: Expected) -> str:
    text = sentence(finding, captured.target, expected.base_url)
    # A secret that somebody put into a URL stays a secret here.
    for secret in filter(None, (*expected.tokens, expected.shared_key)):
        text = text.replace(secret.strip(), "…")
    return text


def _unknown(
    captured: Captured, expected: Expected, params: Mapping[str, str], given: str
) -> tuple[Cause, str]:
    """The likeliest cause where no guess gives the signature."""
    if not is_form(captured.content_type):
        return NOT_A_FORM
    if captured.is_shortened:
        return SHORTENED
    if params.get("AccountSid") != expected.account_sid:
        return OTHER_ACCOUNT
    if len(given) == _LENGTH_OF_SHA256:
        return ANOTHER_SHARED_KEY
    return ANOTHER_TOKEN if len(given) == _LENGTH_OF_SHA1 else NOT_A_SIGNATURE
