"""What is taken from Shopify: genuine, once, from our shops; and nothing is written otherwise."""

from __future__ import annotations

import json
import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import Assent, create_app
from bot.resources import Resources
from bot.shopify.deliveries import genuine
from storage import shopify
from tests.bot.shopify.shop import OLD_SECRET, SECRET, ShopifySide, payload, sign

TABLES = ("shopify_deliveries", "subscribers", "consent_events", "messages", "disclosure_versions")


def rows(resources: Resources) -> dict[str, int]:
    """How many rows there are in everything that a delivery may write."""
    with resources.work() as work:
        counts = {}
        for table in TABLES:
            ((count,),) = work.connection.execute(f"SELECT count(*) FROM {table}").fetchall()
            counts[table] = int(count)
    return counts


def deliveries(resources: Resources) -> list[tuple[str, str]]:
    """Topic and result of what was taken, in order."""
    with resources.work() as work:
        return work.connection.execute(
            "SELECT topic, result FROM shopify_deliveries ORDER BY received_at"
        ).fetchall()


BODY = json.dumps(payload("subscribed")).encode()


@pytest.mark.parametrize(
    ("body", "over", "status"),
    [
        pytest.param(BODY, {"X_Shopify_Hmac_SHA256": None}, 401, id="no signature"),
        pytest.param(BODY, {"X_Shopify_Hmac_SHA256": ""}, 401, id="empty signature"),
        pytest.param(BODY, {"X_Shopify_Hmac_SHA256": "not base64!"}, 401, id="no base64"),
        pytest.param(BODY, {"X_Shopify_Hmac_SHA256": sign(BODY)[:-4]}, 401, id="cut"),
        pytest.param(BODY, {"X_Shopify_Hmac_SHA256": sign(BODY + b" ")}, 401, id="other body"),
        pytest.param(BODY, {"X_Shopify_Hmac_SHA256": sign(BODY, "x" * 32)}, 401, id="other secret"),
        pytest.param(
            BODY,
            {"X_Shopify_Hmac_SHA256": bytes.fromhex("00" * 32).hex()},
            401,
            id="hexadecimal as in other webhooks",
        ),
        pytest.param(BODY, {"X_Shopify_Webhook_Id": None}, 400, id="no id"),
        pytest.param(BODY, {"X_Shopify_Webhook_Id": "a b"}, 400, id="id of two words"),
        pytest.param(BODY, {"X_Shopify_Webhook_Id": "x" * 129}, 400, id="long id"),
        pytest.param(BODY, {"X_Shopify_Topic": None}, 400, id="no topic"),
        pytest.param(BODY, {"X_Shopify_Topic": "'; --"}, 400, id="no topic either"),
        pytest.param(BODY, {"X_Shopify_Shop_Domain": None}, 400, id="no shop"),
        pytest.param(BODY, {"X_Shopify_Shop_Domain": "evil.example"}, 400, id="not of Shopify"),
        pytest.param(BODY, {"X_Shopify_Shop_Domain": "other.myshopify.com"}, 403, id="stranger"),
        pytest.param(b"", {}, 400, id="empty"),
        pytest.param(b"{", {}, 400, id="no JSON"),
        pytest.param(b"[1]", {}, 400, id="no object"),
        pytest.param(b"[" * 100_000, {}, 400, id="deep"),
        pytest.param(b"\xff\xfe", {}, 400, id="no text"),
        pytest.param(b"{}", {}, 422, id="another payload"),
        pytest.param(b'{"sms_marketing_consent": null}', {}, 422, id="no consent in it"),
        pytest.param(b'{"sms_marketing_consent": {"state": 1}}', {}, 422, id="no state"),
        pytest.param(
            b'{"sms_marketing_consent": {"state": "subscribed", "consent_updated_at": "soon"}}',
            {},
            422,
            id="no moment",
        ),
        pytest.param(BODY, {"X_Shopify_Triggered_At": "yesterday"}, 422, id="no trigger"),
        pytest.param(b'{"a": "' + b"x" * 1_100_000 + b'"}', {}, 413, id="too large"),
    ],
)
def test_what_is_not_taken_writes_nothing(
    shop: ShopifySide,
    resources: Resources,
    caplog: pytest.LogCaptureFixture,
    body: bytes,
    over: dict[str, str | None],
    status: int,
) -> None:
    """The status says why; log and answer repeat no value."""
    before = rows(resources)
    with caplog.at_level(logging.WARNING):
        answer = shop.post(body, secret=SECRET, **over)
    assert answer.status_code == status
    assert rows(resources) == before
    assert "4155550123" not in caplog.text + answer.get_data(as_text=True)


