"""Signatures of webhooks to a shop's own systems, as Standard Webhooks writes them.

The signed content is ``<id>.<timestamp>.<body>``; the header is ``v1,<base64 of HMAC-SHA256>``
(standardwebhooks.com, specification 1.0). The receiver checks the signature, refuses old
timestamps, and takes each id once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from datetime import timedelta
from typing import Final

PREFIX: Final = "whsec_"
SECRET_BYTES: Final = 32
# After a failure: seconds, minutes, hours; in all about three days (Standard Webhooks' schedule).
WAITS: Final = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=14),
    timedelta(hours=20),
    timedelta(hours=24),
)


def secret(random: bytes) -> str:
    """A secret as it is shown, once, to whoever set the endpoint up."""
    return PREFIX + base64.b64encode(random).decode()


def sign(shown_secret: str, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The ``webhook-signature`` header for a body sent at ``timestamp`` (seconds since 1970)."""
    key = base64.b64decode(shown_secret.removeprefix(PREFIX))
    content = f"{webhook_id}.{timestamp}.".encode() + body
    return "v1," + base64.b64encode(hmac.digest(key, content, hashlib.sha256)).decode()


def headers(shown_secret: str, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """All headers of one attempt."""
    return {
        "Content-Type": "application/json",
        "User-Agent": "Assent-Webhooks/1",
        "webhook-id": webhook_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": sign(shown_secret, webhook_id, timestamp, body),
    }


def wait(attempts: int) -> timedelta | None:
    """How long to wait after so many failed attempts; None when it is enough."""
    return WAITS[attempts - 1] if attempts <= len(WAITS) else None
