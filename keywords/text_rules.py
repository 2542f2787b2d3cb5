"""What a program says about the texts of its campaigns: where links lead, fields, the way out."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

# Twilio keeps the links that it shortens as long (rules 5.5).
LINK_DAYS: Final = 90
MOST_SEGMENTS: Final = 3


class OptOutLine(StrEnum):
    """When a text has to say how to opt out (CTIA: at regular intervals, at least monthly).

    ALWAYS: in every text; MONTHLY: in the first of a program and once a month; in both cases it
    is added where the author left it out. WRITTEN: in every text, and the author has to write it.
    """

    ALWAYS = "always"
    MONTHLY = "monthly"
    WRITTEN = "written"


@dataclass(frozen=True, slots=True)
class TextRules:
    """The rules for authors.

    ``link_hosts`` are the hosts that links may lead to, beside those of the program's terms and
    privacy pages; ``link_days`` how long a link works after its text was sent; ``attributes`` the
    shop's own fields that texts may use, without "attributes."; ``most_segments`` how many SMS
    segments pass without a warning. With ``plain_values`` names lose accents that would double
    the price of a text.
    """

    link_hosts: tuple[str, ...] = ()
    link_days: int = LINK_DAYS
    attributes: tuple[str, ...] = ()
    opt_out: OptOutLine = OptOutLine.ALWAYS
    most_segments: int = MOST_SEGMENTS
    plain_values: bool = False


def allowed_hosts(own: Iterable[str], *pages: str) -> frozenset[str]:
    """A program's own list of hosts, and those of its pages; "www." stands for all of a site."""
    hosts = {urlsplit(page).hostname or "" for page in pages}
    return frozenset(own) | {host.removeprefix("www.") for host in hosts if "." in host}
