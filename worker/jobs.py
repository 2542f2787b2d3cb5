"""What RQ may run, by name (see ``queues.JOBS``): a few lines each, without arguments."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

import psycopg

from worker.campaigns.desk import desk_of
from worker.campaigns.drain import drain as drain_campaigns
from worker.queues import CAMPAIGNS, Bell
from worker.runtime import Runtime, current
from worker.sending import drain
from worker.stopping import pause_s

_log = logging.getLogger(__name__)


def send_due() -> None:
    """Send what is due. With the database away: wait a little; the ticker will ring again."""
    runtime = current()
    _while_there(runtime, lambda: drain(runtime))


def send_campaigns() -> None:
    """Send campaigns for a few seconds, and ring for more while there is more."""
    runtime = current()
    _while_there(runtime, lambda: _campaigns(runtime))


def _campaigns(runtime: Runtime) -> None:
    claimed = drain_campaigns(desk_of(runtime))
    if claimed and runtime.settings.redis_url and not runtime.stopping:
        bell = Bell(runtime.settings.redis_url)
        bell.ring(CAMPAIGNS)
        bell.close()


def _while_there(runtime: Runtime, work: Callable[[], object]) -> None:
    try:
        work()
        runtime.meters.hand_in(runtime.connection())
    except psycopg.OperationalError as error:
        runtime.line.drop()
        _log.warning("the database is away: %s", type(error).__name__)
        time.sleep(pause_s(0))
