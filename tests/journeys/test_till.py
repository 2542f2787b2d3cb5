"""At the till: one call of curl, a question on the customer's phone, YES, a welcome with a code.

Everything is real but the carrier: the service and the simulator listen on ports of their own, the
worker sends by Twilio's SDK, and the phone answers through the signed webhook.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pytest
import requests
from redis import Redis

from bot.app import Assent, create_app
from bot.demo import load_if_empty
from bot.resources import Resources
from bot.simulator.app import build
from bot.simulator.config import from_settings
from storage import keys
from storage.keys import Scope
from storage.settings import Settings
from storage.transaction import transaction
from tests.bot.simulator.service import Live
from worker.queues import SEND, queue
from worker.runtime import Runtime
from worker.sending import drain

ANNA = "+14155550123"
TILL = {
    "phone": "(415) 555-0123",
    "program": "deals",
    "method": "point_of_sale",
    "disclosure": "current",
    "evidence": {"gesture": "key_press", "store": "12", "register": "3", "clerk": "Ada"},
}


@dataclass
class Town:
    """A shop's service, a carrier, and a worker."""

    service: Live
    carrier: Live
    resources: Resources
    runtime: Runtime

    def key(self, *scopes: Scope) -> str:
        """A key of the admin API."""
        with transaction(self.resources.sessions) as work:
            return keys.create(work.session, "+".join(scopes), scopes)[0]

    def curl(self, key: str, path: str, body: Any = None, *more: str) -> Any:
        """What curl prints, as somebody would call it."""
        command = ["curl", "-sS", f"{self.service.url}/api/v1/{path}"]
        command += ["-H", f"Authorization: Bearer {key}", *more]
        if body is not None:
            command += ["-H", "Content-Type: application/json", "-d", json.dumps(body)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
        return json.loads(done.stdout)

    def rung(self) -> int:
        """How many wake-ups wait for the worker."""
        with Redis.from_url(self.runtime.settings.redis_url or "") as redis:
            return int(queue(SEND, redis).count)

    def phone(self) -> Sequence[str]:
        """The texts on Anna's phone, oldest first, whoever sent them."""
        answer = requests.get(
            f"{self.carrier.url}/simulator/phones/{ANNA}/messages", timeout=10
        ).json()
        return [message["body"] for message in answer["items"]]

    def text(self, body: str) -> str:
        """Anna texts the short code; the answer."""
        text = {"from": ANNA, "to": "54321", "body": body}
        answer = requests.post(f"{self.carrier.url}/simulator/texts", json=text, timeout=10)
        (reply,) = answer.json()["replies"]
        return str(reply["body"])


@pytest.fixture
def town(settings: Settings, database_url: str, redis_url: str) -> Iterator[Town]:
    """The demo shop, live."""
    load_if_empty(database_url)
    inner: list[Any] = []
    service = Live(lambda environ, start: inner[-1](environ, start))  # noqa: PLW0108 - made later
    ours = replace(
        settings, database_url=database_url, redis_url=redis_url, public_base_url=service.url
    )
    simulator = build(replace(from_settings(ours), folder=None, service_url=service.url))
    carrier = Live(simulator)
    ours = replace(ours, twilio_api_base_url=carrier.url)
    app: Assent = create_app(ours)
    inner.append(app)
    resources: Resources = app.extensions["assent"]
    runtime = Runtime(ours, "test worker")
    yield Town(service, carrier, resources, runtime)
    runtime.close()
    service.close()
    carrier.close()
    simulator.extensions["carrier"].close()
    resources.close()


def test_from_the_till_to_a_welcome_with_a_coupon(town: Town) -> None:
    """And the ledger shows the method, the time and the evidence."""
    boss, till = town.key(Scope.ADMIN), town.key(Scope.OPTIN)
    town.curl(boss, "coupons", {"pool": "welcome", "label": "10% off", "valid_days": 30})
    town.curl(boss, "coupons/welcome/codes", {"codes": ["TEA-7KXM", "TEA-9QRT"]})
    town.curl(boss, "programs/deals", {"coupon_pool": "welcome"}, "-X", "PATCH")

    answer = town.curl(till, "opt-ins", TILL, "-H", "Idempotency-Key: sale-4711")
    assert (answer["answer"], answer["state"]) == ("asked", "pending")
    assert town.curl(till, "opt-ins", TILL, "-H", "Idempotency-Key: sale-4711") == answer
    assert town.rung() == 1
    assert drain(town.runtime) == 1
    (question,) = town.phone()
    assert "Reply YES" in question

    welcome = town.text("YES")
    assert "Your code: TEA-7KXM (until" in welcome

    person = town.curl(boss, f"subscribers/{ANNA}")
    assert person["subscriptions"][0]["state"] == "subscribed"
    assert person["subscriptions"][0]["method"] == "point_of_sale"
    asked, confirmed = town.curl(boss, f"subscribers/{ANNA}/consent")["items"]
    assert (asked["change"], asked["method"]) == ("optin_requested", "point_of_sale")
    assert asked["evidence"]["store"] == "12"
    assert asked["evidence"]["gesture"] == "key_press"
    assert asked["evidence"]["disclosure"] == answer["disclosure"]
    assert asked["evidence"]["asked"]["text"] == question
    assert asked["occurred_at"] <= confirmed["occurred_at"]
    assert (confirmed["change"], confirmed["method"]) == ("optin_confirmed", "sms_keyword")
    (holder,) = town.curl(boss, "coupons/welcome/given")["items"]
    assert (holder["code"], holder["phone"]) == ("TEA-7KXM", ANNA)

    assert not any("TEA-" in town.text(body) for body in ("STOP", "JOIN", "YES"))
    assert town.curl(boss, "coupons/welcome")["free"] == 1


def test_what_was_said_elsewhere_ends_texts_at_once(town: Town) -> None:
    """A queued question does not go out after it."""
    till = town.key(Scope.OPTIN)
    town.curl(till, "opt-ins", TILL)
    ended = town.curl(till, f"subscribers/{ANNA}/opt-out", {"reason": "changed her mind"})
    assert ended["ended"] == ["deals"]
    drain(town.runtime)
    assert town.phone() == []
