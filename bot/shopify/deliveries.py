"""One delivery of Shopify: is it genuine, is it readable, what is in it.

Nothing here touches the database. The signature covers the raw body and nothing else: topic, shop
and id stand in headers that Shopify does not sign, so they are looked at only when the body is
genuine, and a shop must be on our list.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Final

from bot.resources import Resources
from storage.shopify import DOMAIN, ShopifyShop
from storage.transaction import Work

HMAC: Final = "X-Shopify-Hmac-SHA256"
WEBHOOK_ID: Final = "X-Shopify-Webhook-Id"
TOPIC: Final = "X-Shopify-Topic"
SHOP: Final = "X-Shopify-Shop-Domain"
TRIGGERED_AT: Final = "X-Shopify-Triggered-At"
_ID: Final = re.compile(r"[!-~]{1,128}")
_TOPIC: Final = re.compile(r"[a-z][a-z0-9_./]{0,79}")
_DOMAIN: Final = re.compile(DOMAIN)
# The changelog of 2025-01 writes the topic one way, deliveries another.
_ALIASES: Final[Mapping[str, str]] = {
    "customers/marketing_consent_update": "customers_marketing_consent/update"
}


class Fault(Enum):
    """Why a delivery is not taken; the value is the HTTP status of the answer."""

    FORGED = 401
    MALFORMED = 400
    STRANGER = 403
    BAD_PAYLOAD = 422


class NotTaken(Exception):
    """A delivery that is not taken; nothing is written. The message repeats no value."""

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault


@dataclass(frozen=True, slots=True)
class Envelope:
    """What the headers of a genuine delivery say. ``triggered_at`` may be missing."""

    webhook_id: str
    topic: str
    domain: str
    triggered_at: datetime | None


@dataclass(frozen=True, slots=True)
class Delivery:
    """A genuine delivery of a shop on our list: its envelope, its shop, its JSON object."""

    envelope: Envelope
    shop: ShopifyShop
    payload: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Done:
    """What became of a delivery: a stable name, and whose change it told of, made when."""

    result: str
    subscriber_id: int | None = None
    changed_at: datetime | None = None


# Finds a header by its name, however it is capitalised.
Header = Callable[[str], str | None]
Handler = Callable[[Work, Resources, Delivery], Done]


def genuine(secrets: Sequence[str], body: bytes, signature: str | None) -> bool:
    """Whether ``signature`` is the base64 HMAC-SHA256 of the raw body under one of our secrets."""
    try:
        given = base64.b64decode((signature or "").encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return False
    digests = [hmac.digest(secret.encode(), body, hashlib.sha256) for secret in secrets]
    return any(hmac.compare_digest(digest, given) for digest in digests)


def open_envelope(header: Header) -> Envelope:
    """What the headers say. Raises :class:`NotTaken` for one that is missing or malformed."""
    domain = (header(SHOP) or "").lower()
    topic = (header(TOPIC) or "").lower()
    webhook_id = header(WEBHOOK_ID) or ""
    for name, value, pattern in (
        (WEBHOOK_ID, webhook_id, _ID),
        (TOPIC, topic, _TOPIC),
        (SHOP, domain, _DOMAIN),
    ):
        if not pattern.fullmatch(value):
            raise NotTaken(Fault.MALFORMED, f"The header {name} is missing or malformed.")
    triggered_at = moment(header(TRIGGERED_AT))
    return Envelope(webhook_id, _ALIASES.get(topic, topic), domain, triggered_at)


def read_payload(body: bytes) -> Mapping[str, Any]:
    """The JSON object of a body. Raises :class:`NotTaken`."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        raise NotTaken(Fault.MALFORMED, "The body is not JSON.") from None
    if not isinstance(payload, dict):
        raise NotTaken(Fault.MALFORMED, "The body is not a JSON object.")
    return payload


def moment(written: object) -> datetime | None:
    """A moment as Shopify writes it ("2026-11-24T10:00:00-05:00"), in UTC; None for none.

    Raises :class:`NotTaken` for what is no moment with a zone.
    """
    if written is None or written == "":
        return None
    try:
        read = datetime.fromisoformat(str(written))
        if read.tzinfo is not None:
            return read.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise NotTaken(Fault.BAD_PAYLOAD, "A moment is not written as ISO 8601 with a zone.")
