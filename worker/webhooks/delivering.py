"""Deliver what is queued: one signed POST each, to the address that was judged, tried again later.

A redirect is not followed and an answer is not read beyond a little: an endpoint can make us do
nothing but note its status.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Final

import urllib3

from storage import webhooks
from storage.database import Connection
from storage.transaction import atomic
from storage.webhooks import Attempt, Due
from worker.policy import webhook_signing
from worker.webhooks.address import BadAddress, Resolve, Target, resolve

BATCH: Final = 50
AT_ONCE: Final = 8
LEASE: Final = timedelta(minutes=2)
PATIENCE: Final = timedelta(days=5)
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=5)
_MOST_READ: Final = 64 * 1024
_MANY: Final = 5_000

_log = logging.getLogger(__name__)
Post = Callable[[Target, bytes, dict[str, str]], int]


class Courier:
    """Delivers for one process. ``local`` lets endpoints on this machine be tried out."""

    def __init__(
        self, secret_key: str, *, local: bool = False, lookup: Resolve | None = None
    ) -> None:
        self._secret_key = secret_key
        self._local = local
        self._lookup = lookup

    def deliver(self, connection: Connection) -> int:
        """Attempt what is due; answers how many were attempted."""
        with atomic(connection):
            due = webhooks.claim(connection, BATCH, LEASE)
        if not due:
            return 0
        with ThreadPoolExecutor(min(AT_ONCE, len(due)), thread_name_prefix="webhook") as pool:
            attempts = list(pool.map(self._attempt, due))
        _settle(connection, attempts)
        return len(due)

    def _attempt(self, due: Due) -> Attempt:
        status: int | None = None
        error: str | None = None
        try:
            target = resolve(due.url, local=self._local, lookup=self._lookup)
            secret = webhooks.opened(self._secret_key, due.secret)
            stamp = int(due.now.timestamp())
            headers = webhook_signing.headers(secret, str(due.id), stamp, due.body)
            status = post(target, due.body, headers)
        except BadAddress as refused:
            error = str(refused)
        except urllib3.exceptions.HTTPError as failed:
            error = type(failed).__name__
        if status is not None and 200 <= status < 300:
            return Attempt(due.id, True, status, None, None)  # noqa: FBT003 - the outcome itself
        wait = webhook_signing.wait(due.attempts)
        return Attempt(due.id, False, status, error or "status", wait)  # noqa: FBT003


def post(target: Target, body: bytes, headers: dict[str, str]) -> int:
    """POST to the very address that was judged, under the name it was asked for; the status.

    Raises ``urllib3.exceptions.HTTPError`` when there is no answer in time.
    """
    with _pool(target) as pool:
        answer = pool.urlopen(
            "POST",
            target.path,
            body=body,
            headers=headers | {"Host": target.host},
            redirect=False,
            retries=False,
            preload_content=False,
            assert_same_host=False,
        )
        try:
            answer.read(_MOST_READ)
        finally:
            answer.close()
        return int(answer.status)


def _pool(target: Target) -> urllib3.HTTPConnectionPool:
    if target.scheme == "http":
        return urllib3.HTTPConnectionPool(target.ip, target.port, timeout=_TIMEOUT)
    return urllib3.HTTPSConnectionPool(
        target.ip,
        target.port,
        timeout=_TIMEOUT,
        server_hostname=target.host,
        assert_hostname=target.host,
        cert_reqs="CERT_REQUIRED",
    )


def _settle(connection: Connection, attempts: Sequence[Attempt]) -> None:
    with atomic(connection):
        for attempt in attempts:
            webhooks.settle(connection, attempt, PATIENCE)
    undelivered = sum(not attempt.delivered for attempt in attempts)
    if undelivered:
        _log.warning("webhooks were not delivered", extra={"count": undelivered})
