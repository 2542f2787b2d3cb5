"""Planning: once each, whoever dies; held out and split as computed; only those who agreed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import datetime, timedelta

import pytest

from bot.demo import load_if_empty
from storage import campaign_states, planning, tallies
from storage.database import Connection, connect
from storage.planning import CHUNK
from storage.segments.saved import Audience
from storage.splitting import split
from storage.transaction import atomic
from tests import campaigns
from worker.campaigns.planning import plan_chunk, plan_launched

SECRET = "a secret of these tests"


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


def plan(connection: Connection) -> int:
    """Plan all that was launched; rows added."""
    return plan_launched(connection, SECRET, time.monotonic() + 60)


def test_everybody_in_the_program_is_planned_once(connection: Connection) -> None:
    """Those subscribed or paused; nobody who left, was never asked, or has not answered yet."""
    campaigns.crowd(connection, 30)
    campaigns.crowd(connection, 3, first=101, state="paused")
    for first, state in ((201, "unsubscribed"), (301, "pending"), (401, "none")):
        campaigns.crowd(connection, 5, first=first, state=state)
    campaigns.crowd(connection, 5, first=501, program="coffee")
    number = campaigns.launched(connection)

    assert plan(connection) == 33
    assert campaigns.states(connection, number) == {"planned": 33}
    found = campaigns.row(connection, number)
    assert (found["state"], found["planned"]) == ("scheduled", 33)
    assert plan(connection) == 0


@pytest.mark.parametrize("size", [1, 7, 10, 11, CHUNK])
def test_a_planner_that_dies_neither_doubles_nor_loses(
    connections: list[Connection], size: int
) -> None:
    """Killed within a chunk, another one goes on where committed rows end."""
    campaigns.crowd(connections[0], 10)
    number = campaigns.launched(connections[0])
    assert plan_chunk(connections[0], SECRET, number, size) == min(size, 10)
    with contextlib.suppress(ZeroDivisionError), atomic(connections[0]):
        found = planning.lock(connections[0], number)
        assert found is not None
        audience = Audience("deals")
        planning.plan(connections[0], found, audience, split(SECRET, number, 1), size)
        raise ZeroDivisionError

    while plan_chunk(connections[1], SECRET, number, size) is not None:
        pass
    assert campaigns.states(connections[1], number) == {"planned": 10}
    assert campaigns.row(connections[1], number)["planned"] == 10


def test_two_planners_at_once_plan_everybody_once(connections: list[Connection]) -> None:
    """One holds the campaign's row for a chunk, the other one passes it by."""
    campaigns.crowd(connections[0], 500)
    number = campaigns.launched(connections[0])
    barrier = threading.Barrier(2)

    def work(connection: Connection) -> None:
        barrier.wait()
        until = time.monotonic() + 10
        while campaign_states.state(connection, number) == "planning" and time.monotonic() < until:
            plan_chunk(connection, SECRET, number, 20)

    threads = [threading.Thread(target=work, args=(each,)) for each in connections]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert campaigns.states(connections[0], number) == {"planned": 500}
    assert campaigns.row(connections[0], number)["planned"] == 500


def test_variants_and_holdout_are_those_that_were_computed(connection: Connection) -> None:
    """Python and the server put everybody in the same place, and the held out are counted."""
    campaigns.crowd(connection, 400)
    number = campaigns.launched(connection, bodies=("A.", "B.", "C."), holdout=0.25)
    plan(connection)
    rows = connection.execute(
        "SELECT subscriber_id, variant, state FROM recipients WHERE campaign_id = %s", (number,)
    ).fetchall()
    divided = split(SECRET, number, 3, 0.25)
    for person, variant, state in rows:
        assert (variant, state == "holdout") == divided.of(person)
    kinds = Counter(state for _, _, state in rows)
    assert tallies.read(connection, number) == {("holdout", ""): kinds["holdout"]}
    assert 60 < kinds["holdout"] < 140


def test_the_audience_is_that_of_the_segment(connection: Connection) -> None:
    """A condition that a marketer saved, applied at the moment of planning."""
    phones = campaigns.crowd(connection, 6)
    connection.execute(
        "UPDATE subscribers SET language = 'es' WHERE phone = ANY(%s)", (phones[:2],)
    )
    spanish = {"field": "language", "op": "is", "value": "es"}
    number = campaigns.launched(
        connection, audience={"program": "deals", "include": {"all": [spanish]}}
    )
    assert plan(connection) == 2
    assert campaigns.states(connection, number) == {"planned": 2}


def test_an_empty_audience_is_finished_at_once(connection: Connection) -> None:
    """Nobody is open, so it is over."""
    number = campaigns.launched(connection)
    plan(connection)
    assert campaign_states.finish_done(connection) == 1
    assert campaign_states.state(connection, number) == "finished"


def test_what_is_canceled_or_paused_while_being_planned_is_planned_no_further(
    connection: Connection,
) -> None:
    """Between two chunks; a paused one goes on when somebody resumes it."""
    campaigns.crowd(connection, 10)
    numbers = [campaigns.launched(connection) for _ in range(2)]
    for number in numbers:
        plan_chunk(connection, SECRET, number, 4)
    campaign_states.cancel(connection, numbers[0], "a mistake")
    campaign_states.pause(connection, numbers[1], "wait")
    assert plan(connection) == 0
    assert campaign_states.resume(connection, numbers[1]).state == "planning"
    assert plan(connection) == 6


def test_a_campaign_may_take_as_long_as_its_sender_needs(connection: Connection) -> None:
    """A slow sender is no lateness: 10 texts of up to two segments at 2 segments/s take 10 s."""
    campaigns.crowd(connection, 10)
    connection.execute("UPDATE senders SET segments_per_second = 2")
    number = campaigns.launched(connection, max_lateness=timedelta(minutes=5))
    plan(connection)
    ((grace,),) = connection.execute(
        "SELECT grace FROM campaigns WHERE id = %s", (number,)
    ).fetchall()
    assert grace == timedelta(minutes=5, seconds=10)


def test_a_campaign_for_later_is_planned_for_its_moment(connection: Connection) -> None:
    """Planned at once, gone when its time has come."""
    campaigns.crowd(connection, 2)
    ((moment,),) = connection.execute("SELECT assent_now() + interval '2 hours'").fetchall()
    assert isinstance(moment, datetime)
    number = campaigns.launched(connection, schedule="at", send_at=moment)
    plan(connection)
    ((first, last),) = connection.execute(
        "SELECT min(not_before), max(not_before) FROM recipients"
    ).fetchall()
    assert first == last == moment
    assert campaign_states.start_due(connection) == 0
    connection.execute("UPDATE campaigns SET starts_at = assent_now()")
    assert campaign_states.start_due(connection) == 1
    assert campaign_states.state(connection, number) == "running"
