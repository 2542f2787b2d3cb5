"""What the demo shop's server asks of Assent: the admin API over HTTP, with a key of its own.

It knows nothing that any shop's server could not know; there is no other way from the shop to the
service.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import urllib3

from bot.simulator.config import Config
from bot.simulator.shop_key import read_key

MERCHANT: Final = "acme-demo"
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=15)
_PAGE: Final = 200
_MOST_PAGES: Final = 25


class ShopApiError(Exception):
    """The API did not do what was asked; the message is a sentence for whoever tries the demo."""


class ShopApi:
    """The calls. Thread-safe."""

    def __init__(self, config: Config) -> None:
        self._base = f"{config.service_url}/api/v1/"
        self._key: Path | None = config.shop_key
        self._pool = urllib3.PoolManager(num_pools=1, maxsize=8, retries=False, timeout=_TIMEOUT)

    def place(self, order: Mapping[str, Any]) -> dict[str, Any]:
        """Tell of an order; answers it as Assent has it, with its credit."""
        return self._call("POST", "conversions", {"merchant": MERCHANT, **order})

    def refund(self, order_id: str, change_id: str, amount_minor: int) -> dict[str, Any]:
        """Tell that money was given back for an order. The same ``change_id`` counts once."""
        change = {
            "merchant": MERCHANT,
            "order_id": order_id,
            "kind": "refunded",
            "change_id": change_id,
            "amount_minor": amount_minor,
        }
        return self._call("POST", "conversions/changes", change)

    def order(self, key: int) -> dict[str, Any]:
        """One order by the number that Assent gave it."""
        return self._call("GET", f"conversions/{key}")

    def orders(self) -> list[dict[str, Any]]:
        """Orders of the demo shop, newest first."""
        found: list[dict[str, Any]] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            page = self._call("GET", f"conversions?limit={_PAGE}{cursor}")
            found += [order for order in page["items"] if order["merchant"] == MERCHANT]
            if page["next"] is None:
                break
            cursor = f"&cursor={page['next']}"
        return found[::-1]

    def sales(self) -> list[dict[str, Any]]:
        """The newest campaigns."""
        items: list[dict[str, Any]] = self._call("GET", "campaigns?limit=5")["items"]
        return items

    def report(self, campaign: int) -> dict[str, Any]:
        """What came of a campaign."""
        return self._call("GET", f"campaigns/{campaign}/report")

    def send(self, campaign: Mapping[str, Any]) -> dict[str, Any]:
        """Make a campaign and launch it at once."""
        return self._call("POST", "campaigns", {**campaign, "launch": True})

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _call(
        self, method: str, path: str, body: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        key = read_key(self._key)
        if key is None:
            raise ShopApiError("The shop has no key of the API yet. Run: assent demo")
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        content = None if body is None else json.dumps(body).encode()
        try:
            answer = self._pool.request(method, self._base + path, body=content, headers=headers)
        except urllib3.exceptions.HTTPError as error:
            raise ShopApiError("Assent does not answer. Is it running?") from error
        return _read(answer.status, answer.data)


def _read(status: int, data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
    except ValueError:
        told = None
    if not isinstance(told, dict):
        raise ShopApiError(f"Assent answered with HTTP {status} and no JSON.")
    if status == 401:
        raise ShopApiError("Assent does not know the shop's key. Run: assent demo")
    if status >= 400:
        errors = [str(each.get("message") or each.get("detail")) for each in told.get("errors", ())]
        sentence = str(told.get("detail") or told.get("title") or f"HTTP {status}")
        raise ShopApiError(" ".join([f"Assent says: {sentence}", *errors]))
    return told
