"""Every hit on a link is on the disk before the visitor is sent on, and knows its click's id.

Hits of the same instant share one write (``storage.click_log``), so that a flush to the disk is
paid once for all of them. A flush costs as much of the processor as the rest of a redirect, so
there is at most one in a millisecond. What is kept is what tells people from machines: the agent,
the headers that announce a prefetch, the address cropped and, hashed with a key, whole.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import os
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Final

from bot.group import Group
from bot.links import Hit
from storage.click_log import ClickLog, LoggedHit
from worker.policy import click_ids
from worker.policy.hits import PREFETCH_HEADERS

_GROUP_LIMIT: Final = 512
_APART_S: Final = 0.001
_AGENT_LENGTH: Final = 400
_HEADER_LENGTH: Final = 100
_KEY_BYTES: Final = 8
# Ids that were given lately: more than one process can answer in many milliseconds.
_REMEMBERED: Final = 4_096
_PREFETCH_KEYS: Final = tuple(
    (name, f"HTTP_{name.upper().replace('-', '_')}") for name in PREFETCH_HEADERS
)

log = logging.getLogger(__name__)


class ClickRecorder:
    """Keeps hits, and adds the click's id to where they go. Thread-safe; one for each process."""

    def __init__(self, home: Path, pepper: str) -> None:
        self._pepper = b"clicks\0" + pepper.encode()
        self._log = ClickLog(home)
        self._given: tuple[set[int], set[int]] = (set(), set())
        self._group: Group[LoggedHit, int] = Group(
            self._write, limit=_GROUP_LIMIT, shared=OSError, apart=_APART_S
        )

    def __call__(self, hit: Hit) -> str:
        """The address to send the visitor to; the hit is durable when this returns.

        With a disk that is full or away the visitor goes on all the same, uncounted.
        """
        try:
            click = self._group.submit(self._logged(hit))
        except OSError as error:
            log.error("a click was not kept", extra={"reason": type(error).__name__})
            return hit.destination
        return click_ids.added(hit.destination, click)

    def close(self) -> None:
        """Let the log go."""
        self._log.close()

    def _write(self, hits: Sequence[LoggedHit]) -> Sequence[int]:
        """One group; answers the ids. Only the leader of a group is ever in here."""
        alone = [self._with_an_id_of_its_own(hit) for hit in hits]
        self._log.append(alone)
        return [hit.id for hit in alone]

    def _with_an_id_of_its_own(self, hit: LoggedHit) -> LoggedHit:
        """Chance may give two hits of one millisecond the same id; the second draws again."""
        lately, before = self._given
        while hit.id in lately or hit.id in before:
            hit = replace(hit, id=click_ids.make(hit.at_ms, _chance()))
        lately.add(hit.id)
        if len(lately) > _REMEMBERED:
            self._given = (set(), lately)
        return hit

    def _logged(self, hit: Hit) -> LoggedHit:
        milliseconds = int(hit.at.timestamp() * 1000)
        environ = hit.environ
        address, agent = hit.address(), hit.header("User-Agent")[:_AGENT_LENGTH]
        given = [name for name, key in _PREFETCH_KEYS if environ.get(key)]
        return LoggedHit(
            id=click_ids.make(milliseconds, _chance()),
            recipient_id=hit.recipient_id,
            link_number=hit.link_number,
            at_ms=milliseconds,
            method=hit.method,
            agent=agent.replace("\0", ""),
            address=cropped(address),
            address_key=self._key(address, agent),
            headers={name: hit.header(name)[:_HEADER_LENGTH] for name in given},
        )

    def _key(self, address: str, agent: str) -> str:
        """What stands for an address and its agent; without the pepper nobody can guess back."""
        whole = f"{address}\0{agent}".encode("utf-8", "replace")
        return hmac.digest(self._pepper, whole, hashlib.sha256)[:_KEY_BYTES].hex()


def _chance() -> int:
    return int.from_bytes(os.urandom(3), "big")


@lru_cache(maxsize=4096)
def cropped(address: str) -> str:
    """The network of an address: /24 of IPv4, /48 of IPv6; empty for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    bits = 24 if parsed.version == 4 else 48
    return str(ipaddress.ip_network((parsed, bits), strict=False))
