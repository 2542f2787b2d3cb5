"""A campaign that fails too often is paused once, with its reason, by whoever watches."""

from __future__ import annotations

import logging

import pytest

from bot.simulator.faults import Fault, FaultKind
from storage import campaign_states
from storage.transaction import atomic
from tests import campaigns
from tests.worker.campaigns.conftest import Running, send
from tests.worker.conftest import Twilio
from tests.worker.scene import Scene
from worker.campaigns.desk import Desk
from worker.campaigns.watching import Watch


def test_a_campaign_that_is_refused_again_and_again_is_paused(
    scene: Scene,
    twilio: Twilio,
    desk: Desk,
    running: Running,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The rest stays planned, the reason can be read, and it is told once."""
    number = running(60)
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=21610))
    send(desk)
    clock = [0.0]
    watch = Watch(lambda: clock[0])
    with caplog.at_level(logging.ERROR):
        assert watch.look(scene.connection) == [number]
        assert watch.look(scene.connection) == []
    assert [r.message for r in caplog.records if r.name == "worker.campaigns.watching"] == [
        "a campaign is paused, too many of its texts fail"
    ]
    found = campaigns.row(scene.connection, number)
    assert (found["state"], found["state_reason"]) == ("paused", "failing.consent.21610")

    with atomic(scene.connection):
        campaign_states.resume(scene.connection, number)
    for _ in range(3):
        clock[0] += 5
        assert watch.look(scene.connection) == []
