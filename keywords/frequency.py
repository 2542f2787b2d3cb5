"""How often a person wants to hear from us: "weekly", "2 a week", "máximo 3 al mes".

Every word of the text must belong to such a wish, so that "the weekly ad was great" or "2 a week
is what the doctor said" is not taken for one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from keywords.data import load
from keywords.signals import Frequency, Period, Reading, Signal

_DATA: Final = load("frequency")
_PERIODS: Final = {word: Period(name) for name, words in _DATA["period"].items() for word in words}
_ADVERBS: Final = {
    word: Frequency(count, Period(period)) for word, (count, period) in _DATA["adverb"].items()
}
ADVERBS: Final = frozenset(_ADVERBS)
_NUMBERS: Final[dict[str, int]] = _DATA["number"]
_FILLER: Final = frozenset(_DATA["filler"])
_LIMIT: Final = frozenset(_DATA["limit"])
_NEGATION: Final = frozenset(_DATA["negation"])
_LESS: Final = frozenset(_DATA["less"])
_TEXTS: Final = frozenset(_DATA["texts"])
_KNOWN: Final = (
    frozenset(_PERIODS)
    | frozenset(_ADVERBS)
    | frozenset(_NUMBERS)
    | _FILLER
    | _LIMIT
    | _NEGATION
    | _LESS
    | _TEXTS
)
_SPEAKS: Final = frozenset(_PERIODS) | frozenset(_ADVERBS) | _LESS
_LANGUAGE: Final[dict[str, str]] = {
    word: language for language, words in _DATA["language"].items() for word in words
}
LESS: Final = Frequency(1, Period.WEEK)
_LONGEST: Final = 14
_MOST: Final = 50


def read_frequency(words: Sequence[str], join_words: Mapping[str, str]) -> Reading | None:
    """The wish of a text, or None. ``words`` carry meaning (:func:`keywords.vocabulary.core`).

    A join keyword among them says which program the wish is for.
    """
    if len(words) > _LONGEST or _SPEAKS.isdisjoint(words):
        return None
    named = {join_words[word] for word in words if word in join_words}
    rest = [word for word in words if word not in join_words]
    if len(named) > 1 or not all(word in _KNOWN or word.isdigit() for word in rest):
        return None
    if _none_at_all(rest):
        return Reading(Signal.UNCLEAR_STOP, "frequency.none")
    wish = _wish(rest)
    if wish is None:
        return None
    rule, frequency = wish
    language = next((_LANGUAGE[word] for word in rest if word in _LANGUAGE), "en")
    return Reading(
        Signal.FREQUENCY,
        f"frequency.{rule}",
        language=language,
        program=next(iter(named), None),
        frequency=frequency,
    )


def _none_at_all(words: Sequence[str]) -> bool:
    """Whether the wish is for "0 a week": that is hardly a frequency."""
    numbers = [word for word in words if word.isdigit()]
    return bool(numbers) and all(int(word[:6]) == 0 for word in numbers)


def _wish(words: Sequence[str]) -> tuple[str, Frequency] | None:
    """The rule and the frequency, when the words make up one clear wish."""
    if _forbids(words):
        return None
    adverbs = {_ADVERBS[word] for word in words if word in _ADVERBS}
    periods = {_PERIODS[word] for word in words if word in _PERIODS}
    numbers = [_number(word) for word in words if word.isdigit() or word in _NUMBERS]
    if len(adverbs) + len(periods) > 1:
        return None
    if adverbs and not numbers:
        return "adverb", adverbs.pop()
    if periods:
        return _counted(words, periods.pop(), numbers)
    if not numbers and not adverbs and not _LESS.isdisjoint(words):
        return "less", LESS
    return None


def _counted(
    words: Sequence[str], period: Period, numbers: Sequence[int]
) -> tuple[str, Frequency] | None:
    """So many in each period; "every two weeks" is two in a month."""
    if not _EVERY.isdisjoint(words):
        return _every(period, numbers)
    count = max(numbers, default=0)
    if not 1 <= count <= _MOST:
        return None
    return "counted", Frequency(count, period)


_EVERY: Final = frozenset(_DATA["every"])


def _every(period: Period, numbers: Sequence[int]) -> tuple[str, Frequency] | None:
    gap = max(numbers, default=1)
    if gap == 1:
        return "every", Frequency(1, period)
    if period is Period.DAY and gap <= 7:
        return "every", Frequency(max(7 // gap, 1), Period.WEEK)
    if period is Period.WEEK and gap <= 4:
        return "every", Frequency(max(4 // gap, 1), Period.MONTH)
    return None


def _number(word: str) -> int:
    return int(word[:6]) if word.isdigit() else _NUMBERS[word]


def _forbids(words: Sequence[str]) -> bool:
    """Whether a "don't" or a "no" is more than the "not more than" of a limit."""
    if _NEGATION.isdisjoint(words):
        return False
    return _THAN.isdisjoint(words)


_THAN: Final = frozenset(_DATA["than"])
