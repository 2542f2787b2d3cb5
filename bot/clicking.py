"""Every hit on a link is on the disk before the visitor is sent on, and knows its click's id.

Hits of the same instant share one write (``storage.click_log``), so that a flush to the disk is
paid once for all of them. What is kept is what tells people from machines: the agent, the headers
that announce a prefetch, the address cropped and, hashed with a key, whole.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import os
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from bot.group import Group
from bot.links import Hit
from storage.click_log import ClickLog, LoggedHit
from worker.policy import click_ids
from worker.policy.hits import PREFETCH_HEADERS

_GROUP_LIMIT: Final = 512
_AGENT_LENGTH: Final = 400
_HEADER_LENGTH: Final = 100
_KEY_BYTES: Final = 8

log = logging.getLogger(__name__)


class ClickRecorder:
    """Keeps hits, and adds the click's id to where they go. Thread-safe; one for each process."""

    def __init__(self, home: Path, pepper: str) -> None:
        self._pepper = b"clicks\0" + pepper.encode()
        self._log = ClickLog(home)
        self._group: Group[LoggedHit, None] = Group(self._write, limit=_GROUP_LIMIT, shared=OSError)

    def __call__(self, hit: Hit) -> str:
        """The address to send the visitor to; the hit is durable when this returns.

        With a disk that is full or away the visitor goes on all the same, uncounted.
        """
        logged = self._logged(hit)
        try:
            self._group.submit(logged)
        except OSError as error:
            log.error("a click was not kept", extra={"reason": type(error).__name__})
            return hit.destination
        return click_ids.added(hit.destination, logged.id)

    def close(self) -> None:
        """Let the log go."""
        self._log.close()

    def _write(self, hits: Sequence[LoggedHit]) -> Sequence[None]:
        """One group. Only the leader of a group is ever in here, so the log is its own."""
        self._log.append(hits)
        return [None] * len(hits)

    def _logged(self, hit: Hit) -> LoggedHit:
        milliseconds = int(hit.at.timestamp() * 1000)
        address, agent = hit.address(), hit.header("User-Agent")[:_AGENT_LENGTH]
        given = ((name, hit.header(name)[:_HEADER_LENGTH]) for name in PREFETCH_HEADERS)
        return LoggedHit(
            id=click_ids.make(milliseconds, int.from_bytes(os.urandom(3), "big")),
            recipient_id=hit.recipient_id,
            link_number=hit.link_number,
            at_ms=milliseconds,
            method=hit.method,
            agent=agent.replace("\0", ""),
            address=cropped(address),
            address_key=self._key(address, agent),
            headers={name: value for name, value in given if value},
        )

    def _key(self, address: str, agent: str) -> str:
        """What stands for an address and its agent; without the pepper nobody can guess back."""
        whole = f"{address}\0{agent}".encode("utf-8", "replace")
        return hmac.digest(self._pepper, whole, hashlib.sha256)[:_KEY_BYTES].hex()


@lru_cache(maxsize=4096)
def cropped(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False))
