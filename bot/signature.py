"""Refuse what Twilio did not sign.

Twilio signs the URL it called followed by every parameter, sorted by name, name and value joined
without separators: HMAC-SHA1 keyed with the account's auth token, or HMAC-SHA256 keyed with a
shared key where the ``X-Twilio-Webhooks-Signature-Settings`` header says so ("Validating
requests", Twilio docs). This module gives the same answers as ``twilio.request_validator`` in a
tenth of its time, and is stricter where the scheme is weak: the URL is built from
``PUBLIC_BASE_URL`` and never from a request header, the account must be ours, and a request that
holds the remains of another one is refused.
"""

from __future__ import annotations

import hmac
import re
from binascii import b2a_base64
from enum import StrEnum
from itertools import chain
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SIGNATURE_HEADER = "X-Twilio-Signature"
SETTINGS_HEADER = "X-Twilio-Webhooks-Signature-Settings"
HMAC_SHA1 = "HMAC_SHA1"
HMAC_SHA256 = "HMAC_SHA256"

_DIGESTS = {HMAC_SHA1: "sha1", HMAC_SHA256: "sha256"}
_DEFAULT_PORTS = {"http": 80, "https": 443}
# Someone who chose the text of one signed request can cut it elsewhere: their words become From
# and MessageSid, and the true ones end up somewhere in the parameters behind. No separators means
# no cut can hide them from a search over the joined text (reliability T1).
_REMAINS = re.compile(r"MessageSid(?:SM|MM)[0-9a-f]{32}|From(?:[a-z]+:)?\+[0-9]{7}")
_OF_THIS_REQUEST = ("From", "MessageSid", "SmsMessageSid", "OriginalRepliedMessageSid")
_MENTIONING = frozenset((*_OF_THIS_REQUEST, "FromCity", "FromState", "FromZip", "FromCountry"))


class Verdict(StrEnum):
    """What became of a signature. Only OK is true."""

    OK = "ok"
    MISSING = "missing"
    NOT_ASCII = "not_ascii"
    UNSUPPORTED_ALGORITHM = "unsupported_algorithm"
    NO_SHARED_KEY = "no_shared_key"
    MISMATCH = "mismatch"
    ACCOUNT = "account"
    SMUGGLED = "smuggled"

    def __bool__(self) -> bool:
        return self is Verdict.OK


class Verifier:
    """Checks the signatures of one account's webhooks; shared by all threads.

    ``base_url`` is PUBLIC_BASE_URL; ``tokens`` are the auth tokens accepted, the current one
    first and during a rotation the previous one; ``shared_key`` is the secret of HMAC-SHA256.
    Raises ValueError for no token, an empty secret or a URL that Twilio cannot call.
    """

    __slots__ = ("_account_sid", "_prefixes", "_shared_keys", "_tokens")

    def __init__(
        self,
        base_url: str,
        account_sid: str,
        tokens: Sequence[str],
        shared_key: str | None = None,
    ) -> None:
        if not tokens:
            # With an empty key anybody can sign.
            raise ValueError("A Twilio auth token is needed to verify signatures.")
        if not account_sid:
            raise ValueError("The Twilio account SID is needed to verify signatures.")
        self._prefixes = tuple(prefix.encode() for prefix in base_variants(base_url))
        self._account_sid = account_sid
        self._tokens = tuple(_key(token) for token in tokens)
        self._shared_keys = () if shared_key is None else (_key(shared_key),)

    def verify(
        self,
        target: str,
        params: Mapping[str, str],
        signature: str | None,
        settings: str | None = None,
    ) -> Verdict:
        """Whether Twilio signed these parameters for this target.

        ``target`` is the request's raw path and query, as the client sent them; ``params`` come
        from ``forms.parse_form``, which refuses odd and repeated names; ``signature`` and
        ``settings`` are the two headers, None where absent. Never raises.
        """
        if not signature:
            return Verdict.MISSING
        if not signature.isascii():
            return Verdict.NOT_ASCII
        algorithm = algorithm_of(settings) if settings else HMAC_SHA1
        if algorithm not in _DIGESTS:
            return Verdict.UNSUPPORTED_ALGORITHM
        keys = self._tokens if algorithm == HMAC_SHA1 else self._shared_keys
        if not keys:
            return Verdict.NO_SHARED_KEY
        tail = _tail(target, params)
        if tail is None or not self._signed(tail, signature.encode(), keys, _DIGESTS[algorithm]):
            return Verdict.MISMATCH
        if params.get("AccountSid") != self._account_sid:
            return Verdict.ACCOUNT
        return Verdict.SMUGGLED if _holds_remains(tail, params) else Verdict.OK

    def _signed(self, tail: bytes, given: bytes, keys: tuple[bytes, ...], digest: str) -> bool:
        for key in keys:
            for prefix in self._prefixes:
                if hmac.compare_digest(_digest(key, prefix + tail, digest), given):
                    return True
        return False


