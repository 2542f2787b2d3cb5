"""Where a link may lead: to the shop's own hosts, by https, and nowhere else.

Asked when a text is written and again at every redirect, so that a host which leaves the list stops
the links that were sent (reliability C2, T4).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from typing import Final
from urllib.parse import quote, urlsplit

from keywords import data

LONGEST: Final = 2000
SHORTENERS: Final = frozenset(data.load("shorteners", "worker.data")["hosts"])
_HOST: Final = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]"
)
_SENT: Final = re.compile(r"https://[!-~]+")
# What may stand in a path, query or fragment as it is (RFC 3986), and the sign of an escape.
_SAFE: Final = "/?#:@!$&'()*+,;=-._~%"


class BadLink(ValueError):
    """An address that no text may lead to. The message tells the author why.

    ``code`` is "link_insecure", "link_address", "link_shortener" or "link_host".
    """

    def __init__(self, code: str, sentence: str) -> None:
        super().__init__(sentence)
        self.code = code


def destination(link: str, hosts: Collection[str]) -> str:
    """The address that ``link`` writes, with every character fit for a header.

    Raises :class:`BadLink` when it is no https address of one of ``hosts``.
    """
    try:
        parts = urlsplit(link)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        raise BadLink("link_address", "This is not a valid address.") from None
    if parts.scheme != "https":
        raise BadLink("link_insecure", "A link must start with https://.")
    if parts.username is not None or parts.password is not None or port is not None:
        raise BadLink("link_address", "A link must not hold a user name, a password or a port.")
    if shortener(host):
        raise BadLink(
            "link_shortener",
            f"Carriers block texts with links of {host}; give the address it leads to.",
        )
    if not _HOST.fullmatch(host):
        raise BadLink("link_address", "The host must be a name in plain letters and digits.")
    if not allowed(host, hosts):
        raise BadLink(
            "link_host",
            f"The program may link to these hosts: {_listed(hosts)}; {host} is not among them.",
        )
    return _written(host, link)


def _written(host: str, link: str) -> str:
    """The address with a lower-case host and everything escaped that needs it."""
    _, _, rest = link.partition("://")
    tail = rest[len(re.split(r"[/?#]", rest, maxsplit=1)[0]) :]
    address = f"https://{host}{quote(tail, safe=_SAFE)}"
    if len(address) > LONGEST:
        raise BadLink("link_address", f"The address is longer than {LONGEST} characters.")
    return address


def may_redirect(address: str, hosts: Collection[str]) -> bool:
    """Whether a stored address may be answered to a visitor now."""
    if not _SENT.fullmatch(address) or len(address) > LONGEST:
        return False
    try:
        return destination(address, hosts) == address
    except BadLink:
        return False


def allowed(host: str, hosts: Iterable[str]) -> bool:
    """Whether ``host`` is one of ``hosts``, or below one."""
    return any(host == one or host.endswith(f".{one}") for one in hosts)


def shortener(host: str) -> bool:
    """Whether ``host`` belongs to a public link shortener."""
    return allowed(host, SHORTENERS)


def host_problem(host: str) -> str | None:
    """Why ``host`` cannot be on a program's list, or None."""
    if host != host.lower() or not _HOST.fullmatch(host):
        return "must be a host such as shop.example.com, in small letters"
    if shortener(host):
        return "is a public link shortener; carriers block texts with its links"
    return None


def _listed(hosts: Collection[str]) -> str:
    return ", ".join(sorted(hosts)) or "none yet"
