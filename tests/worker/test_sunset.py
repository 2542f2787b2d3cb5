"""Who never reacts is paused by a rule that can be read; whoever reacts is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from bot.commands import main
from storage.silent import Silent
from tests import campaigns
from tests.worker.scene import ANNA, BEN, Scene
from worker.sunset import Rule, pause, suggest

RULE = Rule(90, 2)
REACTIONS = {
    "a text": "UPDATE inbound_texts SET received_at = assent_now() WHERE subscriber_id = %(id)s",
    "a tap": (
        "INSERT INTO clicks (id, at, campaign_id, recipient_id, subscriber_id, variant,"
        " link_number, method, label, label_version)"
        " VALUES (1, assent_now(), 1, 1, %(id)s, 0, 0, 'GET', 'human', '1')"
    ),
    "an order": (
        "INSERT INTO orders (merchant, order_id, ordered_at, amount_minor, currency,"
        " subscriber_id, source, click_ids, coupons)"
        " VALUES ('shop', '1', assent_now(), 100, 'USD', %(id)s, 'api', '{}', '{}')"
    ),
    "too few texts": "DELETE FROM recipients WHERE subscriber_id = %(id)s",
    "joined lately": (
        "UPDATE subscriptions SET confirmed_at = assent_now() WHERE subscriber_id = %(id)s"
    ),
}


def bored(scene: Scene, phone: str, texts: int = 3) -> None:
    """A subscriber of long ago, who got so many texts and did nothing."""
    scene.hear(phone, "JOIN", "YES")
    values = {"id": scene.id_of(phone), "ago": timedelta(days=200)}
    for column, table in (("confirmed_at", "subscriptions"), ("received_at", "inbound_texts")):
        scene.connection.execute(
            f"UPDATE {table} SET {column} = {column} - %(ago)s WHERE subscriber_id = %(id)s",
            values,
        )
    for _ in range(texts):
        scene.connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at,"
            " settled_at) VALUES (%(c)s, %(id)s, 0, 'accepted', assent_now(), assent_now())",
            values | {"c": campaigns.campaign(scene.connection, state="running")},
        )


def test_the_silent_are_listed_and_then_paused(scene: Scene) -> None:
    """By an entry with the rule as evidence; their keyword ends the pause."""
    bored(scene, ANNA)
    scene.hear(BEN, "JOIN", "YES")
    (found,) = suggest(scene.connection, "deals", RULE)
    assert isinstance(found, Silent)
    assert (found.phone, found.texts) == (ANNA, 3)
    assert scene.state(ANNA) == "subscribed"
    assert pause(scene.connection, scene.shops, "deals", RULE) == 1
    assert pause(scene.connection, scene.shops, "deals", RULE) == 0
    assert (scene.state(ANNA), scene.state(BEN)) == ("paused", "subscribed")
    assert scene.ledger(ANNA)[-1] == ("paused", "system", None)
    scene.hear(ANNA, "RESUME")
    assert scene.state(ANNA) == "subscribed"


@pytest.mark.parametrize("reaction", list(REACTIONS))
def test_whoever_reacts_is_left_alone(scene: Scene, reaction: str) -> None:
    """Each kind of reaction is enough."""
    bored(scene, ANNA)
    scene.connection.execute(REACTIONS[reaction], {"id": scene.id_of(ANNA)})
    assert list(suggest(scene.connection, "deals", RULE)) == []
    assert pause(scene.connection, scene.shops, "deals", RULE) == 0


def test_the_command_only_looks_unless_it_is_told(
    scene: Scene, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the rule's numbers in the call."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    bored(scene, ANNA)
    call = ["hygiene", "sunset", "deals", "--days", "90", "--texts", "3"]
    assert ANNA in CliRunner().invoke(main, call).output
    assert scene.state(ANNA) == "subscribed"
    assert "1 paused" in CliRunner().invoke(main, [*call, "--apply"]).output
    assert scene.state(ANNA) == "paused"
