"""A small grammar over kinds of words, so that a rule is a sentence shape and not a sentence.

A data file gives *kinds* (``STOP = "stop quit cease"``) and *patterns* over them
(``STOP ADV* SENDING``). Each word of a text becomes one character that stands for the set of
kinds it belongs to; a pattern becomes a regular expression over those characters. So "plz STOP
sending me these" is five characters, and a hundred shapes are tried in microseconds.

Patterns: an upper-case name is a kind or a macro, a lower-case word is itself, ``~`` is any word,
``START`` and ``END`` are the edges of a thought (a sentence or what stands between commas),
``^`` and ``LAST`` those of the whole text,
``,`` and ``;`` are such an edge as a comma or a full stop; ``( | ) ? * + {m,n} (?! (?=`` are as
in regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Final

from keywords.finder import START, Finder
from keywords.typos import Speller

_UNKNOWN: Final = "_"
_NUMBER: Final = "#"
_EDGES: Final = {".": ".", ",": ","}
_MOST_WORDS: Final = 1 << 16
_MACROS: Final = {
    "START": START,
    "END": r"(?![^.,])",
    "LAST": r"[.,]*$",
    "~": r"[^.,]",
    ";": r"\.",
    "#": "#",
}
_NAME: Final = re.compile(r"[A-Za-z][A-Za-z0-9_]*|[~;#]")
# Characters that mean nothing in a regular expression, the cheap ones to match first.
_ALPHABET: Final = [chr(code) for code in range(0x41, 0x2000) if chr(code).isalpha()]


_ENDINGS: Final = re.compile(r"[a-z]+(?:\{[a-z,]*\}[a-z]*)+")
_SINGLE: Final = re.compile(r"\[[^\]]*\]|[^\W\d_]")
_GROUP: Final = re.compile(r"\((?P<opening>\?:|\?<?[=!]|(?!\?))(?P<choices>[^()]*)\)")
_CAPTURE: Final = re.compile(r"\((?!\?)")


@dataclass(frozen=True, slots=True)
class Rule:
    """Sentence shapes, in the notation of this module, with one stable name (an identifier)."""

    name: str
    shapes: tuple[str, ...]


class _Tags(dict[str, str]):
    """The characters of each word; those of an unknown word are guessed once."""

    def __init__(self, letters: Mapping[str, str], guess: Callable[[str], str]) -> None:
        super().__init__(letters)
        self._guess = guess

    def __missing__(self, word: str) -> str:
        tags = self._guess(word)
        if len(self) < _MOST_WORDS:
            self[word] = tags
        return tags


def expand(words: str) -> list[str]:
    """The words of a kind: "text{s,ed} msg" gives "texts", "texted", "msg"."""
    return [word for part in words.split() for word in _braces(part)]


def literals(patterns: Iterable[str]) -> set[str]:
    """The words that stand for themselves in patterns."""
    names = (name for pattern in patterns for name in _NAME.findall(_spread(pattern)))
    return {name for name in names if name.islower()}


def _braces(word: str) -> Iterator[str]:
    parts = [part.split(",") for part in re.split(r"[{}]", word)]
    return ("".join(choice) for choice in product(*parts))


def _spread(pattern: str) -> str:
    """The pattern with "tranquil{o,a}" written as "(tranquilo|tranquila)"."""
    return _ENDINGS.sub(lambda word: f"({'|'.join(_braces(word[0]))})", pattern)


def _merged(group: re.Match[str]) -> str:
    """An innermost group whose one-word choices are one character class, which is far faster."""
    choices = group["choices"].split("|")
    singles = [choice for choice in choices if _SINGLE.fullmatch(choice)]
    plain = group["opening"] in {"", "?:"}
    if plain and len(singles) == len(choices) == 1:
        return singles[0]
    if len(singles) < 2:
        return group[0]
    letters = sorted({letter for single in singles for letter in single.strip("[]")})
    merged = f"[{''.join(letters)}]"
    others = [choice for choice in choices if not _SINGLE.fullmatch(choice)]
    if plain and not others:
        return merged
    return f"({group['opening'] or '?:'}{'|'.join([merged, *others])})"


class Grammar:
    """Kinds of words, and the patterns over them.

    ``kinds`` maps a kind to its words, ``macros`` a name to a piece of pattern, ``patterns`` are
    all patterns that will be compiled (their lower-case words become kinds of their own), and
    ``speller`` finds the known word that a misspelt one was meant to be.

    Raises ``ValueError`` for a name that is neither a kind nor a macro.
    """

    def __init__(
        self,
        kinds: Mapping[str, str],
        macros: Mapping[str, str],
        patterns: Iterable[str],
        speller: Speller,
    ) -> None:
        self._macros = macros
        self._members = {kind: set(expand(words)) for kind, words in kinds.items()}
        for pattern in (*patterns, *macros.values()):
            for word in literals([pattern]):
                self._members.setdefault(word, {word})
        self._letters = self._alphabet()
        self._speller = speller.knowing(self._letters)
        self._tags = _Tags(self._letters | _EDGES, self._guess)

    def tags(self, tokens: Sequence[str]) -> str:
        """One character for each folded word; "." and "," stand for themselves."""
        tags = self._tags
        return "".join([tags[token] for token in tokens])

    def finder(self, rules: Sequence[Rule]) -> Finder:
        """What finds the first of the rules in the tags of a text."""
        compiled = {rule.name: [self._regex(shape) for shape in rule.shapes] for rule in rules}
        named = {name: "|".join(shapes) for name, shapes in compiled.items()}
        return Finder([shape for shapes in compiled.values() for shape in shapes], named)

    def one(self, pattern: str) -> re.Pattern[str]:
        """The expression of a single pattern."""
        return re.compile(self._regex(pattern))

    def _guess(self, token: str) -> str:
        """The characters of a word of no kind: a number, a misspelling, words run together."""
        if token.isdigit():
            return _NUMBER
        meant = self._speller.meant(token)
        return "".join(self._letters[word] for word in meant) if meant else _UNKNOWN

    def _alphabet(self) -> dict[str, str]:
        """A character for each word: the same one for words that belong to the same kinds."""
        kinds_of: dict[str, set[str]] = {}
        for kind, words in self._members.items():
            for word in words:
                kinds_of.setdefault(word, set()).add(kind)
        sets = {word: frozenset(kinds) for word, kinds in kinds_of.items()}
        characters = dict(zip(dict.fromkeys(sets.values()), _ALPHABET, strict=False))
        return {word: characters[kinds] for word, kinds in sets.items()}

    def _regex(self, pattern: str) -> str:
        plain = "".join(_NAME.sub(self._piece, _spread(pattern)).split())
        previous = ""
        while plain != previous:
            plain, previous = _GROUP.sub(_merged, plain), plain
        return _CAPTURE.sub("(?:", plain)

    def _piece(self, name: re.Match[str]) -> str:
        word = name[0]
        if word in _MACROS:
            return _MACROS[word]
        if word in self._macros:
            return f"(?:{self._regex(self._macros[word])})"
        if word not in self._members:
            raise ValueError(f"The pattern names {word}, which is neither a kind nor a macro.")
        letters = {self._letters[member] for member in self._members[word]}
        return letters.pop() if len(letters) == 1 else f"[{''.join(sorted(letters))}]"