@pytest.mark.parametrize("secret", [SECRET, OLD_SECRET], ids=["new", "old"])
def test_both_secrets_count_while_one_is_rotated(shop: ShopifySide, secret: str) -> None:
    """Shopify takes up to an hour to sign with the new one."""
    assert shop.post(payload("pending"), secret=secret).status_code == 200


def test_without_a_secret_nothing_is_genuine(resources: Resources) -> None:
    """Not even what is signed with an empty one."""
    assert not genuine((), BODY, sign(BODY, ""))
    bare = create_app(
        resources.settings.__class__.from_environment(
            {
                "ASSENT_HOME": str(resources.settings.home),
                "DATABASE_URL": resources.settings.database_url or "",
            }
        )
    )
    assert ShopifySide(bare.test_client()).post(BODY).status_code == 401


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(at=st.integers(0, len(BODY) - 1), bit=st.integers(0, 7))
def test_one_bit_changed_is_a_forgery(at: int, bit: int) -> None:
    """Whatever it changes in the meaning."""
    changed = bytearray(BODY)
    changed[at] ^= 1 << bit
    assert not genuine((SECRET,), bytes(changed), sign(BODY))
    assert genuine((SECRET,), BODY, sign(BODY))


def test_the_same_delivery_counts_once(shop: ShopifySide, resources: Resources) -> None:
    """Shopify tries again with the same id, for hours."""
    assert shop.said(payload("subscribed"), X_Shopify_Webhook_Id="one") == "asked"
    before = rows(resources)
    assert shop.said(payload("subscribed"), X_Shopify_Webhook_Id="one") == "known"
    assert rows(resources) == before


def test_the_same_delivery_many_times_at_once_counts_once(
    service: Assent, resources: Resources
) -> None:
    """One is taken; the others wait for it and find it known."""
    barrier = threading.Barrier(4)

    def post(_: int) -> str:
        side = ShopifySide(service.test_client())
        barrier.wait()
        return side.said(payload("subscribed"), X_Shopify_Webhook_Id="one")

    with ThreadPoolExecutor(4) as helpers:
        said = sorted(helpers.map(post, range(4)))
    assert said == ["asked", "known", "known", "known"]
    assert rows(resources)["consent_events"] == 1


def test_a_delivery_that_was_refused_may_come_again(
    shop: ShopifySide, resources: Resources
) -> None:
    """Nothing is kept of it, so that a repeat after a repair is taken."""
    assert shop.post(b"{}", X_Shopify_Webhook_Id="one").status_code == 422
    assert shop.said(payload("pending"), X_Shopify_Webhook_Id="one") == "ignored.pending"


@pytest.mark.parametrize("topic", ["customers/redact", "app/uninstalled"])
def test_a_topic_that_nobody_handles_is_noted(
    shop: ShopifySide, resources: Resources, topic: str
) -> None:
    """200, or Shopify would drop the subscription."""
    assert shop.said({"id": 1}, X_Shopify_Topic=topic) == "ignored.topic"
    assert deliveries(resources) == [(topic, "ignored.topic")]


def test_both_names_of_the_topic_are_one(shop: ShopifySide, resources: Resources) -> None:
    """The changelog writes it one way, deliveries another; their order is one as well."""
    said = payload("subscribed")
    shop.said(said, X_Shopify_Topic="customers/marketing_consent_update")
    shop.said(said, X_Shopify_Topic="Customers_Marketing_Consent/Update")
    assert [topic for topic, _ in deliveries(resources)] == [
        "customers_marketing_consent/update",
        "customers_marketing_consent/update",
    ]
    assert [result for _, result in deliveries(resources)] == ["asked", "stale"]


def test_a_database_that_is_away_is_said_so(
    service: Assent, resources: Resources, monkeypatch: pytest.MonkeyPatch
) -> None:
    """503: Shopify tries again later."""

    def away(*_: Any) -> None:
        raise psycopg.OperationalError

    monkeypatch.setattr(shopify, "take", away)
    assert ShopifySide(service.test_client()).post(BODY).status_code == 503
