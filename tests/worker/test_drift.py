"""The report names who is blocked there and not here, and the reverse; nobody else."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bot.commands import main
from storage.drift import Drift, find
from tests import campaigns
from tests.worker.scene import ANNA, BEN, CARL, Scene


def sent(scene: Scene, phone: str, code: str | None, *, ago: str = "0 s") -> None:
    """A campaign's text to a person: taken by the carrier, or refused with this code."""
    number = campaigns.campaign(scene.connection, state="running")
    scene.connection.execute(
        "INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at,"
        " settled_at, error_code) VALUES (%(c)s, %(s)s, 0, %(state)s, assent_now() - %(ago)s"
        "::interval, assent_now() - %(ago)s::interval, %(code)s)",
        {
            "c": number,
            "s": scene.id_of(phone),
            "state": "rejected" if code else "accepted",
            "ago": ago,
            "code": code,
        },
    )


def found(scene: Scene) -> list[tuple[str, str, str]]:
    """The report in short."""
    return [(d.phone, str(d.kind), d.state) for d in find(scene.connection)]


def test_both_kinds_are_found(scene: Scene) -> None:
    """Who is refused but subscribed, who is unsubscribed but got a text."""
    for phone in (ANNA, BEN, CARL):
        scene.hear(phone, "JOIN", "YES")
    scene.hear(BEN, "STOP")
    assert found(scene) == []
    sent(scene, ANNA, "21610")
    sent(scene, BEN, None)
    sent(scene, CARL, None)
    assert found(scene) == [(ANNA, "refused", "subscribed"), (BEN, "taken", "unsubscribed")]
    (first, _) = find(scene.connection)
    assert isinstance(first, Drift)
    assert (first.program, first.sender) == ("deals", "54321")


def test_what_came_after_settles_it(scene: Scene) -> None:
    """A block that was lifted, a text from before the STOP, another error."""
    for phone in (ANNA, BEN, CARL):
        scene.hear(phone, "JOIN", "YES")
    scene.hear(BEN, "STOP")
    sent(scene, ANNA, "21610", ago="2 hours")
    sent(scene, ANNA, None, ago="1 hour")
    sent(scene, BEN, None, ago="1 hour")
    sent(scene, CARL, "30003")
    assert found(scene) == []


def test_the_command_says_so_and_ends_with_one(
    scene: Scene, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """0 when they agree."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    scene.hear(ANNA, "JOIN", "YES")
    assert CliRunner().invoke(main, ["drift"]).exit_code == 0
    sent(scene, ANNA, "21610")
    result = CliRunner().invoke(main, ["drift", "--json"])
    assert result.exit_code == 1
    assert json.loads(result.output)["kind"] == "refused"
    assert "the ledger says subscribed" in CliRunner().invoke(main, ["drift"]).output
