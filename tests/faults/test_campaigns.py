"""Campaigns that are hurt while they run, in short; ``make faults`` runs the long versions."""

from __future__ import annotations

import random
import time
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from bot.engines.valkey import EmbeddedValkey
from storage import instance
from tests.engines import Servers, cloned
from tests.faults import scenarios
from tests.faults.conftest import NewStage
from tests.faults.engines import durable_postgres
from tests.faults.stage import Stage

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
    pytest.mark.xdist_group("faults"),
]


def test_killed_workers_text_nobody_twice(new_stage: NewStage, chance: random.Random) -> None:
    """Everybody ends in one state, the sums match, and no one is texted twice."""
    report = scenarios.kill_workers(new_stage(0.05), chance, people=200, kills=8, rate=40)
    assert report.breaches == []
    assert report.twice == 0
    assert sum(report.states.values()) == 200


def test_a_stop_in_mid_campaign_is_the_end(new_stage: NewStage, chance: random.Random) -> None:
    """Without a crash no text is accepted after the STOP was recorded."""
    report = scenarios.stop_in_mid_campaign(new_stage(0.1), chance, people=150, leaving=40, rate=40)
    assert report.breaches == []
    assert report.late == []


def test_a_stop_beside_crashes_is_late_by_one_call_at_most(
    new_stage: NewStage, chance: random.Random
) -> None:
    """What was on the wire as its worker died may be late, and each is flagged."""
    report = scenarios.stop_in_mid_campaign(
        new_stage(0.1), chance, people=150, leaving=40, rate=40, kills=6
    )
    assert report.breaches == []
    assert report.raced == len(report.late)


def test_a_campaign_outlives_redis(new_stage: NewStage, tmp_path: Path) -> None:
    """Emptied at a tenth, killed at a half, both at nine tenths: all is sent, once."""
    valkey = EmbeddedValkey(tmp_path / "valkey")
    valkey.start()
    try:
        stage = new_stage(0.02, valkey.url)
        report = scenarios.lose_redis(stage, valkey, people=120, rate=40)
        stage.close()
    finally:
        valkey.stop()
    assert report.breaches == []
    assert report.states == {"accepted": 120}


def test_a_campaign_outlives_postgresql(tmp_path: Path, redis_url: str) -> None:
    """Shut down at once in mid-campaign, twice; what was committed is committed."""
    with durable_postgres(tmp_path / "pg") as server:
        stage = Stage(tmp_path / "home", server.url, redis_url, 0.05)
        try:
            report = scenarios.restart_postgres(stage, server, people=100, rate=40)
        finally:
            stage.close()
    assert report.breaches == []


def test_a_carrier_that_misbehaves_costs_no_second_text(new_stage: NewStage) -> None:
    """429, 5xx, resets and hangs after the text was accepted, and 401: the breaker opens."""
    report = scenarios.bad_carrier(new_stage(), people=120, rate=40)
    assert report.breaches == []
    assert report.states.keys() <= {"accepted", "unknown"}


def test_callbacks_in_any_order_and_number_come_to_the_same(new_stage: NewStage) -> None:
    """Repeated, shuffled, early or missing; one alone proves that the text was accepted."""
    stage = new_stage()
    report = scenarios.odd_callbacks(stage, people=80, rate=40)
    assert report.breaches == []
    ((delivered,),) = stage.connection.execute(
        "SELECT count(*) FROM recipients WHERE delivery = 'delivered'"
    ).fetchall()
    assert delivered > 40


def test_a_stop_that_nobody_heard_comes_before_the_next_text(new_stage: NewStage) -> None:
    """The web is down; the campaign waits, and goes on when the carrier's log was read."""
    shift = timedelta(seconds=23)
    report = scenarios.web_down(new_stage(), people=60, leaving=10, rate=6, shift=shift)
    assert report.breaches == []
    assert report.states == {"accepted": 50, "refused": 10}


def test_an_older_home_and_database_send_nothing_until_confirmed(
    tmp_path: Path, redis_url: str
) -> None:
    """Put back together as if nothing had been sent since."""
    with durable_postgres(tmp_path / "pg") as server:
        stage = Stage(tmp_path / "home", server.url, redis_url, 0.02)
        try:
            report = scenarios.put_back(stage, server, tmp_path, people=80, rate=8)
        finally:
            stage.close()
    assert report.breaches == []
    assert report.states.keys() == {"accepted", "canceled"}


def test_a_worker_that_slept_sends_nothing_stale(new_stage: NewStage) -> None:
    """It lost its time, not its claim: what it held is asked about anew."""
    report = scenarios.sleep_and_wake(new_stage(0.1), people=100, rate=40, seconds=4)
    assert report.breaches == []


def test_launched_by_four_and_found_by_three_it_goes_once(new_stage: NewStage) -> None:
    """A launch is idempotent, and tickers take turns."""
    assert scenarios.launch_twice(new_stage(), people=80, rate=60).breaches == []


def test_a_database_in_doubt_sends_nothing_until_it_is_confirmed(new_stage: NewStage) -> None:
    """It hears a STOP meanwhile."""
    report = scenarios.held(new_stage(), people=40, rate=60)
    assert report.breaches == []
    assert report.accepted == 37


def test_a_clone_sends_nothing_until_it_is_confirmed(
    new_stage: NewStage, engine_servers: Servers, redis_url: str, tmp_path: Path
) -> None:
    """A copy of the database is known for one by its place, with nobody telling."""
    stage = new_stage()
    stage.people(60)
    number = stage.launch(10)
    stage.crew.start("ticker 1", "worker 1")
    stage.wait_sent(number, 45)
    stage.crew.stop()
    stage.connection.close()
    source = psycopg.conninfo.conninfo_to_dict(stage.database_url)["dbname"]
    with cloned(engine_servers.admin_url, f"{source}_clone", str(source)) as url:
        copy = Stage(tmp_path / "home", url, redis_url)
        try:
            copy.crew.start("ticker 1", "worker 1")
            copy.wait(lambda: instance.look(copy.connection).held_since is not None, 20)
            time.sleep(3.0)
            assert copy.accepted() == []
            instance.confirm(copy.connection, 0, "test")
            copy.wait_sent(number, 0)
            assert len(copy.accepted()) > 0
        finally:
            copy.close()
