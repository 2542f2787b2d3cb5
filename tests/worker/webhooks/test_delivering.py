"""What happened reaches the shop's own system: signed, once or again with the same id."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
import standardwebhooks

from storage import webhooks
from storage.transaction import atomic
from storage.webhooks import Event
from tests.worker.scene import ANNA, Scene
from worker.policy import webhook_signing
from worker.webhooks import delivering, feeding

KEY = "a secret key of the tests, 32 b."
SECRET = webhook_signing.secret(b"0123456789abcdef0123456789abcdef")


@dataclass
class Shop:
    """A shop's own system: remembers what it got, answers as it is told."""

    status: int = 200
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    url: str = ""


@pytest.fixture
def shop() -> Iterator[Shop]:
    """Listening on this machine."""
    shop = Shop()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            shop.got.append((dict(self.headers), body))
            self.send_response(shop.status)
            self.send_header("Location", "http://127.0.0.1:1/elsewhere")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    shop.url = f"http://127.0.0.1:{server.server_port}/hook"
    yield shop
    server.shutdown()
    server.server_close()
    thread.join()


def endpoint(scene: Scene, url: str, *events: Event) -> int:
    """An endpoint that wants these events."""
    ((key,),) = scene.connection.execute(
        "INSERT INTO webhook_endpoints (url, events, secret, description, created_by)"
        " VALUES (%s, %s, %s, 'test', 'tests') RETURNING id",
        (url, [str(e) for e in events], webhooks.sealed(KEY, SECRET)),
    ).fetchall()
    return int(key)


def deliver(scene: Scene) -> int:
    """One round of a courier that may reach this machine."""
    return delivering.Courier(KEY, local=True).deliver(scene.connection)


def tell(scene: Scene, event: Event = Event.ORDER, **data: Any) -> None:
    """Something happens."""
    with atomic(scene.connection):
        feeding.tell(scene.connection, event, [(None, scene.now(), data)])


def row(scene: Scene) -> dict[str, Any]:
    """The one delivery there is."""
    ((key,),) = scene.connection.execute("SELECT id FROM webhook_deliveries").fetchall()
    found = webhooks.get(scene.connection, key)
    assert found is not None
    return found


def test_a_delivery_is_verified_by_the_standards_own_library(scene: Scene, shop: Shop) -> None:
    """Whoever has the secret, and only they, can tell that it is ours."""
    endpoint(scene, shop.url, Event.ORDER)
    tell(scene, order="#1", name="Zoë")

    assert deliver(scene) == 1

    ((headers, body),) = shop.got
    document = standardwebhooks.Webhook(SECRET).verify(body, headers)
    assert document["type"] == "order.credited"
    assert document["data"] == {"order": "#1", "name": "Zoë"}
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(SECRET).verify(body + b" ", headers)
    assert row(scene)["state"] == "delivered"
    assert deliver(scene) == 0


def test_a_failure_is_tried_again_with_the_same_id_until_it_is_enough(
    scene: Scene, shop: Shop
) -> None:
    """Ten attempts over three days; then it is failed, and can be replayed by hand."""
    endpoint(scene, shop.url, Event.ORDER)
    tell(scene, order="#1")
    shop.status = 500
    for _ in range(len(webhook_signing.WAITS) + 1):
        assert row(scene)["state"] == "pending"
        assert deliver(scene) == 1
        assert deliver(scene) == 0
        scene.connection.execute("UPDATE webhook_deliveries SET next_at = assent_now()")

    assert (row(scene)["state"], row(scene)["status"]) == ("failed", 500)
    assert deliver(scene) == 0
    shop.status = 204
    assert webhooks.replay(scene.connection, row(scene)["id"])
    assert not webhooks.replay(scene.connection, row(scene)["id"])
    assert deliver(scene) == 1
    assert row(scene)["state"] == "delivered"
    assert len({headers["webhook-id"] for headers, _ in shop.got}) == 1


def test_a_redirect_is_not_followed(scene: Scene, shop: Shop) -> None:
    """It is a failure like any other answer that is no 2xx."""
    endpoint(scene, shop.url, Event.ORDER)
    tell(scene)
    shop.status = 307

    deliver(scene)

    assert (row(scene)["state"], row(scene)["status"]) == ("pending", 307)
    assert len(shop.got) == 1


def test_an_endpoint_inside_gets_nothing_without_the_simulator(scene: Scene, shop: Shop) -> None:
    """Even when its row is there, from days when it was allowed."""
    endpoint(scene, shop.url, Event.ORDER)
    tell(scene)

    delivering.Courier(KEY).deliver(scene.connection)

    assert shop.got == []
    assert row(scene)["error"] == "Use an https address."


def test_an_endpoint_that_fails_for_days_is_stopped(scene: Scene, shop: Shop) -> None:
    """Nobody is called for ever who has gone; what waits is kept."""
    key = endpoint(scene, shop.url, Event.ORDER)
    tell(scene)
    shop.status = 410
    deliver(scene)
    scene.connection.execute(
        "UPDATE webhook_endpoints SET failing_since = failing_since - interval '6 days'"
    )
    scene.connection.execute("UPDATE webhook_deliveries SET next_at = assent_now()")
    deliver(scene)

    ((reason,),) = scene.connection.execute(
        "SELECT disabled_reason FROM webhook_endpoints WHERE id = %s", (key,)
    ).fetchall()
    assert reason == "failing"
    scene.connection.execute("UPDATE webhook_deliveries SET next_at = assent_now()")
    assert deliver(scene) == 0


