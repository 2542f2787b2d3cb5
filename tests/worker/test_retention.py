"""What was kept long enough goes, by rule and by itself; nothing of a person under a legal hold."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from keywords.consent import Method
from keywords.data import load
from storage import holds, retention
from storage.database import connect
from storage.holds import HoldOrder
from storage.transaction import atomic
from storage.verifying import check
from tests.storage.canaries import dump, place
from tests.worker.scene import ANNA, BEN, CARL, Scene
from worker.retention import RULES, Keeper, dry_run, run
from worker.rights import Rights
from worker.runtime import Runtime

KEPT = {rule.name: rule.kept for rule in RULES if rule.kept}
PEPPER = "a phone pepper of the tests, 32 b"


@pytest.fixture
def rights(scene: Scene, tmp_path: Path) -> Rights:
    """What erases people whose time is over."""
    return Rights(tmp_path / "home", PEPPER, scene.shops)


@pytest.fixture
def later(scene: Scene, database_url: str) -> Iterator[Callable[[timedelta], None]]:
    """Let the database's clock go forward; the scene sees it afterwards."""
    before = scene.connection

    def shift(by: timedelta) -> None:
        with connect(database_url, "owner", role=None) as owner:
            ((name,),) = owner.execute("SELECT current_database()").fetchall()
            owner.execute(f"ALTER DATABASE {name} SET assent.clock_offset = '{by.days} days'")
        if scene.connection is not before:
            scene.connection.close()
        scene.connection = connect(database_url, "later")

    yield shift
    scene.connection.close()


def all_of(scene: Scene, query: str) -> list[Any]:
    """The first column."""
    return [value for (value, *_) in scene.connection.execute(query).fetchall()]


def test_every_rule_says_its_period_and_why() -> None:
    """Each has words for people; those without days are for ever; the file says its sources."""
    data = load("retention", "worker.data")

    assert KEPT.keys() == {retention.PEOPLE, *retention.ROWS}
    assert {rule.name for rule in RULES} - KEPT.keys() == {"suppressions", "ledger"}
    assert all(rule.about and rule.because and rule.since for rule in RULES)
    assert isinstance(data["checked_on"], date)
    assert KEPT["people"] >= timedelta(days=5 * 365 + 2), "16 CFR 310.5"


def arrange(scene: Scene) -> None:
    """Two people with a row for each rule; the second's are recent in nothing but a hold."""
    for phone in (ANNA, BEN):
        scene.hear(phone, "JOIN", "YES", "what is this", "STOP")
    place(scene.connection, scene.id_of(ANNA))
    scene.connection.execute("DELETE FROM subscriptions WHERE program = 'old'")
    scene.connection.execute("UPDATE inbound_texts SET raw = 'raw' WHERE raw = ''")
    scene.connection.execute(
        "UPDATE inbound_texts SET received_at = assent_now(), resolved_at = assent_now()"
    )
    scene.connection.execute("UPDATE idempotent_answers SET created_at = assent_now()")
    scene.connection.execute("UPDATE shopify_deliveries SET received_at = assent_now()")
    scene.connection.execute("UPDATE webhook_deliveries SET created_at = assent_now()")
    scene.connection.execute("INSERT INTO click_agents (agent) VALUES ('x')")
    scene.connection.execute(
        "UPDATE clicks SET at = assent_now(), agent_id = (SELECT max(id) FROM click_agents)"
    )


@pytest.mark.parametrize("rule", sorted(KEPT.keys() - {"people"}))
def test_a_rule_lets_go_after_its_period_and_not_before(
    scene: Scene, rights: Rights, later: Callable[[timedelta], None], rule: str
) -> None:
    """A day before nothing is due; then the dry run says how much, and as much goes, once."""
    arrange(scene)
    later(KEPT[rule] - timedelta(days=1))
    assert dry_run(scene.connection)[rule] == 0
    later(KEPT[rule] + timedelta(days=1))
    due = dry_run(scene.connection)[rule]

    gone = run(scene.connection, rights)

    assert due > 0
    assert gone[rule] == due
    assert dry_run(scene.connection)[rule] == 0
    (detail,) = all_of(scene, "SELECT detail FROM audit_log WHERE act = 'retention.run'")
    assert detail["gone"][rule] == due
    run(scene.connection, rights)
    assert len(all_of(scene, "SELECT id FROM audit_log WHERE act = 'retention.run'")) == 1


