"""The worker process: wait for wake-ups on one queue, and outlive Redis and PostgreSQL.

One queue for each process: with one RQ moves a job to a list of its own as it takes it, with
several it would drop the job when the process dies at that moment. ``SimpleWorker`` runs jobs in
this process: they are small, and a fork would need new connections for each.
"""

from __future__ import annotations

import logging
import time
from types import FrameType
from typing import Final

from redis import Redis
from redis.exceptions import RedisError
from rq import SimpleWorker
from rq.exceptions import StopRequested
from rq.worker import WorkerStatus

from storage.settings import Settings
from worker import runtime
from worker.queues import SEND, SERIALIZER, ListedJob, queue
from worker.stopping import Stop, pause_s

# An idle worker looks after abandoned jobs only when its blocking pop times out (RQ: 405 s).
WORKER_TTL_S: Final = 25
MAINTENANCE_S: Final = 15
_HEALTHY_S: Final = 30.0

_log = logging.getLogger(__name__)


class SendWorker(SimpleWorker):
    """RQ's worker, which stops between two jobs, and says so without asking Redis."""

    stop: Stop

    def request_stop(self, _signum: int, _frame: FrameType | None) -> None:
        """SIGTERM: finish the job at hand. RQ's own way writes to Redis in mid-job."""
        self.stop.asked = self._stop_requested = True
        if self.get_state() != WorkerStatus.BUSY:
            raise StopRequested

    def _install_signal_handlers(self) -> None:
        super()._install_signal_handlers()  # type: ignore[no-untyped-call]
        self._stop_requested = self.stop.asked


def run_worker(settings: Settings, name: str = SEND) -> None:
    """Work on the queue ``name`` until SIGTERM or Ctrl-C.

    Raises :class:`worker.runtime.NotSetUp`.
    """
    redis_url = runtime.required(settings.redis_url, "REDIS_URL")
    mine = runtime.Runtime(settings, f"worker {name}")
    mine.stop = Stop()
    runtime.install(mine)
    try:
        _keep_working(redis_url, mine.stop, name)
    finally:
        runtime.install(None)
        mine.close()


def _keep_working(redis_url: str, stop: Stop, name: str) -> None:
    failures = 0
    while not stop.asked:
        stop.listen()
        started = time.monotonic()
        _work(redis_url, stop, name)
        failures = 0 if time.monotonic() - started > _HEALTHY_S else failures + 1
        stop.listen()
        stop.sleep(pause_s(failures))


def _work(redis_url: str, stop: Stop, name: str) -> None:
    """RQ's loop until it ends: on request, or because Redis is away."""
    with Redis.from_url(redis_url) as redis:
        try:
            new_worker(redis, stop, name).work(logging_level="WARNING")
        except StopRequested:
            stop.asked = True
        except RedisError as error:
            _log.warning("Redis is away: %s", type(error).__name__)


def new_worker(redis: Redis, stop: Stop, name: str = SEND) -> SendWorker:
    """A worker on the queue ``name``. Raises ``redis.RedisError`` when Redis is away."""
    worker = SendWorker(
        [queue(name, redis)],
        connection=redis,
        serializer=SERIALIZER,
        job_class=ListedJob,
        worker_ttl=WORKER_TTL_S,
        maintenance_interval=MAINTENANCE_S,
        default_result_ttl=0,
        log_job_description=False,
    )
    worker.stop = stop
    return worker
