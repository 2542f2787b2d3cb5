"""The sentences of `assent doctor webhook`: what happened, and what to change.

URLs are named, with the values of their query left out; of parameters only the names.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bot.doctor_causes import Cause
from bot.signature import Verdict, base_variants

if TYPE_CHECKING:
    from bot.doctor_params import ParamsVariant
    from bot.doctor_urls import UrlVariant

_MANY_DIGITS = re.compile(r"[0-9]{5,}|[0-9A-Fa-f]{32,}")


@dataclass(frozen=True, slots=True)
class Key:
    """A secret that gave the signature, and what its use says about the cause."""

    secret: str = field(repr=False)
    algorithm: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Finding:
    """The guess that gave the signature; ``is_damaged`` where only a damaged one fits."""

    url: UrlVariant
    form: ParamsVariant
    key: Key
    is_damaged: bool

    @property
    def cause(self) -> Cause:
        """The one cause to report: of the URL, else of the form, the secret, the header."""
        of_url = (cause for cause in Cause if cause in self.url.causes)
        others = (self.form.cause, self.key.cause)
        known = [cause for cause in (*of_url, *others) if cause is not Cause.NONE]
        if known:
            return known[0]
        return Cause.HEADER_DAMAGED if self.is_damaged else Cause.ALGORITHM


REFUSED = {
    Verdict.MISSING: (
        Cause.HEADER_MISSING,
        (
            "The X-Twilio-Signature header is missing: either Twilio did not send this request, "
            "or a proxy drops the header and must pass it on unchanged."
        ),
    ),
    Verdict.NOT_ASCII: (
        Cause.HEADER_DAMAGED,
        (
            "The X-Twilio-Signature header holds characters that no signature has: let the proxy "
            "pass it on unchanged."
        ),
    ),
    Verdict.UNSUPPORTED_ALGORITHM: (
        Cause.ALGORITHM,
        (
            "The X-Twilio-Webhooks-Signature-Settings header names an algorithm other than "
            "HMAC_SHA1 and HMAC_SHA256: choose one of these for the shared key in the Twilio "
            "console."
        ),
    ),
    Verdict.NO_SHARED_KEY: (
        Cause.ALGORITHM,
        (
            "Twilio signed with a shared key (HMAC_SHA256), but none is configured: set "
            "TWILIO_WEBHOOK_SHARED_KEY to its secret."
        ),
    ),
    Verdict.ACCOUNT: (
        Cause.ACCOUNT,
        (
            "The signature is right, but AccountSid is not TWILIO_ACCOUNT_SID: set "
            "TWILIO_ACCOUNT_SID to the account whose number was texted (a subaccount has a SID "
            "and a token of its own)."
        ),
    ),
    Verdict.SMUGGLED: (
        Cause.FORGED,
        (
            "The signature is right, but a parameter holds the number or SID of another request: "
            "it was put together from a signed one, and refusing it is correct."
        ),
    ),
}

NOT_A_FORM = (
    Cause.FORM,
    (
        "The Content-Type is not application/x-www-form-urlencoded, so there is no form to "
        "verify: let the proxy pass on the body and its Content-Type as Twilio sent them."
    ),
)
SHORTENED = (
    Cause.SHORTENED,
    (
        "The body is shorter than its Content-Length says: capture it whole, or find what "
        "shortens it between Twilio and the service."
    ),
)
OTHER_ACCOUNT = (
    Cause.ACCOUNT,
    (
        "AccountSid is not TWILIO_ACCOUNT_SID, and each account or subaccount signs with its "
        "own token: set TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN to those of the account that"
        " was texted."
    ),
)
ANOTHER_SHARED_KEY = (
    Cause.ALGORITHM,
    (
        "The signature is one of HMAC_SHA256, made with a shared key that is not configured: "
        "set TWILIO_WEBHOOK_SHARED_KEY to the secret of the key in use."
    ),
)
ANOTHER_TOKEN = (
    Cause.TOKEN,
    (
        "No change of URL or form explains the signature, so TWILIO_AUTH_TOKEN is most likely"
        " not the account's primary token (a secondary one signs nothing until it is "
        "promoted): copy it again from the Twilio console."
    ),
)
NOT_A_SIGNATURE = (
    Cause.HEADER_DAMAGED,
    (
        "The X-Twilio-Signature header is not as long as a signature: let the proxy pass it "
        "on unchanged."
    ),
)

_ABOUT_FORM = {
    Cause.WHITESPACE: "whitespace in {who} was removed or changed after Twilio signed it: "
    "pass the form on without trimming anything",
    Cause.PLUS: "plus signs and spaces were mixed up in {who}: pass the body on as bytes, and "
    "decode + as a space and %2B as a plus sign, once",
    Cause.BLANKS: "the blank parameters are not those that Twilio signed ({who}): "
    "pass blank parameters on, and add none",
    Cause.ENCODING: "{who} was decoded and encoded again in another way: "
    "pass the body on as bytes, in UTF-8",
    Cause.EXTRA_PARAMETER: "the parameter {who} was added after Twilio signed: "
    "stop the proxy or gateway from adding it",
}
_ABOUT_KEY = {
    Cause.TOKEN_WHITESPACE: "TWILIO_AUTH_TOKEN has whitespace around it: remove it",
    Cause.ALGORITHM: "Twilio signed with the shared key, but the header "
    "X-Twilio-Webhooks-Signature-Settings does not say so: let the proxy pass that header on",
}
_DAMAGED = "the X-Twilio-Signature header was changed on the way: let the proxy pass it on as it is"
_WRONG_SETTINGS = (
    "Twilio signed with the auth token, but the header X-Twilio-Webhooks-Signature-Settings names "
    "another algorithm: stop the proxy from adding that header"
)


def sentence(finding: Finding, target: str, base_url: str) -> str:
    """One sentence: each thing that differs, and what to change.

    ``target`` is the path and query as they arrived, ``base_url`` is PUBLIC_BASE_URL.
    """
    clauses = [
        _about_base(finding.url, base_url),
        _about_target(finding.url, target, base_url),
        _ABOUT_FORM.get(finding.form.cause, "").format(who=finding.form.about or "the form"),
        _ABOUT_KEY.get(finding.key.cause, ""),
        _DAMAGED if finding.is_damaged else "",
    ]
    text = "; also, ".join(filter(None, clauses)) or _WRONG_SETTINGS
    return text[0].upper() + text[1:] + "."


def _about_base(url: UrlVariant, base_url: str) -> str:
    if url.base in base_variants(base_url):
        return ""
    better = ""
    if url.base.startswith("http:") and base_url.startswith("https:"):
        better = ", or better, enter the https address in the Twilio console"
    return (
        f"Twilio signed {url.base}{_shown(url.target)}, but PUBLIC_BASE_URL is {base_url}: "
        f"set PUBLIC_BASE_URL={url.base}{better}"
    )


def _about_target(url: UrlVariant, target: str, base_url: str) -> str:
    if url.target == target:
        return ""
    signed_path, _, signed_query = url.target.partition("?")
    path, _, query = target.partition("?")
    advice = f"or enter {base_url.rstrip('/')}{_shown(target)} as the webhook in the Twilio console"
    if signed_path != path:
        return (
            f"Twilio signed the path {_shown(signed_path)}, but it arrived as {_shown(path)}: "
            f"stop the proxy from changing it, {advice}"
        )
    if signed_query and sorted(_names(signed_query)) == sorted(_names(query)):
        return (
            f"Twilio signed the query of {_shown(path)} in another order or encoding than it "
            f"arrived in: pass the query on as it came"
        )
    with_query = f"with the query ?{_names_only(signed_query)}" if signed_query else "with no query"
    arrived = f"with ?{_names_only(query)}" if query else "with none"
    return (
        f"Twilio signed {_shown(path)} {with_query}, but it arrived {arrived}: "
        f"stop the proxy from changing it, {advice}"
    )


def _shown(target: str) -> str:
    """A target without the values of its query and without long numbers."""
    path, mark, query = target.partition("?")
    return _MANY_DIGITS.sub("…", path) + mark + _names_only(query)


def _names_only(query: str) -> str:
    return "&".join(f"{_MANY_DIGITS.sub('…', name)}=…" for name in _names(query))


def _names(query: str) -> list[str]:
    return [pair.partition("=")[0] for pair in query.split("&") if pair]
