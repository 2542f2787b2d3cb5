"""Wake-ups by Redis: the names of the queues, how to ring, and which jobs may run.

A job carries nothing but "look for work": the work itself is rows in PostgreSQL, which the ticker
finds anyway. So a wake-up may be lost, doubled or forged without harm. Whoever can write to Redis
must not be able to run code here: the serializer is JSON, which is not enough by itself because
RQ imports any name, so :class:`ListedJob` runs only the functions on the list.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import Any, Final

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import import_attribute

from storage.transaction import Handover

SEND: Final = "send"
CAMPAIGNS: Final = "campaigns"
JOBS: Final = {SEND: "worker.jobs.send_due", CAMPAIGNS: "worker.jobs.send_campaigns"}
SERIALIZER: Final = JSONSerializer
JOB_TIMEOUT_S: Final = 60
_FAILURES_KEPT_S: Final = 7 * 24 * 3600
_CONNECT_S, _ANSWER_S = 0.5, 1.0
# After a failure nobody tries again for so long: requests must not queue up behind a dead Redis.
_SILENCE_S: Final = 2.0

_log = logging.getLogger(__name__)


class JobRefused(RuntimeError):
    """A job in Redis that is not one of ours."""


class ListedJob(Job):
    """A job that runs only what is in ``JOBS``, and never a callback or a web hook."""

    @property
    def func(self) -> Callable[[], Any]:
        """The function, when it is on the list. Raises :class:`JobRefused`."""
        name = self.func_name or ""
        if name not in JOBS.values() or self.instance is not None:
            raise JobRefused("A job that is not on the list was refused.")
        function: Callable[[], Any] = import_attribute(name)
        return function

    @property
    def success_callback(self) -> None:
        """We have none."""

    @property
    def failure_callback(self) -> None:
        """We have none."""

    @property
    def stopped_callback(self) -> None:
        """We have none."""

    def send_webhooks(self, *_: Any, **__: Any) -> None:
        """We have none: RQ would open any URL that it finds in Redis."""


def queue(name: str, connection: Redis) -> Queue:
    """The queue of this name, as both ends must open it."""
    return Queue(name, connection=connection, serializer=SERIALIZER, job_class=ListedJob)


class Bell:
    """Rings for the workers. A Redis that is away is noted and passed over in silence."""

    def __init__(self, redis_url: str) -> None:
        self._redis = Redis.from_url(
            redis_url,
            socket_connect_timeout=_CONNECT_S,
            socket_timeout=_ANSWER_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._silent_until = 0.0

    def ring(self, name: str) -> bool:
        """Wake the worker of a queue; False when Redis is away.

        A wake-up that still waits in the queue is enough: it starts after this call, and
        therefore sees what was committed before it.
        """
        if time.monotonic() < self._silent_until:
            return False
        try:
            self._enqueue(queue(name, self._redis))
        except RedisError as error:
            self._silent_until = time.monotonic() + _SILENCE_S
            _log.warning("no wake-up, the ticker will find the work: %s", type(error).__name__)
            return False
        return True

    def close(self) -> None:
        """Let the connections go."""
        self._redis.close()

    def _enqueue(self, waiting: Queue) -> None:
        if waiting.count == 0:
            waiting.enqueue_call(
                JOBS[waiting.name],
                timeout=JOB_TIMEOUT_S,
                result_ttl=0,
                failure_ttl=_FAILURES_KEPT_S,
            )


def wake(redis_url: str) -> Handover:
    """What ``storage.transaction`` calls after a commit, with the names of queues to wake.

    Raises ``KeyError`` for a queue that does not exist, and nothing when Redis is away.
    """
    bell = Bell(redis_url)

    def hand_over(names: set[str]) -> None:
        for name in sorted(names):
            bell.ring(name)

    return hand_over
