"""Where a request comes from, as far as that can be known."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping, MutableMapping
from functools import lru_cache
from typing import Any


def believe(environ: MutableMapping[str, Any], proxies: int) -> None:
    """Put the visitor's address in the place of the last proxy's (TRUSTED_PROXIES).

    Each proxy adds whom it saw to the right of X-Forwarded-For; what stands further left was
    written by the visitor, and proves nothing. With fewer entries than proxies, or none that is an
    address, the request did not come through them and the connection's own address stays.
    """
    if not proxies:
        return
    seen = [part.strip() for part in str(environ.get("HTTP_X_FORWARDED_FOR") or "").split(",")]
    if len(seen) >= proxies and _parsed(seen[-proxies]) is not None:
        environ["REMOTE_ADDR"] = seen[-proxies]


def address(environ: Mapping[str, object]) -> str:
    """The visitor's IP address; of a request that ``believe`` has seen."""
    return str(environ.get("REMOTE_ADDR") or "")


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


@lru_cache(maxsize=4096)
def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address; one of IPv4 that is written as one of IPv6 counts as what it is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, ipaddress.IPv6Address) else None
    return mapped or parsed
