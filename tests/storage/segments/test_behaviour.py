"""Segments by what people did: taps, orders, money, silence."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from bot.demo import load_if_empty
from storage.database import connect
from storage.segments.saved import Audience, read
from storage.settings import Settings
from tests import campaigns
from tests.storage.segments.test_saved import found, leaf
from tests.worker.scene import ANNA, BEN, CARL, Scene
from worker.campaigns.planning import plan_chunk

USD_50: dict[str, Any] = {"amount_minor": 5000, "currency": "USD"}
_CLICK = """
INSERT INTO clicks (id, at, campaign_id, recipient_id, subscriber_id, variant, link_number, method,
                    label, label_version)
VALUES (%s, assent_now() - make_interval(days => %s), 1, 1, %s, 0, 0, 'GET', %s, '1')
"""
_ORDER = """
INSERT INTO orders (merchant, order_id, ordered_at, amount_minor, currency, subscriber_id, source,
                    click_ids, coupons)
VALUES ('shop', %s, assent_now() - make_interval(days => %s), %s, %s, %s, 'api', '{}', '{}')
"""
_CHANGE = """
INSERT INTO order_changes (merchant, order_id, kind, change_id, amount_minor, at, source)
VALUES ('shop', %s, %s, '1', %s, assent_now(), 'api')
"""


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """Anna buys, Ben tapped long ago and returned what he bought, Carl was only scanned."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        scene = Scene(connection)
        for phone in (ANNA, BEN, CARL):
            scene.hear(phone, "JOIN", "YES")
        for table, column in (("inbound_texts", "received_at"), ("subscribers", "created_at")):
            connection.execute(f"UPDATE {table} SET {column} = {column} - interval '200 days'")
        anna, ben, carl = (scene.id_of(phone) for phone in (ANNA, BEN, CARL))
        for number, days, who, label in (
            (1, 3, anna, "human"),
            (2, 40, ben, "human"),
            (3, 1, carl, "agent.scanner"),
        ):
            connection.execute(_CLICK, (number, days, who, label))
        for name, days, amount, currency, who in (
            ("a1", 100, 3000, "USD", anna),
            ("a2", 10, 4500, "USD", anna),
            ("a3", 9, 900, "JPY", anna),
            ("b1", 50, 9900, "USD", ben),
            ("b2", 5, 9900, "USD", ben),
        ):
            connection.execute(_ORDER, (name, days, amount, currency, who))
        connection.execute(_CHANGE, ("a1", "refunded", 1000))
        connection.execute(_CHANGE, ("b2", "canceled", 0))
        connection.execute(_CHANGE, ("b1", "refunded", 99_999))
        yield scene


CASES = {
    "tapped lately": (leaf("clicked", "within_days", 7), {ANNA}),
    "tapped once": (leaf("clicked", "exists", value=True), {ANNA, BEN}),
    "a scanner is nobody's tap": (leaf("clicked", "not_within_days", 365), {CARL}),
    "ordered lately; canceled does not count": (leaf("ordered", "within_days", 30), {ANNA}),
    "ordered ever": (leaf("ordered", "exists", value=True), {ANNA, BEN}),
    "no orders": (leaf("orders", "is", 0), {CARL}),
    "one order": (leaf("orders", "is", 1), {BEN}),
    "several orders": (leaf("orders", "above", 1), {ANNA}),
    "fewer than three orders": (leaf("orders", "below", 3), {BEN, CARL}),
    "another number of orders": (leaf("orders", "is_not", 1), {ANNA, CARL}),
    "spent more, less refunds": (leaf("spent", "above", USD_50), {ANNA}),
    "spent less": (leaf("spent", "below", USD_50), {BEN, CARL}),
    "refunds take no more than there was": (
        leaf("spent", "above", {"amount_minor": 0, "currency": "USD"}),
        {ANNA},
    ),
    "exactly so much is not more": (
        leaf("spent", "above", {"amount_minor": 6500, "currency": "USD"}),
        set(),
    ),
    "another currency is another sum": (
        leaf("spent", "above", {"amount_minor": 899, "currency": "JPY"}),
        {ANNA},
    ),
    "silent": (leaf("silent", "for_days", 30), {CARL}),
    "silent for less": (leaf("silent", "for_days", 4), {BEN, CARL}),
    "known for less than that": (leaf("silent", "for_days", 300), set()),
    "not silent": ({"not": leaf("silent", "for_days", 30)}, {ANNA, BEN}),
}


def test_a_segment_finds_what_people_did(scene: Scene) -> None:
    """Human taps alone, orders that were not canceled, money that was not given back."""
    told = {name: found(scene, condition) for name, (condition, _) in CASES.items()}

    assert told == {name: expected for name, (_, expected) in CASES.items()}


def test_a_campaign_is_planned_for_whom_the_segment_finds(scene: Scene, settings: Settings) -> None:
    """Counted and planned by the same SQL: a preview promises nothing that planning breaks."""
    planned = {}
    for name, (condition, _) in CASES.items():
        audience = Audience("deals", read(condition)).document()
        number = campaigns.launched(scene.connection, audience=audience)
        while plan_chunk(scene.connection, settings, number) is not None:
            pass
        rows = scene.connection.execute(
            "SELECT s.phone FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id"
            " WHERE r.campaign_id = %s",
            (number,),
        )
        planned[name] = {phone for (phone,) in rows}

    assert planned == {name: expected for name, (_, expected) in CASES.items()}


@pytest.mark.parametrize(
    "act",
    [
        "UPDATE inbound_texts SET received_at = assent_now()",
        "UPDATE clicks SET label = 'human'",
        "UPDATE orders SET ordered_at = assent_now()",
    ],
    ids=["a text", "a tap", "an order"],
)
def test_any_reaction_ends_a_silence(scene: Scene, act: str) -> None:
    """A canceled order is one too: whoever places it reads our texts."""
    scene.connection.execute("UPDATE orders SET subscriber_id = %s", (scene.id_of(CARL),))
    scene.connection.execute("UPDATE orders SET ordered_at = ordered_at - interval '200 days'")
    assert CARL in found(scene, leaf("silent", "for_days", 30))

    scene.connection.execute(act)

    assert CARL not in found(scene, leaf("silent", "for_days", 30))
