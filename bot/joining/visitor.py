"""Who sent a request, as far as that can be known: address, language, where they came from."""

from __future__ import annotations

import ipaddress
from typing import Final
from urllib.parse import urlsplit, urlunsplit

from flask import Request

from keywords.replies import LANGUAGES
from keywords.shop import Program

LONGEST: Final = 300


def address(request: Request) -> str:
    """The visitor's IP address.

    A proxy in front of us is on our own network and adds whom it saw to X-Forwarded-For; what
    stands further left there was written by the visitor, and proves nothing.
    """
    peer = request.remote_addr or ""
    if not _ours(peer):
        return peer
    seen = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",")]
    return next((part for part in reversed(seen) if part and not _ours(part)), peer)


def _ours(address: str) -> bool:
    """Whether this is an address of our own network; what is no address counts as ours."""
    try:
        return ipaddress.ip_address(address).is_private
    except ValueError:
        return True


def language(request: Request, program: Program) -> str:
    """The language asked for (``?lang=es``), else the visitor's, else the program's."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES, program.language) or program.language


def user_agent(request: Request) -> str:
    """What the browser calls itself, capped."""
    return printable(request.headers.get("User-Agent", ""))


def without_query(url: str | None) -> str | None:
    """An http(s) address without its query and fragment, which may hold anything; else None."""
    if not url or len(url) > LONGEST * 4:
        return None
    try:
        parts = urlsplit(url)
    except ValueError:
        return None
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        return None
    return printable(urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")))


def printable(text: str) -> str:
    """Text without control characters, capped: PostgreSQL stores no NUL, and logs no line break."""
    return "".join(c for c in text[:LONGEST] if c.isprintable())
