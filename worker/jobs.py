"""What RQ may run, by name (see ``queues.JOBS``): a few lines each, without arguments."""

from __future__ import annotations

import logging
import time

import psycopg

from worker.runtime import current
from worker.sending import drain
from worker.stopping import pause_s

_log = logging.getLogger(__name__)


def send_due() -> None:
    """Send what is due. With the database away: wait a little; the ticker will ring again."""
    runtime = current()
    try:
        drain(runtime)
    except psycopg.OperationalError as error:
        runtime.line.drop()
        _log.warning("the database is away: %s", type(error).__name__)
        time.sleep(pause_s(0))
