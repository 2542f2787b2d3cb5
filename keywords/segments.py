"""How many SMS segments a text costs, which characters make it cost more, and their repair.

A phone network sends a text in one of two encodings (3GPP TS 23.038): GSM-7, whose alphabet is
in ``data/gsm7.toml``, or, when one single character is outside that alphabet, UCS-2 for the
whole text, in which 70 characters fit where 160 did. National language tables are not used:
Twilio does not send them.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from keywords import data


class Encoding(StrEnum):
    """How the characters of a text travel."""

    GSM7 = "GSM-7"
    UCS2 = "UCS-2"


@dataclass(frozen=True, slots=True)
class SmsSegments:
    """What a text costs.

    ``characters`` are code points; ``units`` are septets in GSM-7 and 16-bit units in UCS-2, the
    characters that take two of them counted twice; ``segments`` is what is billed;
    ``unit_limit`` is the room of each segment; ``units_left`` the room left in the last one.
    """

    encoding: Encoding
    characters: int
    units: int
    segments: int
    unit_limit: int
    units_left: int


_TABLE: Final = data.load("gsm7")
_BASIC: Final[str] = _TABLE["basic"]
_EXTENSION: Final[str] = _TABLE["extension"]
_ALPHABET: Final = frozenset(_BASIC + _EXTENSION)
_ESCAPE: Final = "\x1b"
_HAS_EXTENSION: Final = re.compile(f"[{re.escape(_EXTENSION)}]")
_GSM7_SINGLE, _GSM7_PART = 160, 153
_UCS2_SINGLE, _UCS2_PART = 70, 67


def count(text: str) -> SmsSegments:
    """The encoding and number of SMS segments of ``text``. An empty text is one segment.

    A longer text is split into parts of 153 or 67 units; a character that takes two units is
    never split between two parts, so the last unit of a part may stay empty.
    """
    if _ALPHABET.issuperset(text):
        units, parts, last = _gsm7_parts(text)
        single, part, encoding = _GSM7_SINGLE, _GSM7_PART, Encoding.GSM7
    else:
        units, parts, last = _ucs2_parts(text)
        single, part, encoding = _UCS2_SINGLE, _UCS2_PART, Encoding.UCS2
    limit = single if parts == 1 else part
    return SmsSegments(encoding, len(text), units, parts, limit, limit - last)


def forcing(text: str) -> tuple[str, ...]:
    """The distinct characters that force UCS-2, in the order in which they appear."""
    return tuple(dict.fromkeys(c for c in text if c not in _ALPHABET))


def repair(text: str, *, accents: bool = False) -> str:
    """``text`` with the look-alikes of GSM-7 characters replaced; all else stays as it was.

    Typographic quotes, dashes, spaces and full-width forms become plain. Invisible marks go,
    but only when nothing visible forces UCS-2 anyway: in emoji and many scripts they matter.
    With ``accents``, letters whose accent GSM-7 lacks lose it (á becomes a; é, which it has,
    stays); that changes spelling, so it is for the author to choose.
    """
    if _ALPHABET.issuperset(text):
        return text
    plain = _COMPOSABLE.sub(_compose, text.translate(_LOOK_ALIKES))
    if accents:
        plain = "".join(_without_accent(c) for c in _COMPOSABLE.sub(_first, plain))
    bare = plain.translate(_INVISIBLE)
    return bare if _ALPHABET.issuperset(bare) else plain


def _gsm7_parts(text: str) -> tuple[int, int, int]:
    """Septets in all, parts, and septets in the last part."""
    septets = _escape(text) if _HAS_EXTENSION.search(text) else text
    total = len(septets)
    if total <= _GSM7_SINGLE:
        return total, 1, total
    start, parts = 0, 1
    while total - start > _GSM7_PART:
        start += _GSM7_PART - (septets[start + _GSM7_PART - 1] == _ESCAPE)
        parts += 1
    return total, parts, total - start


def _escape(text: str) -> str:
    """One character for each septet: an escape before each character of the extension table."""
    for character in _EXTENSION:
        text = text.replace(character, _ESCAPE + character)  # five times faster than translate
    return text


def _ucs2_parts(text: str) -> tuple[int, int, int]:
    """16-bit units in all, parts, and units in the last part."""
    units = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    total = len(units)
    if total <= _UCS2_SINGLE:
        return total, 1, total
    start, parts = 0, 1
    while total - start > _UCS2_PART:
        end = start + _UCS2_PART
        split_pair = units[end - 1] >> 10 == 0x36 and units[end] >> 10 == 0x37
        start = end - split_pair
        parts += 1
    return total, parts, total - start


_FULL_WIDTH: Final = {chr(0xFF01 + i): chr(0x21 + i) for i in range(94)}
_SPELLED: Final[dict[str, str]] = {
    look_alike: plain
    for plain, look_alikes in _TABLE["look_alikes"].items()
    for look_alike in look_alikes
}
# The full-width grave accent becomes a grave accent, which GSM-7 lacks too.
_LOOK_ALIKES: Final = str.maketrans(
    {c: _SPELLED.get(plain, plain) for c, plain in (_FULL_WIDTH | _SPELLED).items()}
)
_LETTERS: Final[dict[str, str]] = _TABLE["letters"]
_INVISIBLE: Final = str.maketrans(dict.fromkeys(_TABLE["invisible"], ""))
_COMPOSABLE: Final = re.compile("[A-Za-zÀ-ÿ][\u0300-\u036f]+")


def _compose(match: re.Match[str]) -> str:
    return unicodedata.normalize("NFC", match[0])


def _first(match: re.Match[str]) -> str:
    """The letter alone, where no single character carries its accent."""
    return match[0][0]


def _without_accent(character: str) -> str:
    if character in _ALPHABET:
        return character
    if character in _LETTERS:
        return _LETTERS[character]
    base = unicodedata.normalize("NFD", character)[0]
    return base if base in _ALPHABET else character
