"""Where people meet a call to action: "Store 12, window". A short code says which, in the text.

A code such as K7P2 travels behind the keyword ("JOIN K7P2") or in a link, and ends in the ledger,
so that a shop sees which poster works. Letters and digits take turns, so that no code is a word;
letters that look like digits are left out, and the third character checks the others: a slip of
one character never names another placement.
"""

from __future__ import annotations

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keywords.ledger import Json

# Without B, G, I, L, O, S, U, Z: they are read as digits, or as each other.
LETTERS: Final = "ACDEFHJKMNPQRTVWXY"
DIGITS: Final = "23456789"
_SHAPE: Final = re.compile(f"(?:[{LETTERS}][{DIGITS}]){{2,3}}", re.IGNORECASE)
CODE: Final = f"^(?:[{LETTERS}{LETTERS.lower()}][{DIGITS}]){{2,3}}$"
_LENGTHS: Final = (4, 6)
_CHECK: Final = 2
# Coprime to the 18 letters: a slip at any place changes the check.
_WEIGHTS: Final = (7, 1, 5, 11, 13)


class Channel(StrEnum):
    """What carries the call to action of a placement."""

    POSTER = "poster"  # anything printed: a poster, a shelf card, a receipt
    LINK = "link"  # a link in a mail, a profile, a page


@dataclass(frozen=True, slots=True)
class Poster:
    """A poster or page as it was delivered: what it is, and the digests of picture and words.

    ``artwork`` and ``disclosure`` are hex SHA-256; ``since`` is when it was first delivered, as
    the ledger writes moments.
    """

    size: str
    language: str
    mode: str
    format: str
    artwork: str
    disclosure: str
    since: str

    def evidence(self) -> dict[str, Json]:
        """The poster as an entry's evidence tells of it."""
        return {
            "size": self.size,
            "language": self.language,
            "mode": self.mode,
            "format": self.format,
            "artwork": self.artwork,
            "disclosure": self.disclosure,
            "since": self.since,
        }


@dataclass(frozen=True, slots=True)
class Placement:
    """One place where a program is shown. ``posters``: those delivered last, the newest first."""

    code: str
    program: str
    label: str
    store: str | None
    channel: Channel
    retired: bool = False
    posters: tuple[Poster, ...] = ()


def code_of(places: Sequence[int]) -> str:
    """The code whose free characters have these places in their alphabets.

    Three places make a code of four characters, five one of six; the third character is added.
    """
    check = sum(weight * place for weight, place in zip(_WEIGHTS, places, strict=False))
    every = [*places[:_CHECK], check % len(LETTERS), *places[_CHECK:]]
    return "".join((DIGITS if at % 2 else LETTERS)[place] for at, place in enumerate(every))


def sizes(length: int) -> tuple[int, ...]:
    """How many values each free place of a code of ``length`` characters has."""
    every = [len(DIGITS) if at % 2 else len(LETTERS) for at in range(length)]
    return (*every[:_CHECK], *every[_CHECK + 1 :])


def read_code(word: str) -> str | None:
    """The code that a word is, in capitals, whether or not any placement has it; else None."""
    if len(word) not in _LENGTHS or not _SHAPE.fullmatch(word):
        return None
    return word.upper()


def checks(code: str) -> bool:
    """Whether a code of the right shape can have been given out: its check character fits."""
    places = [(DIGITS if at % 2 else LETTERS).index(char) for at, char in enumerate(code)]
    return code_of(places[:_CHECK] + places[_CHECK + 1 :]) == code


def apart(word: str, keywords: Container[str]) -> tuple[str, str] | None:
    """A keyword and a code that were written as one word: "joink7p2"; None for any other word."""
    for length in _LENGTHS if word[-1:].isdecimal() else ():
        code = read_code(word[-length:])
        if code is not None and word[:-length] in keywords and checks(code):
            return word[:-length], code
    return None


def evidence(code: str, placement: Placement | None, program: str) -> dict[str, Json]:
    """What an entry's evidence says of a code that came with a keyword of ``program``.

    A code that nobody gave out (no ``placement``) is kept as it was written.
    """
    if placement is None:
        return {"code": code, "known": False}
    known: dict[str, Json] = {
        "code": code,
        "known": True,
        "label": placement.label,
        "store": placement.store,
        "channel": str(placement.channel),
        "posters": [poster.evidence() for poster in placement.posters],
    }
    if placement.program != program:
        known["program"] = placement.program
    return known
