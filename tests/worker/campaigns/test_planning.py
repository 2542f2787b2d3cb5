"""Planning: once each, whoever dies; held out and split as computed; only those who agreed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.demo import load_if_empty
from storage import campaign_states, planning, tallies
from storage.database import Connection, connect
from storage.planning import CHUNK
from storage.segments.saved import Audience
from storage.settings import Settings
from storage.splitting import split
from storage.transaction import atomic
from tests import campaigns
from worker.campaigns.planning import plan_chunk, plan_launched


@pytest.fixture
def connections(database_url: str) -> Iterator[list[Connection]]:
    """Those of two processes, on a demo shop."""
    load_if_empty(database_url)
    with ExitStack() as stack:
        yield [stack.enter_context(connect(database_url, "test")) for _ in range(2)]


@pytest.fixture
def connection(connections: list[Connection]) -> Connection:
    """One process's connection."""
    return connections[0]


Plan = Callable[[], int]


@pytest.fixture
def plan(connection: Connection, settings: Settings) -> Plan:
    """Plans all that was launched; rows added."""
    return lambda: plan_launched(connection, settings, time.monotonic() + 60)


def test_everybody_in_the_program_is_planned_once(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Those subscribed or paused; nobody who left, was never asked, or has not answered yet."""
    campaigns.crowd(connection, 30)
    campaigns.crowd(connection, 3, first=101, state="paused")
    for first, state in ((201, "unsubscribed"), (301, "pending"), (401, "none")):
        campaigns.crowd(connection, 5, first=first, state=state)
    campaigns.crowd(connection, 5, first=501, program="coffee")
    number = campaigns.launched(connection)

    assert plan() == 33
    assert campaigns.states(connection, number) == {"planned": 33}
    found = campaigns.row(connection, number)
    assert (found["state"], found["planned"]) == ("scheduled", 33)
    assert plan() == 0


@pytest.mark.parametrize("size", [1, 7, 10, 11, CHUNK])
def test_a_planner_that_dies_neither_doubles_nor_loses(
    connections: list[Connection], settings: Settings, size: int
) -> None:
    """Killed within a chunk, another one goes on where committed rows end."""
    campaigns.crowd(connections[0], 10)
    number = campaigns.launched(connections[0])
    assert plan_chunk(connections[0], settings, number, size) == min(size, 10)
    with contextlib.suppress(ZeroDivisionError), atomic(connections[0]):
        found = planning.lock(connections[0], number)
        assert found is not None
        audience = Audience("deals")
        planning.plan(connections[0], found, audience, split(settings.secret_key, number, 1), size)
        raise ZeroDivisionError

    while plan_chunk(connections[1], settings, number, size) is not None:
        pass
    assert campaigns.states(connections[1], number) == {"planned": 10}
    assert campaigns.row(connections[1], number)["planned"] == 10


def test_two_planners_at_once_plan_everybody_once(
    connections: list[Connection], settings: Settings
) -> None:
    """One holds the campaign's row for a chunk, the other one passes it by."""
    campaigns.crowd(connections[0], 500)
    number = campaigns.launched(connections[0])
    barrier = threading.Barrier(2)

    def work(connection: Connection) -> None:
        barrier.wait()
        until = time.monotonic() + 10
        while campaign_states.state(connection, number) == "planning" and time.monotonic() < until:
            plan_chunk(connection, settings, number, 20)

    threads = [threading.Thread(target=work, args=(each,)) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert campaigns.states(connections[0], number) == {"planned": 500}
    assert campaigns.row(connections[0], number)["planned"] == 500


def test_variants_and_holdout_are_those_that_were_computed(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Python and the server put everybody in the same place, and the held out are counted."""
    campaigns.crowd(connection, 400)
    number = campaigns.launched(connection, bodies=("A.", "B.", "C."), holdout=0.25)
    plan()
    rows = connection.execute(
        "SELECT subscriber_id, variant, state FROM recipients WHERE campaign_id = %s", (number,)
    ).fetchall()
    divided = split(settings.secret_key, number, 3, 0.25)
    for person, variant, state in rows:
        assert (variant, state == "holdout") == divided.of(person)
    kinds = Counter(state for _, _, state in rows)
    assert tallies.read(connection, number) == {("holdout", ""): kinds["holdout"]}
    assert 60 < kinds["holdout"] < 140


def test_the_audience_is_that_of_the_segment(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """A condition that a marketer saved, applied at the moment of planning."""
    phones = campaigns.crowd(connection, 6)
    connection.execute(
        "UPDATE subscribers SET language = 'es' WHERE phone = ANY(%s)", (phones[:2],)
    )
    spanish = {"field": "language", "op": "is", "value": "es"}
    number = campaigns.launched(
        connection, audience={"program": "deals", "include": {"all": [spanish]}}
    )
    assert plan() == 2
    assert campaigns.states(connection, number) == {"planned": 2}


def test_an_empty_audience_is_finished_at_once(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Nobody is open, so it is over."""
    number = campaigns.launched(connection)
    plan()
    assert campaign_states.finish_done(connection) == 1
    assert campaign_states.state(connection, number) == "finished"


def test_what_is_canceled_or_paused_while_being_planned_is_planned_no_further(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Between two chunks; a paused one goes on when somebody resumes it."""
    campaigns.crowd(connection, 10)
    numbers = [campaigns.launched(connection) for _ in range(2)]
    for number in numbers:
        plan_chunk(connection, settings, number, 4)
    campaign_states.cancel(connection, numbers[0], "a mistake")
    campaign_states.pause(connection, numbers[1], "wait")
    assert plan() == 0
    assert campaign_states.resume(connection, numbers[1]).state == "planning"
    assert plan() == 6


def test_a_campaign_may_take_as_long_as_its_sender_needs(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """A slow sender is no lateness: 10 texts of up to two segments at 2 segments/s take 10 s."""
    campaigns.crowd(connection, 10)
    connection.execute("UPDATE senders SET segments_per_second = 2")
    number = campaigns.launched(connection, max_lateness=timedelta(minutes=5))
    plan()
    ((grace,),) = connection.execute(
        "SELECT grace FROM campaigns WHERE id = %s", (number,)
    ).fetchall()
    assert grace == timedelta(minutes=5, seconds=10)


def test_a_campaign_for_later_is_planned_for_its_moment(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Planned at once, gone when its time has come."""
    campaigns.crowd(connection, 2)
    ((moment,),) = connection.execute("SELECT assent_now() + interval '2 hours'").fetchall()
    assert isinstance(moment, datetime)
    number = campaigns.launched(connection, schedule="at", send_at=moment)
    plan()
    ((first, last),) = connection.execute(
        "SELECT min(not_before), max(not_before) FROM recipients"
    ).fetchall()
    assert first == last == moment
    assert campaign_states.start_due(connection) == 0
    connection.execute("UPDATE campaigns SET starts_at = assent_now()")
    assert campaign_states.start_due(connection) == 1
    assert campaign_states.state(connection, number) == "running"


def test_a_local_time_is_each_persons_own(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Ten in New York is seven hours after ten in Paris; who may be in two zones, in the later."""
    people = {
        zone: campaigns.crowd(connection, 1, first=n, zone=zone)[0]
        for n, zone in enumerate(("America/New_York", "Europe/Paris", "Asia/Tokyo"), start=1)
    }
    split_state = campaigns.crowd(connection, 1, first=9, prefix="+1850")[0]
    connection.execute(
        "UPDATE profiles SET time_zone = NULL, state = 'FL' WHERE subscriber_id ="
        " (SELECT id FROM subscribers WHERE phone = %s)",
        (split_state,),
    )
    number = campaigns.launched(connection, schedule="local", local_at="2027-01-15T10:00")
    while plan_chunk(connection, settings, number, 2) is not None:
        pass
    rows = connection.execute(
        "SELECT s.phone, r.not_before FROM recipients r JOIN subscribers s"
        " ON s.id = r.subscriber_id"
    )
    moments: dict[str, datetime] = dict(rows.fetchall())
    for zone, phone in people.items():
        assert moments[phone].astimezone(ZoneInfo(zone)).strftime("%d %H:%M") == "15 10:00"
    assert moments[split_state].astimezone(ZoneInfo("America/Chicago")).hour == 10
    found = campaigns.row(connection, number)
    assert (found["state"], found["planned"]) == ("scheduled", 4)
    assert datetime.fromisoformat(found["starts_at"]) == min(moments.values())
    assert plan() == 0


def test_a_text_that_cannot_be_sent_pauses_its_campaign(
    connection: Connection, plan: Plan, settings: Settings
) -> None:
    """Nobody is planned, and the reason is there to be read."""
    campaigns.crowd(connection, 3)
    number = campaigns.launched(connection, bodies=("Hello {{ unknown_field",))
    assert plan() == 0
    found = campaigns.row(connection, number)
    assert (found["state"], found["state_reason"]) == ("paused", "text.broken")
