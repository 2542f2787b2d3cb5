"""The worker process: it works, it stops when asked, and nothing that is away makes it crash."""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing.context import SpawnProcess
from typing import Any

import pytest
from redis import Redis

from bot.simulator.faults import Fault, FaultKind
from storage.settings import Settings
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, Scene
from worker import jobs, runtime
from worker.main import new_worker, run_worker
from worker.queues import SEND, wake
from worker.runtime import NotSetUp, Runtime
from worker.stopping import Stop
from worker.ticker import tick_until

NOWHERE = "redis://127.0.0.1:1/0"
NO_DATABASE = "postgresql://assent@127.0.0.1:1/none"


@contextmanager
def running(settings: Settings) -> Iterator[SpawnProcess]:
    """A worker in a process of its own, which is gone afterwards."""
    process = multiprocessing.get_context("spawn").Process(target=run_worker, args=(settings,))
    process.start()
    try:
        yield process
    finally:
        process.kill()
        process.join()


def wait_for(condition: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Wait until something is so; False when the time is up."""
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition():
            return True
        time.sleep(0.1)
    return False


def asked_to_stop(process: SpawnProcess) -> int | None:
    """SIGTERM; the exit code, None when it does not end."""
    assert process.pid is not None
    os.kill(process.pid, signal.SIGTERM)
    process.join(10)
    return process.exitcode


@pytest.mark.usefixtures("twilio")
def test_a_worker_sends_on_a_wake_up_and_stops_on_sigterm(scene: Scene, ready: Settings) -> None:
    """The whole process, with a real Valkey between."""
    assert ready.redis_url is not None
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    with running(ready) as process:
        wake(ready.redis_url)({SEND})
        assert wait_for(lambda: scene.message(key)["state"] == "accepted")
        assert asked_to_stop(process) == 0


@pytest.mark.faults
def test_a_worker_that_is_killed_in_mid_call_leaves_nothing_to_send_twice(
    scene: Scene, twilio: Twilio, ready: Settings
) -> None:
    """SIGKILL while the carrier, which has accepted the text, has not answered yet."""
    assert ready.redis_url is not None
    twilio.carrier.faults.add(Fault(FaultKind.HANG_AFTER_ACCEPT, seconds=3, times=1))
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    with running(ready) as process:
        wake(ready.redis_url)({SEND})
        assert wait_for(lambda: len(twilio.got(ANNA)) == 1)
        process.kill()
        process.join()
    assert scene.message(key)["state"] == "sending"

    scene.connection.execute("UPDATE messages SET claimed_at = claimed_at - interval '61 s'")
    tick = threading.Thread(target=tick_until, args=(ready, stop := Stop()))
    tick.start()
    assert wait_for(lambda: scene.message(key)["state"] == "unknown")
    time.sleep(2.5)
    stop.asked = True
    tick.join()
    assert scene.message(key)["state"] == "unknown"
    assert len(twilio.got(ANNA)) == 1


def test_a_worker_waits_for_a_redis_that_is_away(ready: Settings) -> None:
    """It neither ends nor spins, and still hears SIGTERM."""
    with running(replace(ready, redis_url=NOWHERE)) as process:
        process.join(4)
        assert process.is_alive()
        assert asked_to_stop(process) == 0


def test_a_job_waits_for_a_database_that_is_away(
    ready: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """The job ends well, after a pause, so that RQ keeps no failure and the loop does not spin."""
    away = Runtime(replace(ready, database_url=NO_DATABASE), "test")
    runtime.install(away)
    started = time.monotonic()
    try:
        with caplog.at_level(logging.WARNING, logger="worker"):
            jobs.send_due()
    finally:
        runtime.install(None)
        away.close()
    assert time.monotonic() - started > 0.2
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_job_outside_a_worker_says_so() -> None:
    """Nobody can send from a process that was not set up for it."""
    with pytest.raises(NotSetUp, match="no worker"):
        jobs.send_due()


@pytest.mark.parametrize("missing", ["database_url", "redis_url"])
def test_a_worker_without_its_servers_says_which_is_missing(ready: Settings, missing: str) -> None:
    """One clear sentence."""
    without: dict[str, Any] = {missing: None}
    with pytest.raises(NotSetUp, match=f"{missing.upper()} is not set"):
        run_worker(replace(ready, **without))


def test_a_worker_that_was_asked_before_it_began_takes_no_job(
    ready: Settings, twilio: Twilio, scene: Scene
) -> None:
    """SIGTERM while it was still connecting."""
    assert ready.redis_url is not None
    wake(ready.redis_url)({SEND})
    stop = Stop()
    stop.asked = True
    with Redis.from_url(ready.redis_url) as redis:
        assert not new_worker(redis, stop).work(burst=True, logging_level="CRITICAL")
        assert redis.llen("rq:queue:send") == 1


def test_a_worker_listens_to_one_queue_only(redis_url: str) -> None:
    """With two, RQ loses the job that a dying worker had just taken."""
    with Redis.from_url(redis_url) as redis:
        assert [q.name for q in new_worker(redis, Stop()).queues] == [SEND]
