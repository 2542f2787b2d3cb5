"""Intervals for shares and for their differences, honest for small lists. Pure Python.

Shares get Wilson's score interval, differences of two shares Newcombe's hybrid of the two (his
method 10): neither leaves the possible range, and both hold for ten people as for ten million,
where the textbook's "plus or minus" would say that nobody can be wrong when nobody has clicked yet.

Sources: E. B. Wilson, JASA 22 (1927) 209-212; R. G. Newcombe, Statistics in Medicine 17 (1998)
873-890, whose published examples are in the tests.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from math import sqrt
from statistics import NormalDist
from typing import Final

CONFIDENCE: Final = 0.95


@dataclass(frozen=True, slots=True)
class Interval:
    """From ``low`` to ``high``, both included."""

    low: float
    high: float

    def __contains__(self, value: float) -> bool:
        return self.low <= value <= self.high

    def times(self, factor: float) -> Interval:
        """The interval of a quantity ``factor`` times as large; ``factor`` is not negative."""
        return Interval(self.low * factor, self.high * factor)


@lru_cache(maxsize=64)
def deviations(confidence: float = CONFIDENCE) -> float:
    """How many standard deviations an interval reaches to each side: 1.96 for 95 %."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def share(part: int, whole: int, confidence: float = CONFIDENCE) -> Interval:
    """Where the true share may be when ``part`` of ``whole`` were seen (Wilson).

    Nothing seen says nothing: 0 to 1. Raises ``ValueError`` unless 0 <= part <= whole.
    """
    if not 0 <= part <= whole:
        raise ValueError("the part must be from 0 to the whole")
    if whole == 0:
        return Interval(0.0, 1.0)
    z = deviations(confidence)
    seen, square = part / whole, z * z / whole
    middle = (seen + square / 2) / (1 + square)
    reach = z / (1 + square) * sqrt(seen * (1 - seen) / whole + square / (4 * whole))
    low = 0.0 if part == 0 else max(middle - reach, 0.0)
    high = 1.0 if part == whole else min(middle + reach, 1.0)
    return Interval(low, high)


def difference(
    part: int, whole: int, other_part: int, other_whole: int, confidence: float = CONFIDENCE
) -> Interval:
    """Where the first true share less the second may be (Newcombe's hybrid score interval)."""
    first, second = share(part, whole, confidence), share(other_part, other_whole, confidence)
    if whole == 0 or other_whole == 0:
        return Interval(first.low - second.high, first.high - second.low)
    one, other = part / whole, other_part / other_whole
    below = sqrt((one - first.low) ** 2 + (second.high - other) ** 2)
    above = sqrt((first.high - one) ** 2 + (other - second.low) ** 2)
    return Interval(max(one - other - below, -1.0), min(one - other + above, 1.0))


def needed(one: float, other: float, confidence: float = CONFIDENCE, power: float = 0.8) -> int:
    """About how many people each of two groups needs, so that two shares can be told apart.

    With ``power`` the difference is found if it is there. 0 when there is none.
    """
    if one == other:
        return 0
    reach = deviations(confidence) + NormalDist().inv_cdf(power)
    spread = one * (1 - one) + other * (1 - other)
    return int(reach * reach * spread / (one - other) ** 2) + 1