def sign(url: str, params: Mapping[str, str], secret: str, algorithm: str = HMAC_SHA1) -> str:
    """The signature Twilio gives to a form posted to ``url``, in base64.

    Raises ValueError where ``algorithm`` is neither HMAC_SHA1 nor HMAC_SHA256, or where the
    text cannot be bytes (a surrogate that does not stand for one).
    """
    tail = _tail(url, params)
    if algorithm not in _DIGESTS or tail is None:
        raise ValueError("This cannot be signed.")
    return _digest(secret.encode(), tail, _DIGESTS[algorithm]).decode()


def algorithm_of(settings: str) -> str:
    """The algorithm in a settings header (``key=…,algorithm=HMAC_SHA256``), in capitals."""
    for part in settings.split(","):
        name, _, value = part.partition("=")
        if name.strip() == "algorithm" and value.strip():
            return value.strip().upper()
    return HMAC_SHA1


def base_variants(base_url: str) -> tuple[str, ...]:
    """The base as configured, then the same with and without its port.

    Twilio's back end is not consistent about the port, so its own library tries both.
    Raises ValueError for anything but http(s)://host[:port][/path].
    """
    parts = urlsplit(base_url)
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname:
        raise ValueError("The base URL must be http://… or https://… with a host.")
    if "@" in parts.netloc or "?" in base_url or "#" in base_url:
        raise ValueError("The base URL must not hold a password, a query or a fragment.")
    port = parts.port or _DEFAULT_PORTS[parts.scheme]
    host = parts.netloc.removesuffix(f":{parts.port}") if parts.port else parts.netloc
    path = parts.path.rstrip("/")
    netlocs = (parts.netloc, host, f"{host}:{port}")
    return tuple(dict.fromkeys(f"{parts.scheme}://{netloc}{path}" for netloc in netlocs))


def _key(secret: str) -> bytes:
    if not secret.strip():
        raise ValueError("An auth token or shared key is empty: anybody could sign with it.")
    return secret.encode()


def _tail(target: str, params: Mapping[str, str]) -> bytes | None:
    """The signed bytes; None for text that no request can hold.

    A lone "?" at the end is no query, as in Twilio's own library.
    """
    text = target.removesuffix("?") + "".join(chain.from_iterable(sorted(params.items())))
    try:
        return text.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return None


def _digest(key: bytes, message: bytes, digest: str) -> bytes:
    return b2a_base64(hmac.digest(key, message, digest), newline=False)


def _holds_remains(tail: bytes, params: Mapping[str, str]) -> bool:
    """Whether another request's number or SID lies anywhere but in the text itself."""
    mentions = tail.count(b"From") + tail.count(b"MessageSid")
    if mentions == len(_MENTIONING.intersection(params)):
        return False
    joined = "".join(name + value for name, value in sorted(params.items()) if name != "Body")
    own = sum(bool(_REMAINS.search(name + params.get(name, ""))) for name in _OF_THIS_REQUEST)
    return len(_REMAINS.findall(joined)) > own
