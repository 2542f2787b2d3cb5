"""The ticker finds everything that nobody rang for, alone among many, with Redis or without."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from redis import Redis

from storage.database import connect
from storage.settings import Settings
from storage.sweeps import leading
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, Scene, somebody
from tests.worker.test_main import NO_DATABASE, NOWHERE, wait_for
from worker import runtime as processes
from worker import sweeps, ticker
from worker.main import new_worker
from worker.queues import Bell
from worker.runtime import Line, Runtime
from worker.stopping import Stop, pause_s
from worker.ticker import REMIND_EVERY_S, Ticker, run, tick_until


@pytest.fixture
def new_ticker(
    ready: Settings, new_runtime: Callable[[], Runtime]
) -> Iterator[Callable[..., Ticker]]:
    """Makes tickers as separate processes have them."""
    with ExitStack() as stack:

        def make(redis_url: str | None = None) -> Ticker:
            assert ready.database_url is not None
            assert ready.redis_url is not None
            line, bell = Line(ready.database_url, "test"), Bell(redis_url or ready.redis_url)
            stack.callback(line.drop)
            stack.callback(bell.close)
            return Ticker(new_runtime(), line, bell)

        yield make


def jobs(url: str) -> int:
    """How many wake-ups wait."""
    with Redis.from_url(url) as redis:
        return int(redis.llen("rq:queue:send"))


def test_of_several_tickers_one_works(
    scene: Scene, database_url: str, new_ticker: Callable[..., Ticker]
) -> None:
    """While one holds the lock the others do nothing; when it is gone the next takes over."""
    scene.hear(ANNA, "JOIN")
    scene.turn_back(ANNA, days=8)
    with connect(database_url, "other ticker") as other, leading(other) as ours:
        assert ours
        assert not new_ticker().tick()
        assert scene.state(ANNA) == "pending"
    assert new_ticker().tick()
    assert scene.state(ANNA) == "none"


def test_many_tickers_at_once_do_everything_once(
    scene: Scene, new_ticker: Callable[..., Ticker]
) -> None:
    """Four tickers, one expiry, one reminder."""
    anna = somebody(awake=True)
    scene.hear(anna, "JOIN")
    scene.turn_back(anna, hours=25)
    scene.hear(ANNA, "COFFEE")
    scene.turn_back(ANNA, days=8)
    tickers, barrier = [new_ticker() for _ in range(4)], threading.Barrier(4)

    def tick(each: Ticker) -> None:
        barrier.wait()
        each.tick()

    threads = [threading.Thread(target=tick, args=(each,)) for each in tickers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for each in tickers:
        each.tick()
    assert scene.changes(anna) == ["optin_requested", "optin_reminded"]
    assert scene.changes(ANNA) == ["optin_requested", "optin_expired"]
    assert len(scene.messages()) == 1


def test_a_restored_database_is_seen_at_once(
    scene: Scene, new_ticker: Callable[..., Ticker]
) -> None:
    """Although nothing is due: an operator must learn of it before something is."""
    scene.connection.execute("UPDATE instance SET place = 'elsewhere'")
    new_ticker().tick()
    ((held,),) = scene.connection.execute("SELECT held_since IS NOT NULL FROM instance").fetchall()
    assert held


def test_a_flushed_redis_costs_time_and_nothing_else(
    scene: Scene, redis_url: str, runtime: Runtime, new_ticker: Callable[..., Ticker]
) -> None:
    """The wake-up is gone, the row is not; the ticker rings again and the worker sends."""
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    ticking = new_ticker()
    ticking.tick()
    assert jobs(redis_url) == 1
    with Redis.from_url(redis_url) as redis:
        redis.flushdb()
        ticking.tick()
        assert scene.message(key)["state"] == "queued"
        processes.install(runtime)
        new_worker(redis, Stop()).work(burst=True, logging_level="CRITICAL")
        processes.install(None)
    assert scene.message(key)["state"] == "accepted"


def test_without_redis_the_ticker_sends_by_itself(
    scene: Scene, twilio: Twilio, new_ticker: Callable[..., Ticker]
) -> None:
    """Redis away is degraded, not down."""
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    new_ticker(NOWHERE).tick()
    assert scene.message(key)["state"] == "accepted"
    assert len(twilio.got(ANNA)) == 1


def test_when_no_worker_answers_the_ticker_sends_by_itself(
    scene: Scene, new_ticker: Callable[..., Ticker]
) -> None:
    """Not at once: the worker gets its time first."""
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    ticking = new_ticker()
    ticking.tick()
    assert scene.message(key)["state"] == "queued"
    scene.connection.execute("UPDATE messages SET not_before = not_before - interval '20 s'")
    ticking.tick()
    assert scene.message(key)["state"] == "accepted"


def test_nothing_due_rings_for_nobody(
    scene: Scene, redis_url: str, new_ticker: Callable[..., Ticker]
) -> None:
    """A quiet night is quiet in Redis too."""
    new_ticker().tick()
    assert jobs(redis_url) == 0


def test_reminders_are_looked_for_once_a_minute(
    new_ticker: Callable[..., Ticker], monkeypatch: pytest.MonkeyPatch
) -> None:
    """They read more rows than the other sweeps, and a minute matters to nobody."""
    clock, looked = [1000.0], []
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    monkeypatch.setattr(sweeps, "remind", lambda *_: looked.append(clock[0]))
    ticking = new_ticker()
    for _ in range(3):
        ticking.tick()
        clock[0] += REMIND_EVERY_S / 2
    assert looked == [1000.0, 1000.0 + REMIND_EVERY_S]


def test_a_ticker_waits_for_a_database_that_is_away(
    ready: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """It warns, pauses and goes on, until it is asked to stop."""
    stop = Stop()
    away = replace(ready, database_url=NO_DATABASE)
    thread = threading.Thread(target=tick_until, args=(away, stop))
    thread.start()
    assert wait_for(lambda: len(caplog.records) >= 2)
    stop.asked = True
    thread.join(10)
    assert not thread.is_alive()
    assert {record.message for record in caplog.records} == {
        "the database is away: OperationalError"
    }


def test_a_ticker_outlives_its_connections(scene: Scene, new_ticker: Callable[..., Ticker]) -> None:
    """PostgreSQL restarts between two rounds: one round fails, the next one works."""
    ticking = new_ticker()
    assert ticker._once(ticking, 0) == 0
    scene.connection.execute("SET ROLE NONE")
    scene.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    assert ticker._once(ticking, 0) == 1
    assert ticker._once(ticking, 1) == 0


def test_a_ticker_process_ends_cleanly_on_sigterm(scene: Scene, ready: Settings) -> None:
    """The whole process: it works, then it stops when asked."""
    scene.hear(ANNA, "JOIN")
    scene.turn_back(ANNA, days=8)
    process = multiprocessing.get_context("spawn").Process(target=run, args=(ready,))
    process.start()
    try:
        assert wait_for(lambda: scene.state(ANNA) == "none")
        assert process.pid is not None
        os.kill(process.pid, signal.SIGTERM)
        process.join(10)
        assert process.exitcode == 0
    finally:
        process.kill()
        process.join()


def test_pauses_after_failures_grow_and_stay_bounded() -> None:
    """From half a second to fifteen at most, spread by chance."""
    assert 0.25 <= pause_s(0) <= 0.75
    assert all(5 <= pause_s(failures) <= 15 for failures in (5, 50, 5000))


def test_a_sleep_ends_when_somebody_asks() -> None:
    """SIGTERM must not wait for the pause to be over."""
    stop = Stop()
    threading.Timer(0.2, lambda: setattr(stop, "asked", True)).start()
    started = time.monotonic()
    stop.sleep(30)
    assert time.monotonic() - started < 5
