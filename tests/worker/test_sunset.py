"""Who never reacts is paused by a rule that can be read; whoever reacts is left alone."""

from __future__ import annotations

from datetime import timedelta

import pytest
from click.testing import CliRunner

from bot.commands import main
from storage import sunset
from storage.silent import Silent
from tests import campaigns
from tests.worker.scene import ANNA, BEN, Scene
from worker.sunset import DAYS, Rule, apply_due, pause, suggest

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


def test_a_program_may_have_a_rule_of_its_own(scene: Scene) -> None:
    """Without one it is that of the data file."""
    sunset.put(scene.connection, "deals", 45, 3, enabled=False, by="test")

    assert Rule.of(scene.connection, "deals") == Rule(45, 3)
    assert Rule.of(scene.connection, "coffee").days == DAYS


def test_a_rule_that_is_on_is_applied_once_a_day(scene: Scene) -> None:
    """By itself, with a line in the audit log; a rule that is off pauses nobody."""
    bored(scene, ANNA)
    sunset.put(scene.connection, "deals", 90, 2, enabled=False, by="test")
    assert apply_due(scene.connection, scene.shops) == 0
    sunset.put(scene.connection, "deals", 90, 2, enabled=True, by="test")

    assert apply_due(scene.connection, scene.shops) == 1

    assert scene.state(ANNA) == "paused"
    kept = sunset.get(scene.connection, "deals")
    assert kept is not None
    assert (kept.paused, kept.ran_at is None) == (1, False)
    audited = scene.connection.execute(
        "SELECT actor, subject, detail FROM audit_log WHERE act = 'sunset.applied'"
    ).fetchall()
    told = {"days": 90, "texts": 2, "paused": 1}
    assert audited == [("system", "program:deals", told)]
    bored(scene, BEN)
    assert apply_due(scene.connection, scene.shops) == 0
    scene.connection.execute("SET assent.clock_offset = '25 hours'")
    assert apply_due(scene.connection, scene.shops) == 1
    assert scene.state(BEN) == "paused"


def test_the_command_goes_by_the_programs_rule(
    scene: Scene, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Unless the call says otherwise."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    bored(scene, ANNA)
    assert ANNA not in CliRunner().invoke(main, ["hygiene", "sunset", "deals"]).output
    sunset.put(scene.connection, "deals", 90, 2, enabled=False, by="test")
    assert ANNA in CliRunner().invoke(main, ["hygiene", "sunset", "deals"]).output
    call = ["hygiene", "sunset", "deals", "--texts", "9"]
    assert ANNA not in CliRunner().invoke(main, call).output
