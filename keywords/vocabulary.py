"""The keywords of every language: which words, as a whole text, mean which signal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from keywords.data import load
from keywords.frequency import ADVERBS
from keywords.pause import PAUSE_WORDS
from keywords.signals import Reading, Signal
from keywords.text import fold

_SIGNALS: Final = {
    "stop": Signal.STOP,
    "start": Signal.START,
    "help": Signal.HELP,
    "confirm": Signal.CONFIRM,
    "decline": Signal.DECLINE,
    "resume": Signal.RESUME,
    "status": Signal.STATUS,
    "language": Signal.LANGUAGE,
}
# Keywords that carriers demand. They are also heard when spelled apart or with digits: "5T0P".
_CARRIER: Final = frozenset({Signal.STOP, Signal.START, Signal.HELP})
_DIGITS_AS_LETTERS: Final = str.maketrans("013457", "oieast")
# A longer text says more than one keyword with politeness around it.
_LONGEST: Final = 14


@dataclass(frozen=True, slots=True)
class Keyword:
    """What one keyword means, and in which language it is written."""

    signal: Signal
    language: str
    ambiguous: bool = False

    @property
    def reading(self) -> Reading:
        """A text that is this keyword alone."""
        if self.signal is Signal.LANGUAGE:
            return Reading(
                self.signal, f"keyword.language.{self.language}", to_language=self.language
            )
        doubt = ".ambiguous" if self.ambiguous else ""
        return Reading(
            self.signal, f"keyword.{self.signal}.{self.language}{doubt}", language=self.language
        )


def _keywords(data: dict[str, Any]) -> Iterator[tuple[str, Keyword]]:
    """Every keyword. A word of two languages keeps the first: English, Spanish, French."""
    seen: set[str] = set()
    for name, signal in _SIGNALS.items():
        for language, words in data[name].items():
            for word in map(fold, words):
                if word not in seen:
                    seen.add(word)
                    yield word, Keyword(signal, language, word in data["ambiguous"])


_DATA: Final = load("vocabulary")
_KEYWORDS: Final = dict(_keywords(_DATA))
_TOGETHER: Final = {
    word.replace(" ", ""): keyword
    for word, keyword in _KEYWORDS.items()
    if keyword.signal in _CARRIER and len(word) > 2
}
_LONGEST_KEYWORD: Final = max(map(len, _TOGETHER))
_NOISE: Final = frozenset(map(fold, _DATA["noise"]["words"]))
_PHRASES: Final = re.compile(r"\b(?:" + "|".join(map(fold, _DATA["noise"]["phrases"])) + r")\b")
_PHRASE_STARTS: Final = frozenset(fold(phrase).split()[0] for phrase in _DATA["noise"]["phrases"])
STOP_WORDS: Final = frozenset(
    word for word, keyword in _KEYWORDS.items() if keyword.signal is Signal.STOP and " " not in word
)


def fold_keyword(word: str) -> str:
    """The form in which a program's keyword is stored and compared.

    Raises ``ValueError`` when nothing comparable is left of it, or when it is several words.
    """
    folded = fold(word)
    if not folded:
        raise ValueError("A keyword needs at least one letter or digit.")
    if " " in folded:
        raise ValueError("A keyword is a single word.")
    return folded


def reserved(word: str) -> Signal | None:
    """The signal that a word already means to every sender, so that no program may take it."""
    folded = fold(word)
    keyword = _KEYWORDS.get(folded) or _together([folded])
    if keyword is not None:
        return keyword.signal
    if folded in PAUSE_WORDS:
        return Signal.PAUSE
    return Signal.FREQUENCY if folded in ADVERBS else None


def core(words: Sequence[str]) -> list[str]:
    """The words that carry meaning: greetings, politeness and laughter are left out."""
    if len(words) > _LONGEST:
        return list(words)
    if not _PHRASE_STARTS.isdisjoint(words):
        words = _PHRASES.sub(" ", " ".join(words)).split()
    return [word for word in words if word not in _NOISE]


def exact(words: Sequence[str]) -> Keyword | None:
    """The keyword that the words are, alone or repeated: "stop", "opt out", "stop stop stop".

    ``words`` carry meaning (:func:`core`); without any there is no keyword.
    """
    if not words or len(words) > _LONGEST:
        return None
    return _KEYWORDS.get(" ".join(words)) or _same(words) or _together(words)


def _same(words: Sequence[str]) -> Keyword | None:
    """The first of several keywords that all mean the same: "STOP CANCEL", "yes yes"."""
    first = _KEYWORDS.get(words[0])
    if first is None:
        return None
    others = (_KEYWORDS.get(word) for word in words)
    return first if all(other and other.signal is first.signal for other in others) else None


def _together(words: Sequence[str]) -> Keyword | None:
    """A carrier's keyword that was spelled apart or with digits for letters: "st op", "5t0p"."""
    if len(words) > _LONGEST_KEYWORD:
        return None
    letters = "".join(words)
    if len(letters) > _LONGEST_KEYWORD or letters.isdigit():
        return None
    return _TOGETHER.get(letters) or _TOGETHER.get(letters.translate(_DIGITS_AS_LETTERS))
