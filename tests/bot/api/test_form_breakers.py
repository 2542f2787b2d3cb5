"""An operator sees where forms are stopped, and frees them; signed calls have limits too."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.doctor import examine_servers
from storage import form_asks
from storage.database import connect
from storage.keys import Scope
from storage.settings import Settings
from storage.transaction import atomic
from tests.bot.api.conftest import Client, Database, fields, make_key
from tests.bot.api.test_optins import TILL
from worker.policy.form_limits import LIMITS, Door
from worker.policy.form_limits import Scope as Counted

RANGE = "api:prefix:+1415555"


def trip(url: str, key: str) -> None:
    """Open a breaker for an hour."""
    with connect(url, "test") as connection, atomic(connection):
        ((now,),) = connection.execute("SELECT assent_now()").fetchall()
        later = now + timedelta(hours=1)
        breaker = form_asks.Set(key, later, later, trips=1, probes=2, asked=9, confirmed=0)
        form_asks.write(connection, [breaker])


def test_an_open_breaker_is_seen_and_closed(client: Client, database_url: str) -> None:
    """With the figures that opened it, and an entry in the audit log of who closed it."""
    assert client.get("form-breakers") == {"items": []}
    trip(database_url, RANGE)

    (item,) = client.get("form-breakers")["items"]
    assert (item["key"], item["open"], item["asked"], item["confirmed"]) == (RANGE, True, 9, 0)

    assert client.post("form-breakers/close", {"key": RANGE}) == {"items": []}
    problem = client.post("form-breakers/close", {"key": RANGE}, 422)
    assert fields(problem) == {"key"}
    assert client.get("audit")["items"][0]["act"] == "form_breaker.closed"


def test_only_an_administrator_closes_one(
    client: Client, database: Database, database_url: str
) -> None:
    """Whoever may read may see it."""
    trip(database_url, RANGE)
    reader = Client(client.app, make_key(database, Scope.READ))

    assert len(reader.get("form-breakers")["items"]) == 1
    reader.post("form-breakers/close", {"key": RANGE}, 403)


def test_a_till_is_told_to_come_again(client: Client, database_url: str) -> None:
    """While its range is stopped nothing is recorded; the same call passes afterwards."""
    trip(database_url, RANGE)
    key = {"Idempotency-Key": "receipt-4711"}

    refused = client.send("POST", "opt-ins", json=TILL, headers=key)

    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "300"
    with connect(database_url, "test") as connection:
        assert connection.execute("SELECT count(*) FROM subscribers").fetchall() == [(0,)]
    client.post("form-breakers/close", {"key": RANGE})
    assert client.post("opt-ins", TILL, headers=key)["answer"] == "asked"


def test_calls_have_a_budget_for_each_range(client: Client) -> None:
    """A key that leaked does not text ten thousand numbers of a range that somebody rents."""
    given = LIMITS[Door.API]
    (most,) = (x.most for x in given if (x.scope, x.per) == (Counted.PREFIX, "hour"))
    statuses = [
        client.send("POST", "opt-ins", json=TILL | {"phone": f"+1415555{n:04d}"}).status_code
        for n in range(100, 101 + most)
    ]

    assert statuses == [200] * most + [429]
    elsewhere = TILL | {"phone": "+12125550124"}
    assert client.post("opt-ins", elsewhere)["answer"] == "asked"


@pytest.mark.parametrize("tripped", [True, False])
def test_the_doctor_names_what_is_stopped(
    settings: Settings, database_url: str, redis_url: str, tripped: bool
) -> None:
    """And says nothing in peace."""
    if tripped:
        trip(database_url, "form:country:US")
    settings = replace(settings, database_url=database_url, redis_url=redis_url)
    found = [each for each in examine_servers(settings, time.time) if each.subject == "forms"]

    assert [(each.ok, "form:country:US" in each.sentence) for each in found] == (
        [(False, True)] if tripped else []
    )
