"""The id of a click as it travels: in the landing page's address, to the order, and back to us.

It is a first-party parameter of the shop's own page (``assent_click``). It says nothing about the
person; sixteen hexadecimal digits, of which the last third is chance.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import parse_qsl, urlsplit

PARAMETER: Final = "assent_click"
_WRITTEN: Final = re.compile(r"[0-7][0-9a-f]{15}")
_CHANCE_BITS: Final = 22
_LONGEST: Final = 4_000


def make(milliseconds: int, chance: int) -> int:
    """A click's id from its time in milliseconds since 1970 and 22 bits of chance."""
    return (milliseconds << _CHANCE_BITS) | (chance & ((1 << _CHANCE_BITS) - 1))


def write(click: int) -> str:
    """The id as it is written in addresses."""
    return f"{click:016x}"


def read(text: str) -> int | None:
    """The id that a text is, or None."""
    written = text.strip().lower()
    return int(written, 16) if _WRITTEN.fullmatch(written) else None


def added(destination: str, click: int) -> str:
    """A landing page's address with the click's id among its parameters, all else as it was."""
    page, hash_, fragment = destination.partition("#")
    address, _, query = page.partition("?")
    joined = f"{query}&" if query else ""
    return f"{address}?{joined}{PARAMETER}={write(click)}{hash_}{fragment}"


def of_address(address: str | None) -> tuple[int, ...]:
    """The ids in an address, or in a path with its query as shops keep it; usually one or none."""
    if not address or len(address) > _LONGEST:
        return ()
    try:
        query = urlsplit(address).query
        pairs = parse_qsl(query, max_num_fields=100)
    except ValueError:
        return ()
    return of_texts(value for name, value in pairs if name == PARAMETER)


def of_texts(texts: Iterable[str]) -> tuple[int, ...]:
    """The ids among texts, each once."""
    found = (read(text) for text in texts)
    return tuple(dict.fromkeys(click for click in found if click is not None))
