"""A shop whose campaigns run, the simulator as the carrier, and processes that send."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from storage import campaign_states, claiming
from storage.database import Connection
from storage.transaction import atomic
from tests import campaigns
from tests.worker.scene import Scene
from worker.campaigns import batch
from worker.campaigns.desk import Desk, desk_of
from worker.campaigns.drain import drain
from worker.campaigns.planning import plan_launched
from worker.runtime import Runtime

NewDesk = Callable[[], Desk]
Running = Callable[..., int]


@pytest.fixture(autouse=True)
def _unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that is busy with other tests may take its time between fence and call."""
    monkeypatch.setattr(batch, "BEGIN_WITHIN_S", 30.0)


@pytest.fixture
def new_desk(new_runtime: Callable[[], Runtime]) -> NewDesk:
    """Makes desks as separate processes have them."""
    return lambda: desk_of(new_runtime())


@pytest.fixture
def desk(new_desk: NewDesk) -> Desk:
    """One process's."""
    return new_desk()


@pytest.fixture
def running(scene: Scene, runtime: Runtime) -> Running:
    """Launches, plans and starts a campaign to so many new people; its number."""

    def make(people: int = 3, **over: Any) -> int:
        if people:
            campaigns.crowd(scene.connection, people)
        number = campaigns.launched(scene.connection, **over)
        plan_launched(scene.connection, runtime.settings, time.monotonic() + 30)
        with atomic(scene.connection):
            campaign_states.start_due(scene.connection)
        return number

    return make


def send(desk: Desk, seconds: float = 30.0) -> int:
    """Send all that can be sent now; a busy machine is given some tries."""
    total, idle, until = 0, 0, time.monotonic() + seconds
    while time.monotonic() < until and idle < 4:
        claimed = drain(desk, 0.5)
        total += claimed
        idle = 0 if claimed else idle + 1
        if not claimed and not claiming.due_campaigns(desk.lines[0].open()):
            break
    return total


def recipients(connection: Connection, number: int) -> list[dict[str, Any]]:
    """The recipients of a campaign, as JSON has them, by id."""
    rows = connection.execute(
        "SELECT to_jsonb(r) || jsonb_build_object('phone', s.phone)"
        " FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id"
        " WHERE campaign_id = %s ORDER BY r.id",
        (number,),
    )
    return [row for (row,) in rows]
