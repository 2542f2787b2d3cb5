"""Texts without an answer are looked for at the carrier; nobody gets marketing a second time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.simulator.faults import Fault, FaultKind
from storage import tallies, unknowns
from tests import campaigns
from tests.worker.campaigns.conftest import (
    Running,
    _unhurried,
    desk,
    new_desk,
    recipients,
    running,
    send,
)
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, Scene
from worker.campaigns.desk import Desk
from worker.runtime import Runtime
from worker.sending import drain
from worker.texts.codes import Codes
from worker.unknowns import ask

__all__ = ["_unhurried", "desk", "new_desk", "running"]
SOON = timedelta(0)


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two minutes are over at once, fifteen are not."""
    monkeypatch.setattr(unknowns, "ASK_AFTER", SOON)


def looked_for(scene: Scene, runtime: Runtime) -> int:
    """Ask the carrier; how many were found."""
    codes = Codes(runtime.settings.secret_key)
    return ask(scene.connection, runtime.gateway, codes)


@pytest.mark.parametrize("known", ["its words", "its link", "its moment"])
def test_a_text_that_the_carrier_took_is_found(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running, known: str
) -> None:
    """By what is known of it; it is accepted with its SID, and counted once."""
    words = "Acme: https://acme.example/a" if known == "its link" else "Acme: 20% off."
    number = running(2, bodies=(words,))
    twilio.carrier.faults.add(Fault(FaultKind.RESET_AFTER_ACCEPT))
    send(desk)
    twilio.carrier.faults.clear()
    if known != "its words":
        scene.connection.execute("UPDATE recipients SET body = NULL")
    assert campaigns.states(scene.connection, number) == {"unknown": 2}
    assert looked_for(scene, desk.runtime) == 2
    rows = recipients(scene.connection, number)
    assert {row["state"] for row in rows} == {"accepted"}
    assert {r["carrier_sid"] for r in rows} == {t.sid for t in twilio.carrier.store.everything()}
    assert tallies.read(scene.connection, number) == {("accepted", ""): 2}


def test_marketing_that_nobody_has_seen_stays_unknown(
    scene: Scene,
    twilio: Twilio,
    desk: Desk,
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is asked about again until fifteen minutes are over, then closed, and never sent again."""
    number = running(1)
    twilio.carrier.faults.add(Fault(FaultKind.SERVER_ERROR))
    send(desk)
    twilio.carrier.faults.clear()
    for _ in range(2):
        assert looked_for(scene, desk.runtime) == 0
        assert recipients(scene.connection, number)[0]["reason"] is None
    monkeypatch.setattr(unknowns, "GIVE_UP_AFTER", SOON)
    looked_for(scene, desk.runtime)
    (row,) = recipients(scene.connection, number)
    assert (row["state"], row["reason"]) == ("unknown", "unknown.not_found")
    assert tallies.read(scene.connection, number) == {("unknown", "unknown.not_found"): 1}
    asked = row["asked_at"]
    looked_for(scene, desk.runtime)
    assert recipients(scene.connection, number)[0]["asked_at"] == asked
    send(desk)
    assert twilio.carrier.store.everything() == []


def test_nothing_is_concluded_while_the_carrier_does_not_answer(
    scene: Scene,
    twilio: Twilio,
    desk: Desk,
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No answer is not the answer no."""
    number = running(1)
    twilio.carrier.faults.add(Fault(FaultKind.SERVER_ERROR))
    send(desk)
    twilio.carrier.faults.add(Fault(FaultKind.AUTH_FAILURE))
    monkeypatch.setattr(unknowns, "GIVE_UP_AFTER", SOON)
    looked_for(scene, desk.runtime)
    assert recipients(scene.connection, number)[0]["reason"] is None


def test_a_confirmation_that_nobody_has_seen_is_sent_once_more(
    scene: Scene, twilio: Twilio, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was asked for. A second time it stays unknown."""
    monkeypatch.setattr(unknowns, "GIVE_UP_AFTER", SOON)
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    twilio.carrier.faults.add(Fault(FaultKind.SERVER_ERROR))
    for state in ("queued", "unknown"):
        drain(runtime)
        looked_for(scene, runtime)
        assert scene.message(key)["state"] == state
    twilio.carrier.faults.clear()
    drain(runtime)
    looked_for(scene, runtime)
    assert scene.message(key)["state"] == "unknown"
    assert twilio.got(ANNA) == []


def test_a_confirmation_that_the_carrier_took_is_not_sent_again(
    scene: Scene, twilio: Twilio, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is found, and that is all."""
    monkeypatch.setattr(unknowns, "GIVE_UP_AFTER", SOON)
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    twilio.carrier.faults.add(Fault(FaultKind.RESET_AFTER_ACCEPT))
    drain(runtime)
    twilio.carrier.faults.clear()
    assert looked_for(scene, runtime) == 1
    drain(runtime)
    assert scene.message(key)["state"] == "accepted"
    assert len(twilio.got(ANNA)) == 1
