"""Wake-ups: they reach the worker, they may be lost, and they cannot be made to run other code."""

from __future__ import annotations

import json
import logging
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from rq import Callback
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.webhook import Webhook

from tests.worker.scene import ANNA, Scene
from worker import queues
from worker import runtime as processes
from worker.main import new_worker
from worker.queues import CAMPAIGNS, JOBS, SEND, Bell, JobRefused, ListedJob, queue, wake
from worker.runtime import Runtime
from worker.stopping import Stop

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture
def redis(redis_url: str) -> Iterator[Redis]:
    """The private Valkey."""
    with Redis.from_url(redis_url) as client:
        yield client


def work(redis: Redis) -> None:
    """Do what is in the queue, then stop."""
    new_worker(redis, Stop()).work(burst=True, logging_level="CRITICAL")


@pytest.fixture
def installed(runtime: Runtime) -> Iterator[None]:
    """The runtime as a worker process installs it."""
    processes.install(runtime)
    yield
    processes.install(None)


@pytest.mark.usefixtures("installed", "twilio")
def test_a_wake_up_makes_the_worker_send(scene: Scene, redis: Redis, redis_url: str) -> None:
    """From the commit to the carrier."""
    scene.hear(ANNA, "JOIN")
    key = scene.queue(ANNA)
    wake(redis_url)({SEND})
    work(redis)
    assert scene.message(key)["state"] == "accepted"


def test_wake_ups_do_not_pile_up(redis: Redis, redis_url: str) -> None:
    """One that waits is enough for a thousand commits."""
    hand_over = wake(redis_url)
    for _ in range(5):
        hand_over({SEND})
    assert queue(SEND, redis).count == 1


def test_a_redis_that_is_away_is_noted_and_not_asked_again_at_once(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request goes on; the next try comes after the silence."""
    clock = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: clock[0])
    bell = Bell(NOWHERE)
    with caplog.at_level(logging.WARNING, logger="worker"):
        assert not bell.ring(SEND)
        assert not bell.ring(SEND)
        assert len(caplog.records) == 1
        clock[0] += 3
        assert not bell.ring(SEND)
        assert len(caplog.records) == 2
    bell.close()


def test_a_failed_hand_over_fails_no_request() -> None:
    """What was committed stays committed, and the caller hears nothing."""
    wake(NOWHERE)({SEND})


def test_a_queue_that_does_not_exist_is_a_mistake_of_the_caller(redis_url: str) -> None:
    """Misspelt names must not vanish."""
    with pytest.raises(KeyError):
        wake(redis_url)({"sned"})


def forge(redis: Redis, function: str, *args: str, **over: Any) -> Job:
    """A job as somebody writes it who can write to Redis."""
    job = Job.create(
        function,
        args=args,
        connection=redis,
        serializer=JSONSerializer,
        origin=SEND,
        timeout=10,
        **over,
    )
    job.save()
    redis.rpush(queue(SEND, redis).key, job.id)
    redis.sadd("rq:queues", queue(SEND, redis).key)
    return job


@pytest.mark.parametrize("function", ["os.system", "subprocess.call", "worker.jobs.time.sleep"])
def test_a_function_that_is_not_on_the_list_does_not_run(
    redis: Redis, tmp_path: Path, function: str
) -> None:
    """JSON alone does not help: RQ would import any name and call it."""
    proof = tmp_path / "owned"
    job = forge(redis, function, f"touch {proof}")
    work(redis)
    assert not proof.exists()
    refused = ListedJob.fetch(job.id, connection=redis, serializer=JSONSerializer)
    assert refused.is_failed


@pytest.mark.parametrize("which", ["on_success", "on_failure", "on_stopped"])
@pytest.mark.parametrize("function", [JOBS[SEND], "os.getcwd"])
@pytest.mark.usefixtures("installed")
def test_a_callback_does_not_run(
    redis: Redis, monkeypatch: pytest.MonkeyPatch, which: str, function: str
) -> None:
    """Neither after a job of ours, which succeeds, nor after one that was refused."""
    called: list[object] = []
    monkeypatch.setattr(os, "system", lambda *args: called.append(args))
    job = forge(redis, function, **{which: Callback("os.system")})
    read = ListedJob.fetch(job.id, connection=redis, serializer=JSONSerializer)
    work(redis)
    assert queue(SEND, redis).count == 0
    assert called == []
    assert (read.success_callback, read.failure_callback, read.stopped_callback) == (None,) * 3


def test_a_web_hook_is_not_called(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """RQ would open any URL that it finds in the job."""
    opened: list[object] = []
    monkeypatch.setattr("rq.webhook.urlopen", lambda *args, **_: opened.append(args))
    forge(redis, "os.getcwd", webhooks=[Webhook("http://127.0.0.1:1/", "failed")])
    work(redis)
    assert opened == []


def test_a_method_of_an_object_in_the_job_is_not_called(redis: Redis) -> None:
    """The data may name an object beside the function; ours never do."""
    job = ListedJob("x", connection=redis, serializer=JSONSerializer)
    job.data = json.dumps([JOBS[SEND], "an object", [], {}]).encode()
    with pytest.raises(JobRefused):
        _ = job.func


def test_every_job_on_the_list_exists() -> None:
    """A name that is misspelt would be found out only by the first wake-up."""
    for name in JOBS.values():
        job = ListedJob("x", connection=Redis(), serializer=JSONSerializer)
        job.data = json.dumps([name, None, [], {}]).encode()
        assert callable(job.func)
    assert set(JOBS) == {SEND, CAMPAIGNS}
    assert queues.SERIALIZER is JSONSerializer