@pytest.mark.parametrize("rule", sorted(KEPT.keys() - {"answers"}))
def test_nothing_goes_under_a_hold(
    scene: Scene, rights: Rights, later: Callable[[timedelta], None], rule: str
) -> None:
    """Neither rows nor the person."""
    arrange(scene)
    for phone in (ANNA, BEN):
        with atomic(scene.connection):
            holds.put(scene.connection, HoldOrder(phone, "operator:a", Method.OPERATOR, "a case"))

    later(KEPT[rule] + timedelta(days=1))

    assert dry_run(scene.connection)[rule] == 0
    assert run(scene.connection, rights)[rule] == 0


def test_open_texts_and_words_that_moved_consent_stay(
    scene: Scene, rights: Rights, later: Callable[[timedelta], None]
) -> None:
    """Somebody still has to read the one; the other is part of the story of a consent."""
    scene.hear(ANNA, "JOIN", "??", "what is this")
    scene.connection.execute("UPDATE inbound_texts SET raw = 'raw'")
    scene.connection.execute(
        "UPDATE inbound_texts SET review = 'not_understood', resolved_at = NULL WHERE body = '??'"
    )
    scene.connection.execute("UPDATE inbound_texts SET review = NULL WHERE body = 'what is this'")
    later(timedelta(days=91))

    run(scene.connection, rights)

    rows = scene.connection.execute("SELECT body, raw FROM inbound_texts ORDER BY body").fetchall()
    assert rows == [("", b""), ("??", b"raw"), ("JOIN", b"")]


def test_whoever_gets_nothing_for_five_years_is_erased(
    scene: Scene, rights: Rights, later: Callable[[timedelta], None]
) -> None:
    """Number, words and evidence go; a refusal stays as a hash; subscribers stay whole."""
    scene.hear(ANNA, "JOIN", "YES", "STOP")
    scene.hear(BEN, "JOIN", "YES")
    scene.hear(CARL, "hello there")
    later(KEPT["people"] + timedelta(days=1))

    assert dry_run(scene.connection)["people"] == 2
    assert run(scene.connection, rights)["people"] == 2

    whole = "\n".join(dump(scene.connection).values())
    assert ANNA not in whole
    assert CARL not in whole
    assert scene.state(BEN) == "subscribed"
    assert all_of(scene, "SELECT reason FROM suppressions") == ["objection"]
    assert all_of(scene, "SELECT DISTINCT ground FROM erasures") == ["retention"]
    assert not [fault for each in check(scene.connection) for fault in each.faults]
    changes = all_of(scene, "SELECT change FROM consent_events WHERE method = 'system' ORDER BY n")
    assert set(changes) == {"erasure_requested", "evidence_destroyed"}


@pytest.mark.parametrize("heard", ["text", "message", "campaign"])
def test_a_trace_of_somebody_keeps_them(
    scene: Scene, later: Callable[[timedelta], None], heard: str
) -> None:
    """The time is counted from the last text either way."""
    scene.hear(ANNA, "JOIN", "YES", "STOP")
    later(KEPT["people"] + timedelta(days=1))
    key = scene.id_of(ANNA)
    if heard == "text":
        scene.hear(ANNA, "hello again")
    elif heard == "message":
        scene.connection.execute("UPDATE messages SET created_at = assent_now()")
    else:
        scene.connection.execute(
            "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at)"
            " VALUES (1, %s, 0, 'accepted', assent_now())",
            (key,),
        )

    assert dry_run(scene.connection)["people"] == 0


def test_the_ticker_lets_it_run_beside_itself(
    new_runtime: Callable[[], Runtime], scene: Scene, rights: Rights
) -> None:
    """On a connection of its own, one run at a time; a database that is away is only logged."""
    scene.connection.execute(
        "INSERT INTO idempotent_answers (actor, key, request, created_at)"
        " VALUES ('key', 'old', '', clock_timestamp() - interval '31 days')"
    )
    keeper = Keeper(new_runtime().settings, rights)

    assert keeper.begin() == 1
    keeper.wait(20)

    assert all_of(scene, "SELECT key FROM idempotent_answers") == []
    assert keeper.begin() == 1
    keeper.wait(20)
