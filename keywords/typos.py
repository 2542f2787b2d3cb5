"""The word that a misspelt word was meant to be: "unsuscribe", "stooop", "stoptextingme"."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Final

from rapidfuzz.distance import OSA

_LONG_RUN: Final = re.compile(r"(.)\1{2,}")
_DIGITS_AS_LETTERS: Final = str.maketrans("013457", "oieast")
# One slip in a word of six letters, two from nine on; shorter words are too close to each other
# ("stop" and "shop"), so their slips are listed by :func:`slips`. Five letters may be six of
# which one was left out ("numer").
_FUZZY_FROM: Final = 6
_TWO_SLIPS_FROM: Final = 9
_LONGEST: Final = 30
_KEYS: Final = ("qwertyuiop", "asdfghjkl", "zxcvbnm")


def slips(word: str) -> Iterator[str]:
    """What a thumb makes of a short word: letters swapped, doubled, left out, or the next key."""
    for at, letter in enumerate(word):
        yield word[:at] + letter + word[at:]
        yield word[:at] + word[at + 1 : at + 2] + letter + word[at + 2 :]
        if at and len(word) >= _FUZZY_FROM:
            yield word[:at] + word[at + 1 :]
        for beside in _beside(letter):
            yield word[:at] + beside + word[at + 1 :]
            yield word[: at + 1] + beside + word[at + 1 :]


def _beside(letter: str) -> Iterator[str]:
    for keys in _KEYS:
        at = keys.find(letter)
        if at >= 0:
            yield from keys[max(at - 1, 0) : at] + keys[at + 1 : at + 2]


class Speller:
    """Corrects towards the words that matter, and never away from a real word.

    ``targets`` are corrected to by edit distance; ``short`` by the slips of a thumb; ``real`` are
    words that resemble one of them and are what they seem; ``openers`` begin words that were run
    together ("stoptexting").
    """

    def __init__(
        self,
        targets: Iterable[str],
        short: Iterable[str],
        real: Iterable[str],
        openers: Iterable[str],
    ) -> None:
        self._real = frozenset(real)
        self._openers = tuple(openers)
        self._known: Collection[str] = ()
        self._targets: dict[str, list[str]] = {}
        for target in targets:
            self._targets.setdefault(target[0], []).append(target)
        self._slips = {slip: word for word in short for slip in slips(word) if slip != word}

    def knowing(self, known: Collection[str]) -> Speller:
        """The same speller, with the words that a run-together word may consist of."""
        self._known = known
        return self

    def meant(self, word: str) -> tuple[str, ...]:
        """The known words that ``word`` was meant to be; empty when it is a word of its own."""
        if len(word) < 3 or len(word) > _LONGEST or word in self._real:
            return ()
        return self._spelt(word) or self._apart(word)

    def _spelt(self, word: str) -> tuple[str, ...]:
        for plain in self._plainer(word):
            if plain in self._known:
                return (plain,)
            near = self._slips.get(plain) or self._near(plain)
            if near:
                return (near,)
        return ()

    def _plainer(self, word: str) -> Iterator[str]:
        """The word, without long runs of a letter, and with letters for digits."""
        yield word
        if _LONG_RUN.search(word):
            yield _LONG_RUN.sub(r"\1", word)
            yield _LONG_RUN.sub(r"\1\1", word)
        if not word.isalpha() and not word[-1].isdigit():
            yield word.translate(_DIGITS_AS_LETTERS)

    def _near(self, word: str) -> str | None:
        if len(word) < _FUZZY_FROM - 1:
            return None
        allowed = 2 if len(word) >= _TWO_SLIPS_FROM else 1
        for target in self._targets.get(word[0], ()):
            near = abs(len(target) - len(word)) <= allowed and len(target) >= _FUZZY_FROM
            if near and OSA.distance(word, target, score_cutoff=allowed) <= allowed:
                return target
        return None

    def _apart(self, word: str) -> tuple[str, ...]:
        """The known words that were run together, if the first of them opens a wish to stop."""
        for opener in self._openers:
            if word.startswith(opener) and len(word) > len(opener) + 1:
                rest = self._split(word[len(opener) :], 4)
                if rest:
                    return (opener, *rest)
        return ()

    def _split(self, letters: str, most: int) -> tuple[str, ...]:
        if letters in self._known:
            return (letters,)
        if not most:
            return ()
        for at in range(len(letters) - 2, 1, -1):
            if letters[:at] in self._known:
                rest = self._split(letters[at:], most - 1)
                if rest:
                    return (letters[:at], *rest)
        return ()