def test_consent_is_told_of_once_and_from_now_on(scene: Scene, shop: Shop) -> None:
    """By the ledger's leaves; what happened before anybody wanted to know is not."""
    scene.hear(ANNA, "JOIN")
    leaf(scene)
    endpoint(scene, shop.url, Event.CONSENT)
    assert feeding.feed(scene.connection) == 0
    scene.hear(ANNA, "YES")
    leaf(scene)

    assert feeding.feed(scene.connection) == 1
    assert feeding.feed(scene.connection) == 0

    deliver(scene)
    ((_, body),) = shop.got
    data = json.loads(body)["data"]
    assert (data["phone"], data["change"], data["after"]) == (ANNA, "optin_confirmed", "subscribed")
    assert data["erased"] is False


def test_after_an_erasure_there_is_no_number_to_tell(scene: Scene, shop: Shop) -> None:
    """What stands in the number's place is our own affair; the shop hears that they are gone."""
    endpoint(scene, shop.url, Event.CONSENT, Event.DELIVERY)
    feeding.feed(scene.connection)
    scene.hear(ANNA, "JOIN")
    person = scene.id_of(ANNA)
    message = "(SELECT id FROM messages ORDER BY created_at LIMIT 1)"
    scene.connection.execute(
        "INSERT INTO delivery_reports (sid, status, rank, at, message_id)"
        f" VALUES ('SM1', 'sent', 3, assent_now() - interval '20 s', {message})"
    )
    scene.connection.execute(
        "UPDATE subscribers SET phone = 'erased:' || ref WHERE id = %s", (person,)
    )
    leaf(scene)

    assert feeding.feed(scene.connection) == 2

    rows = scene.connection.execute("SELECT body FROM webhook_deliveries").fetchall()
    told = [json.loads(body)["data"] for (body,) in rows]
    assert [(data["phone"], data["erased"]) for data in told] == [(None, True)] * 2
    assert all(b"erased:" not in body for (body,) in rows)


def leaf(scene: Scene) -> None:
    """Make leaves of entries, as the sealer does."""
    scene.connection.execute(
        "INSERT INTO ledger_leaves (leaf, event, hash) SELECT coalesce((SELECT max(leaf) FROM"
        " ledger_leaves), -1) + row_number() OVER (ORDER BY seq), event, hash"
        " FROM consent_events e WHERE NOT EXISTS (SELECT FROM ledger_leaves l"
        " WHERE l.event = e.event)"
    )


def test_delivery_is_told_of_in_order(scene: Scene, shop: Shop) -> None:
    """Each report of the carrier once, as soon as none before it can still turn up."""
    report(scene, "queued", age=20)
    endpoint(scene, shop.url, Event.DELIVERY)
    assert feeding.feed(scene.connection) == 0
    report(scene, "sent", age=1)  # numbered first, though its time is later: a slow neighbour
    report(scene, "delivered", age=11)
    report(scene, "read", age=1)

    assert feeding.feed(scene.connection) == 2
    assert feeding.feed(scene.connection) == 0
    with clock_ahead(scene, "10 s"):
        assert feeding.feed(scene.connection) == 1
        assert feeding.feed(scene.connection) == 0
        deliver(scene)

    assert len(shop.got) == 3
    rows = scene.connection.execute("SELECT body FROM webhook_deliveries ORDER BY id").fetchall()
    statuses = [json.loads(body)["data"]["status"] for (body,) in rows]
    assert statuses == ["sent", "delivered", "read"]


def report(scene: Scene, status: str, *, age: float) -> None:
    """A status of one text that came so many seconds ago."""
    scene.connection.execute(
        "INSERT INTO delivery_reports (sid, status, rank, at)"
        " VALUES ('SM1', %s, 3, assent_now() - make_interval(secs => %s))",
        (status, age),
    )


@contextmanager
def clock_ahead(scene: Scene, offset: str) -> Iterator[None]:
    """The database's clock is ahead on this connection."""
    scene.connection.execute("SELECT set_config('assent.clock_offset', %s, false)", (offset,))
    yield
    scene.connection.execute("SELECT set_config('assent.clock_offset', '', false)")


def test_nobody_who_wants_nothing_costs_anything(scene: Scene) -> None:
    """Without endpoints nothing is queued."""
    tell(scene)
    feeding.feed(scene.connection)

    ((count,),) = scene.connection.execute("SELECT count(*) FROM webhook_deliveries").fetchall()
    assert count == 0


def test_the_secret_is_not_in_the_database_in_clear(scene: Scene, shop: Shop) -> None:
    """A dump lets nobody sign in our name."""
    endpoint(scene, shop.url, Event.ORDER)

    ((kept,),) = scene.connection.execute("SELECT secret FROM webhook_endpoints").fetchall()

    assert SECRET.encode() not in kept
    assert webhooks.opened(KEY, kept) == SECRET
