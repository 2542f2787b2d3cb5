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
    return _within(address, 32, 64)


@lru_cache(maxsize=4096)
def neighbours(address: str) -> str:
    """What one customer of a hosting company may have: the /24 of IPv4, the /48 of IPv6."""
    return _within(address, 24, 48)


@lru_cache(maxsize=4096)
def is_public(address: str) -> bool:
    """Whether this is an address of the internet."""
    parsed = _parsed(address)
    return parsed is not None and parsed.is_global


def _within(address: str, bits: int, bits_of_6: int) -> str:
    parsed = _parsed(address)
    if parsed is None:
        return ""
    size = bits if parsed.version == 4 else bits_of_6
    found = ipaddress.ip_network((parsed, size), strict=False)
    return str(parsed) if size == parsed.max_prefixlen else str(found)


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; one of IPv4 that is written as one of IPv6 counts as what it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed


@lru_cache(maxsize=4096)
def _ours(address: str) -> bool:
    """Whether this is an address of our own network; what is no address counts as ours."""
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return True
