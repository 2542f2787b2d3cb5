"""The life of a campaign: which act leads where, and that doing it twice does it once."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from bot.demo import load_if_empty
from storage import campaign_states
from storage.campaign_states import NoSuchCampaign, NotReady, Told, WrongState
from storage.campaigns import CampaignState
from storage.database import Connection, connect
from storage.transaction import atomic
from tests import campaigns

Act = Callable[[Connection, int], Told]
ACTS: dict[str, Act] = {
    "launch": campaign_states.launch,
    "pause": lambda c, n: campaign_states.pause(c, n, "why"),
    "resume": campaign_states.resume,
    "cancel": lambda c, n: campaign_states.cancel(c, n, "why"),
}
# What each act makes of each state; "-" is refused, "=" was done before.
TABLE = """
           draft     planning  scheduled running   paused    finished  canceled
launch     planning  =         =         =         =         =         -
pause      -         paused    paused    paused    =         -         -
resume     -         =         =         =         planning  -         -
cancel     canceled  canceled  canceled  canceled  canceled  -         =
"""
STATES = TABLE.split("\n")[1].split()
CASES = [
    pytest.param(act, state, result, id=f"{act} {state}")
    for act, *results in (line.split() for line in TABLE.strip().split("\n")[1:])
    for state, result in zip(STATES, results, strict=True)
]


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to a demo shop."""
    load_if_empty(database_url)
    with connect(database_url, "test") as made:
        yield made


@pytest.mark.parametrize(("act", "before", "result"), CASES)
def test_an_act_leads_where_the_table_says(
    connection: Connection, act: str, before: str, result: str
) -> None:
    """Every act in every state."""
    number = campaigns.campaign(
        connection, state=before, starts_at=connection.execute("SELECT now()").fetchall()[0][0]
    )
    if result == "-":
        with pytest.raises(WrongState), atomic(connection):
            ACTS[act](connection, number)
        assert campaign_states.state(connection, number) == before
        return
    with atomic(connection):
        told = ACTS[act](connection, number)
    after = before if result == "=" else result
    assert told == Told(CampaignState(after), news=result != "=")
    assert campaign_states.state(connection, number) == after


@pytest.mark.parametrize("act", ACTS)
def test_a_campaign_that_is_not_there_says_so(connection: Connection, act: str) -> None:
    """No act on nothing."""
    with pytest.raises(NoSuchCampaign), atomic(connection):
        ACTS[act](connection, 4711)
    with pytest.raises(NoSuchCampaign):
        campaign_states.state(connection, 4711)


def test_ten_launches_at_once_are_one(database_url: str, connection: Connection) -> None:
    """A double click, a repeated request, two tabs."""
    number = campaigns.campaign(connection)
    news: list[bool] = []
    barrier = threading.Barrier(10)

    def work() -> None:
        with connect(database_url, "test") as mine:
            barrier.wait()
            with atomic(mine):
                told = campaign_states.launch(mine, number)
            news.append(told.news)

    threads = [threading.Thread(target=work) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(news) == [False] * 9 + [True]


@pytest.mark.parametrize(
    ("missing", "over", "bodies"),
    [
        pytest.param("text", {}, (), id="no text"),
        pytest.param("program", {"program": "nothing"}, ("x",), id="no program"),
        pytest.param("sender", {"sender": "99999"}, ("x",), id="no sender"),
        pytest.param("schedule", {"schedule": "at"}, ("x",), id="no moment"),
        pytest.param("schedule", {"schedule": "local"}, ("x",), id="no local time"),
    ],
)
def test_a_campaign_that_lacks_something_is_not_launched(
    connection: Connection, missing: str, over: dict[str, str], bodies: tuple[str, ...]
) -> None:
    """It stays a draft, and says what it lacks."""
    number = campaigns.campaign(connection, bodies, **over)
    with pytest.raises(NotReady) as refused, atomic(connection):
        campaign_states.launch(connection, number)
    assert refused.value.missing == missing
    assert campaign_states.state(connection, number) == "draft"


def test_the_time_in_a_pause_is_no_lateness(connection: Connection) -> None:
    """Paused for an hour: its grace is an hour longer, and it goes on where it was."""
    ((now,),) = connection.execute("SELECT assent_now()").fetchall()
    number = campaigns.campaign(
        connection, state="running", starts_at=now - timedelta(hours=3), grace=timedelta(minutes=30)
    )
    campaign_states.pause(connection, number, "why")
    connection.execute("UPDATE campaigns SET paused_at = paused_at - interval '1 hour'")
    assert campaign_states.resume(connection, number).state == "running"
    ((grace,),) = connection.execute("SELECT grace FROM campaigns").fetchall()
    assert timedelta(minutes=90) <= grace < timedelta(minutes=91)


def test_a_campaign_is_finished_when_nothing_is_open(connection: Connection) -> None:
    """Planned and sending rows are open; unknown ones are not."""
    ((now,),) = connection.execute("SELECT assent_now()").fetchall()
    number = campaigns.campaign(connection, state="running", starts_at=now)
    connection.execute(
        "INSERT INTO recipients (campaign_id, subscriber_id, variant, state) VALUES"
        " (%(n)s, 1, 0, 'planned'), (%(n)s, 2, 0, 'sending'), (%(n)s, 3, 0, 'unknown')",
        {"n": number},
    )
    for state in ("planned", "sending"):
        assert campaign_states.finish_done(connection) == 0
        connection.execute("UPDATE recipients SET state = 'accepted' WHERE state = %s", (state,))
    assert campaign_states.finish_done(connection) == 1
    assert campaign_states.state(connection, number) == "finished"
