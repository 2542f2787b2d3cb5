"""Who sent a request, as far as that can be known: address, language, where they came from."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit, urlunsplit

from flask import Request

from bot import visitors
from keywords.replies import LANGUAGES
from keywords.shop import Program

LONGEST: Final = 300


def address(request: Request) -> str:
    """The visitor's IP address, see :func:`bot.visitors.address`."""
    return visitors.address(request.environ)


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
