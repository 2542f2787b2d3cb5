"""A wish to hear nothing for a while: "PAUSE 2 weeks", "pausa 10 días", "snooze"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from keywords.data import load
from keywords.signals import Reading, Signal

_DATA: Final = load("pause")
_PAUSE: Final[dict[str, str]] = {
    word: language for language, words in _DATA["pause"].items() for word in words
}
PAUSE_WORDS: Final = frozenset(_PAUSE)
_UNITS: Final[dict[str, int]] = _DATA["unit"]
_NUMBERS: Final[dict[str, int]] = _DATA["number"]
_FILLER: Final = frozenset(_DATA["words"]["filler"])
_UNTIL: Final = frozenset(_DATA["words"]["until"])
_LONGEST: Final = 12
MOST_DAYS: Final = 365


def read_pause(words: Sequence[str], join_words: Mapping[str, str]) -> Reading | None:
    """The pause that a text asks for, or None; ``pause_days`` is None when it names no length.

    ``words`` carry meaning (:func:`keywords.vocabulary.core`). Every one of them must belong to
    the wish, so that "pause my delivery" is left for a person to read.
    """
    if len(words) > _LONGEST or _PAUSE.keys().isdisjoint(words):
        return None
    language = next(_PAUSE[word] for word in words if word in _PAUSE)
    named = {join_words[word] for word in words if word in join_words}
    rest = [word for word in words if word not in join_words and word not in _PAUSE]
    until = next((at for at, word in enumerate(rest) if word in _UNTIL), None)
    if len(named) > 1 or not all(_belongs(word) for word in rest[:until]):
        return None
    days = _days(rest) if until is None else None
    rule = "pause.until" if until is not None else "pause.days" if days else "pause.open"
    return Reading(
        Signal.PAUSE, rule, language=language, program=next(iter(named), None), pause_days=days
    )


def _belongs(word: str) -> bool:
    return word in _FILLER or word in _UNITS or word in _NUMBERS or word.isdigit()


def _days(words: Sequence[str]) -> int | None:
    """The number before a unit, in days, at most a year; one when none is said ("next week")."""
    count = 1
    for word in words:
        if word in _UNITS:
            return min(max(count, 1) * _UNITS[word], MOST_DAYS)
        if word.isdigit():
            count = int(word[:4])
        elif word in _NUMBERS:
            count = max(_NUMBERS[word], count)
    return None
