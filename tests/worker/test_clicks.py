"""Hits become clicks: judged, counted once, and known to the orders they led to."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest

from storage.click_log import ClickLog, LoggedHit
from storage.database import connect
from storage.transaction import atomic
from tests.worker.sales import Sales
from tests.worker.scene import ANNA, BEN, Scene
from worker import clicks
from worker.policy import click_ids
from worker.policy.hits import MANY_CODES

PHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko) Version/17.5 Mobile/15E148 Safari/604.1"
)
PREVIEW = "Mozilla/5.0 facebookexternalhit/1.1 Facebot Twitterbot/1.0"


@pytest.fixture
def sales(scene: Scene) -> Sales:
    """Anna and Ben are subscribed."""
    for phone in (ANNA, BEN):
        scene.hear(phone, "JOIN", "YES")
    return Sales(scene)


def hit(recipient: int, number: int, **over: Any) -> LoggedHit:
    """A tap on a text's first link, now."""
    now = int(datetime.now(UTC).timestamp() * 1000)
    usual = LoggedHit(
        click_ids.make(now, number), recipient, 0, now, "GET", PHONE, "192.0.2.0/24", "00ff00ff", {}
    )
    return replace(usual, **over)


def tallies(sales: Sales, campaign: int) -> tuple[int, int, int]:
    """Hits, human hits and people of a campaign, as they are counted."""
    ((raw, human, clickers),) = sales.scene.connection.execute(
        "SELECT coalesce(sum(raw), 0), coalesce(sum(human), 0), coalesce(sum(clickers), 0)"
        " FROM click_tallies WHERE campaign_id = %s",
        (campaign,),
    ).fetchall()
    return int(raw), int(human), int(clickers)


def labels(sales: Sales) -> list[str]:
    """The labels of all clicks, by time."""
    rows = sales.scene.connection.execute("SELECT label FROM clicks ORDER BY id").fetchall()
    return [label for (label,) in rows]


def store(sales: Sales, *hits: LoggedHit) -> int:
    """Store hits in a transaction of their own."""
    with atomic(sales.scene.connection):
        return clicks.store(sales.scene.connection, hits)


def test_the_log_is_drained_into_clicks_that_are_judged(sales: Sales, tmp_path: Path) -> None:
    """A preview is one raw hit and no person; a tap twice is two hits and one person."""
    campaign = sales.campaign("Spring")
    text = sales.text(campaign, ANNA)
    log = ClickLog(tmp_path)
    log.append([hit(text, 1, agent=PREVIEW), hit(text, 2), hit(text, 3)])
    drain = clicks.ClickDrain(tmp_path)

    assert drain.run(sales.scene.connection) == 3

    assert labels(sales) == ["agent.preview.imessage", "human", "human"]
    assert tallies(sales, campaign) == (3, 2, 1)
    log.close()
    assert drain.run(sales.scene.connection) == 0
    assert clicks.ClickDrain(tmp_path).run(sales.scene.connection) == 0
    assert tallies(sales, campaign) == (3, 2, 1)


def test_a_database_that_is_away_or_slow_costs_no_click(
    sales: Sales, tmp_path: Path, database_url: str
) -> None:
    """The same drain stores later what it could not store; slow is no reason to stop a ticker."""
    text = sales.text(sales.campaign("Spring"), ANNA)
    log, drain = ClickLog(tmp_path), clicks.ClickDrain(tmp_path)
    log.append([hit(text, 1), hit(text, 2)])
    log.close()
    gone = connect(database_url, "test")
    gone.close()

    with pytest.raises(psycopg.OperationalError):
        drain.run(gone)
    with connect(database_url, "test") as slow, atomic(sales.scene.connection):
        slow.execute("SET statement_timeout = '100ms'")
        sales.scene.connection.execute("LOCK TABLE clicks")
        assert drain.run(slow) == 0

    assert drain.run(sales.scene.connection) == 2
    assert labels(sales) == ["human", "human"]


def test_people_are_counted_once_whatever_the_batches(sales: Sales) -> None:
    """Two people, several visits, several links and hours: the sum is the number of people."""
    campaign = sales.campaign("Spring")
    anna, ben = sales.text(campaign, ANNA, ago=300), sales.text(campaign, BEN, 1, ago=300)
    earlier = int((datetime.now(UTC) - timedelta(hours=2)).timestamp() * 1000)
    store(sales, hit(anna, 1), hit(ben, 2, link_number=1), hit(anna, 3, at_ms=earlier))
    store(sales, hit(anna, 4), hit(ben, 5))

    assert tallies(sales, campaign) == (5, 5, 2)


def test_a_hit_of_a_message_that_is_gone_is_passed_over(sales: Sales) -> None:
    """Nobody is left who it could be about."""
    assert store(sales, hit(999_999, 1)) == 0


def test_many_codes_from_one_machine_are_no_people(sales: Sales) -> None:
    """Found when the last becomes known, also for those that were counted as people before."""
    campaign = sales.campaign("Spring")
    people = [sales.scene.hear(f"+1415555{n:04d}", "JOIN", "YES") for n in range(MANY_CODES)]
    assert all(people)
    texts = [sales.text(campaign, f"+1415555{n:04d}") for n in range(MANY_CODES)]
    half = MANY_CODES // 2
    store(sales, *[hit(text, n) for n, text in enumerate(texts[:half])])
    assert tallies(sales, campaign) == (half, half, half)

    elsewhere = hit(sales.text(campaign, ANNA), 77, address_key="11aa")
    store(sales, *[hit(text, 30 + n) for n, text in enumerate(texts[half:])], elsewhere)

    assert sorted(labels(sales)) == ["address.many_codes"] * MANY_CODES + ["human"]
    assert tallies(sales, campaign) == (MANY_CODES + 1, 1, 1)


def test_clicks_are_judged_again_on_demand(sales: Sales) -> None:
    """Rules change; what was kept of a hit is judged by those of today, and counted anew."""
    campaign = sales.campaign("Spring")
    text = sales.text(campaign, ANNA)
    store(sales, hit(text, 1), hit(text, 2, agent=PREVIEW))
    connection = sales.scene.connection
    connection.execute("UPDATE clicks SET label = 'agent.mistaken', label_version = 'old'")
    day = timedelta(days=1)

    with atomic(connection):
        moved = clicks.reclassify(connection, sales.now() - day, sales.now() + day)

    assert moved == {"human": 1, "agent.preview.imessage": 1}
    assert tallies(sales, campaign) == (2, 1, 1)
    with atomic(connection):
        assert clicks.reclassify(connection, sales.now() - day, sales.now() + day) == {}


def test_an_order_that_was_faster_than_the_log_gets_its_credit(sales: Sales) -> None:
    """The click's id came with the order; the click itself a moment later."""
    text = sales.text(sales.campaign("Spring"), ANNA)
    tap = hit(text, 1)
    key = sales.order(None, click_ids=(tap.id,))
    assert sales.credit(key) is None

    store(sales, tap)

    credit = sales.credit(key)
    assert credit is not None
    assert credit.message == text
