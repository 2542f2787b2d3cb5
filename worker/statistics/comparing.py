"""Is one group better than another, or can nobody tell yet? One comparison, one answer.

Small lists are the rule, so "cannot tell yet" is the usual answer and says how many people it
would take. Where several variants are compared, each comparison must be surer, so that one of many
does not win by luck (Bonferroni).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import combinations
from typing import Any, Final

from keywords.data import load
from worker.statistics.intervals import CONFIDENCE, Interval, difference, needed

_DATA: Final[Mapping[str, Any]] = load("figures", "worker.data")["comparing"]
LEAST_PEOPLE: Final[int] = _DATA["least_people"]
LEAST_EVENTS: Final[int] = _DATA["least_events"]


class Verdict(StrEnum):
    """What can be said. ``TOO_FEW``: there is too little to compare at all."""

    BETTER = "better"
    WORSE = "worse"
    CANNOT_TELL = "cannot_tell_yet"
    TOO_FEW = "too_few"


SENTENCES: Final[Mapping[Verdict, str]] = {Verdict(v): s for v, s in _DATA["sentences"].items()}


@dataclass(frozen=True, slots=True)
class Group:
    """People, and how many of them did what is counted."""

    people: int
    events: int

    @property
    def share(self) -> float | None:
        """The share of those who did; None for a group of nobody."""
        return self.events / self.people if self.people else None


@dataclass(frozen=True, slots=True)
class Comparison:
    """The first group less the second. ``needed`` is about how many people each would need."""

    first: Group
    second: Group
    confidence: float
    difference: float | None
    interval: Interval
    verdict: Verdict
    needed: int | None

    @property
    def sentence(self) -> str:
        """The verdict for people."""
        return SENTENCES[self.verdict]


def compare(first: Group, second: Group, comparisons: int = 1) -> Comparison:
    """Compare two groups, as one of so many ``comparisons`` that are looked at together."""
    confidence = 1 - (1 - CONFIDENCE) / max(comparisons, 1)
    interval = difference(first.events, first.people, second.events, second.people, confidence)
    one, other = first.share, second.share
    seen = None if one is None or other is None else one - other
    verdict = _verdict(first, second, interval)
    open_ = verdict in (Verdict.CANNOT_TELL, Verdict.TOO_FEW)
    more = needed(one, other, confidence) if open_ and one is not None and other is not None else 0
    return Comparison(first, second, confidence, seen, interval, verdict, more or None)


def each_pair(groups: Mapping[str, Group]) -> Sequence[tuple[str, str, Comparison]]:
    """Every later group against every earlier one, by name, all of them equally sure together."""
    pairs = list(combinations(groups, 2))
    return [
        (later, earlier, compare(groups[later], groups[earlier], len(pairs)))
        for earlier, later in pairs
    ]


def _verdict(first: Group, second: Group, interval: Interval) -> Verdict:
    if min(first.people, second.people) < LEAST_PEOPLE:
        return Verdict.TOO_FEW
    if first.events + second.events < LEAST_EVENTS:
        return Verdict.TOO_FEW
    if 0.0 in interval:
        return Verdict.CANNOT_TELL
    return Verdict.BETTER if interval.low > 0 else Verdict.WORSE
