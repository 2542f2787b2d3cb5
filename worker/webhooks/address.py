"""Where a webhook may go: to hosts of the open internet, and only to the address that was seen.

Whoever may set up an endpoint must not be able to reach what lies behind our own walls (server-side
request forgery, OWASP ASVS 1.3.6). The name is resolved once, every address it has is judged, and
the connection is made to that very address, so that a name which answers differently the second
time (DNS rebinding) gains nothing.
"""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, urlsplit

HTTPS: Final = "https"
_PORTS: Final = {"https": 443, "http": 80}
_LONGEST: Final = 2_000
# Shared (100.64/10) and mapped addresses are not "private" to the library, and lead inside too.
_INSIDE: Final = (
    ipaddress.ip_network("100.64.0.0/10"),
    ipaddress.ip_network("64:ff9b::/96"),
    ipaddress.ip_network("2002::/16"),
)

Resolve = Callable[[str, int], Sequence[str]]


class BadAddress(ValueError):
    """A URL that no webhook may go to; the message says why and is fit for the person."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes: the address that is connected to, and the names it is asked under."""

    scheme: str
    host: str
    ip: str
    port: int
    path: str


def check(url: str, *, local: bool = False) -> None:
    """Raise :class:`BadAddress` for a URL that is none, or that can never be right.

    ``local`` allows plain HTTP to this machine, for trying things out with the simulator.
    """
    parts = _split(url)
    if local and _is_loopback(parts.hostname or ""):
        return
    if parts.scheme != HTTPS:
        raise BadAddress("Use an https address.")
    if parts.port not in (None, 443):
        raise BadAddress("Use the ordinary port of https.")


def resolve(url: str, *, local: bool = False, lookup: Resolve | None = None) -> Target:
    """The target of a URL, its name looked up now. Raises :class:`BadAddress`."""
    check(url, local=local)
    parts = _split(url)
    host = parts.hostname or ""
    port = parts.port or _PORTS[parts.scheme]
    addresses = (lookup or _lookup)(host, port)
    if not addresses:
        raise BadAddress("The host has no address.")
    if not (local and all(_is_loopback(each) for each in addresses)):
        for each in addresses:
            _require_outside(each)
    path = f"{parts.path or '/'}?{parts.query}" if parts.query else parts.path or "/"
    return Target(parts.scheme, host, addresses[0], port, path)


def _split(url: str) -> SplitResult:
    if len(url) > _LONGEST or any(c.isspace() or not c.isprintable() for c in url):
        raise BadAddress("This is not an address.")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise BadAddress("This is not an address.") from None
    if parts.scheme not in _PORTS or not parts.hostname:
        raise BadAddress("Give a full address, such as https://shop.example.com/hooks.")
    if parts.username is not None or parts.password is not None:
        raise BadAddress("Leave user name and password out of the address.")
    return parts


def _lookup(host: str, port: int) -> list[str]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise BadAddress("The host cannot be found.") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _require_outside(address: str) -> None:
    ip = ipaddress.ip_address(address.partition("%")[0])
    mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
    judged = mapped or ip
    inside = any(judged.version == net.version and judged in net for net in _INSIDE)
    if inside or not judged.is_global or judged.is_multicast or judged.is_reserved:
        raise BadAddress("The host leads to an address that is not on the open internet.")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
