"""A shop for tests: signs payloads as Shopify does, and posts them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import itertools
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

SECRET: Final = "shpss_0123456789abcdef0123456789abcdef"
OLD_SECRET: Final = "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"
DOMAIN: Final = "acme.myshopify.com"
TOPIC: Final = "customers_marketing_consent/update"
_PAYLOADS: Final = Path(__file__).parent / "payloads"
_ids = itertools.count(1)


def payload(name: str, at: datetime | None = None, **over: Any) -> dict[str, Any]:
    """A payload as Shopify sends it; ``at`` is when the person changed their mind, lately if None.

    The files hold a moment of their own, which would be too old one day.
    """
    said: dict[str, Any] = json.loads((_PAYLOADS / f"{name}.json").read_text())
    consent = said["sms_marketing_consent"]
    if consent["consent_updated_at"] is not None:
        moment = at or datetime.now(UTC) - timedelta(minutes=1)
        consent["consent_updated_at"] = moment.isoformat()
    return said | over


def sign(body: bytes, secret: str = SECRET) -> str:
    """The signature of a raw body."""
    return base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()


@dataclass
class ShopifySide:
    """What Shopify does: it posts, and posts again."""

    client: FlaskClient

    def post(self, body: Any, *, secret: str = SECRET, **headers: str | None) -> TestResponse:
        """One delivery. ``headers`` replace the usual ones, None leaves one out."""
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        usual: dict[str, str | None] = {
            "X-Shopify-Hmac-SHA256": sign(raw, secret),
            "X-Shopify-Webhook-Id": f"b54557e4-bdd9-4b37-8a5f-{next(_ids):012}",
            "X-Shopify-Topic": TOPIC,
            "X-Shopify-Shop-Domain": DOMAIN,
            "X-Shopify-API-Version": "2026-10",
            "X-Shopify-Event-Id": "98880550-7158-44d4-b7cd-2c97c8a091b5",
        }
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        sent = {n: v for n, v in (usual | given).items() if v is not None}
        return self.client.post(
            "/webhooks/shopify", data=raw, content_type="application/json", headers=sent
        )

    def said(self, body: Any, **headers: str | None) -> str:
        """What became of a delivery that is taken."""
        answer = self.post(body, secret=SECRET, **headers)
        assert answer.status_code == 200, answer.get_data(as_text=True)
        return answer.get_data(as_text=True)
