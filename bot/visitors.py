"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from functools import lru_cache


def address(environ: Mapping[str, object]) -> str:
    """The visitor's IP address.

    A proxy in front of us is on our own network and adds whom it saw to X-Forwarded-For; what
    stands further left there was written by the visitor, and proves nothing.
    """
    peer = str(environ.get("REMOTE_ADDR") or "")
    if not _ours(peer):
        return peer
    seen = [part.strip() for part in str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")]
    return next((part for part in reversed(seen) if part and not _ours(part)), peer)


@lru_cache(maxsize=4096)
def network(address: str) -> str:
    """What one visitor has as a whole: an IPv4 address, or the /64 of an IPv6 one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if parsed.version == 4:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False))


@lru_cache(maxsize=4096)
def _ours(address: str) -> bool:
    """Whether this is an address of our own network; what is no address counts as ours."""
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return True
