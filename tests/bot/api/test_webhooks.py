"""Endpoints of a shop's own systems through the API."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from storage.keys import Scope
from storage.transaction import transaction
from tests.bot.api.conftest import Client, Database, fields, make_app, make_key
from tests.bot.api.test_openapi import delivered

HOOK: dict[str, Any] = {"url": "https://shop.example/hook", "events": ["order.credited"]}


def test_an_endpoint_shows_its_secret_once(client: Client) -> None:
    """Whoever sets it up keeps it; afterwards nobody sees it again."""
    made = client.post("webhooks", HOOK, 201)

    assert made["secret"].startswith("whsec_")
    assert made["description"] == "endpoint"
    (shown,) = client.get("webhooks")["items"]
    assert shown["secret"] is None
    assert shown["events"] == ["order.credited"]


@pytest.mark.parametrize(
    "url", ["http://shop.example/", "https://user:pw@shop.example/", "https://x:1/", "ftp://x/ab"]
)
def test_an_address_that_may_not_be_reached_is_refused(client: Client, url: str) -> None:
    """With a reason, and without a row."""
    assert fields(client.post("webhooks", HOOK | {"url": url}, 422)) == {"url"}
    assert client.get("webhooks")["items"] == []


def test_this_machine_may_be_told_where_things_are_tried_out(database: Database) -> None:
    """With the simulator only."""
    trying = replace(database, simulated=True)
    client = Client(make_app(trying), make_key(database, Scope.ADMIN))

    client.post("webhooks", HOOK | {"url": "http://127.0.0.1:9999/hook"}, 201)


def test_an_endpoint_is_stopped_started_and_told_of_other_things(client: Client) -> None:
    """A stop is by hand; a start also lifts one that followed failures."""
    key = client.post("webhooks", HOOK, 201)["id"]

    stopped = client.patch(f"webhooks/{key}", {"enabled": False})
    assert stopped["disabled_reason"] == "by hand"
    started = client.patch(
        f"webhooks/{key}", {"enabled": True, "events": ["link.clicked", "consent.changed"]}
    )
    assert started["disabled_at"] is None
    assert started["events"] == ["consent.changed", "link.clicked"]
    client.patch("webhooks/77", {"enabled": True}, 404)


def test_a_delivery_is_seen_and_sent_again(client: Client, database: Database) -> None:
    """Once over; while it waits it cannot be hurried twice."""
    endpoint = client.post("webhooks", HOOK, 201)["id"]
    key = delivered(database, endpoint)

    (shown,) = client.get(f"webhooks/{endpoint}/deliveries")["items"]
    assert (shown["id"], shown["state"], shown["body"]) == (key, "failed", "{}")
    assert client.post(f"webhooks/deliveries/{key}/replay", None) == {"id": key, "state": "pending"}
    client.post(f"webhooks/deliveries/{key}/replay", None, 409)
    client.post("webhooks/deliveries/x/replay", None, 404)
    with transaction(database.sessions) as work:
        ((acts,),) = work.connection.execute(
            "SELECT array_agg(act ORDER BY id) FROM audit_log WHERE act LIKE 'webhook.%'"
        ).fetchall()
    assert acts == ["webhook.created", "webhook.replayed"]
