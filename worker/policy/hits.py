"""Is this hit on a link a person's tap, or a machine that looked first?

Phones fetch a preview, carriers and mail gateways scan, browsers prefetch. Such hits are labelled
with the rule that caught them and never dropped, so that history can be judged again when the
rules in ``worker/data/hits.toml`` change. In doubt a hit is a person's: a rule must be sure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Final

from crawleruseragents import is_crawler

from keywords.data import load

_DATA: Final = load("hits", "worker.data")
VERSION: Final[str] = _DATA["version"]
HUMAN: Final = "human"
_TOO_SOON: Final = timedelta(seconds=_DATA["too_soon"]["seconds"])
MANY_CODES_LABEL: Final = "address.many_codes"
MANY_CODES: Final[int] = _DATA["many_codes"]["codes"]
MANY_CODES_WITHIN: Final = timedelta(seconds=_DATA["many_codes"]["seconds"])
_AGENTS: Final = tuple((row["label"], re.compile(row["pattern"])) for row in _DATA["agents"])
_PEOPLE: Final = re.compile(_DATA["people"]["pattern"])
_BROWSER: Final = re.compile(_DATA["browser"]["begins"])
_PRODUCTS: Final = frozenset(_DATA["browser"]["products"])
_SUSPICIOUS: Final = re.compile(_DATA["browser"]["suspicious"])
_HINTS: Final[tuple[str, ...]] = tuple(_DATA["browser"]["hints"])
_EXACTLY: Final[Mapping[str, str]] = _DATA["exactly"]
_COMMENTS: Final = re.compile(r"\([^()]*(?:\([^()]*\)[^()]*)*\)")
_PLATFORM: Final = re.compile(_DATA["browser"]["platform"])
_UNLUCKY: Final = re.compile(r"(?i)\bcubot\b|\bcubot_")
_PREFETCH: Final = {name: re.compile(words) for name, words in _DATA["prefetch"].items()}
PREFETCH_HEADERS: Final = tuple(_PREFETCH)
_LONGEST_AGENT: Final = 1_000


@dataclass(frozen=True, slots=True)
class Hit:
    """What is kept of one request for a link, as far as it tells who made it.

    ``headers`` are the prefetch headers alone, by lower-case name. ``delivered_at`` is when the
    text reached the phone, or else when the carrier took it; None where neither is known.
    ``codes_from_address`` counts the different codes asked for from the same address and agent
    within ``MANY_CODES_WITHIN`` of this hit.
    """

    method: str
    agent: str
    at: datetime
    headers: Mapping[str, str]
    delivered_at: datetime | None = None
    codes_from_address: int = 1


def classify(hit: Hit) -> str:
    """``HUMAN``, or the rule by which the hit is a machine's ("method.head", "agent.scanner")."""
    if hit.method != "GET":
        return f"method.{hit.method.lower()}"
    if hit.headers:
        for name, words in _PREFETCH.items():
            if name in hit.headers and words.search(hit.headers[name].lower()):
                return f"prefetch.{name}"
    machine = agent_rule(hit.agent[:_LONGEST_AGENT])
    if machine is not None:
        return machine
    if hit.delivered_at is not None and hit.at - hit.delivered_at < _TOO_SOON:
        return "timing.too_soon"
    if hit.codes_from_address >= MANY_CODES:
        return MANY_CODES_LABEL
    return HUMAN


def crowded(hits: Sequence[tuple[datetime, int]]) -> list[bool]:
    """For each hit of one machine, whether it is one of ``MANY_CODES`` different codes at once.

    ``hits`` are moments and codes in the order of time; "at once" is ``MANY_CODES_WITHIN`` before
    and after. One pass, however many there are: who asks for everything must not hold up the rest.
    """
    inside: Counter[int] = Counter()
    found: list[bool] = []
    first = after = 0
    for at, _ in hits:
        while after < len(hits) and hits[after][0] <= at + MANY_CODES_WITHIN:
            inside[hits[after][1]] += 1
            after += 1
        while hits[first][0] < at - MANY_CODES_WITHIN:
            inside[hits[first][1]] -= 1
            if not inside[hits[first][1]]:
                del inside[hits[first][1]]
            first += 1
        found.append(len(inside) >= MANY_CODES)
    return found


@lru_cache(maxsize=20_000)
def agent_rule(agent: str) -> str | None:
    """The rule by which a User-Agent is a machine's, or None for a browser's."""
    if not agent.strip():
        return "agent.empty"
    if agent in _EXACTLY:
        return f"agent.{_EXACTLY[agent]}"
    browser = _BROWSER.match(agent) is not None
    if browser and _is_plain(agent):
        return None
    in_app = browser and _PEOPLE.search(agent) is not None
    for label, pattern in _AGENTS:
        # An in-app browser carries its app's name, which may be its fetcher's name too.
        if pattern.search(agent) and not (in_app and label == "preview.other"):
            return f"agent.{label}"
    if not browser:
        return "agent.no_browser"
    return "agent.crawler" if not in_app and is_crawler(agent) else None


def _is_plain(agent: str) -> bool:
    """Names known browsers and engines only, and says nothing that machines say."""
    words = _COMMENTS.sub(" ", agent).split()
    if not _PRODUCTS.issuperset(word.partition("/")[0] for word in words if word[:1].isalpha()):
        return False
    if not _PLATFORM.search(agent):
        return False
    return not _is_suspicious(agent)


def _is_suspicious(agent: str) -> bool:
    """Says something that machines say; words are looked for first, which is ten times quicker."""
    lowered = agent.lower()
    for hint in _HINTS:
        if hint in lowered:
            return _SUSPICIOUS.search(_UNLUCKY.sub("", agent)) is not None
    return False
