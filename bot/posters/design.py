"""What a poster shows, as one value: everything that decides the picture, and nothing else."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from keywords.data import load

# Part of every design's digest. Raise it when the same design would be drawn differently.
DRAWING: Final = 1
_WORDS: Final = load("words", __package__)
LONGEST_HEADLINE: Final = 90
LONGEST_OFFER: Final = 160


class Size(StrEnum):
    """What is printed: two sheets, and a card for a shelf or a counter (A6, 105 x 148 mm)."""

    A4 = "a4"
    LETTER = "letter"
    CARD = "card"


class Mode(StrEnum):
    """Where the code leads: to a text that is ready to send, or to a page that has one."""

    DIRECT = "direct"
    LANDING = "landing"


class Format(StrEnum):
    """The kind of file."""

    SVG = "svg"
    PNG = "png"
    PDF = "pdf"


MEDIA_TYPES: Final = {
    Format.SVG: "image/svg+xml",
    Format.PNG: "image/png",
    Format.PDF: "application/pdf",
}


@dataclass(frozen=True, slots=True)
class Design:
    """A poster. ``payload`` is what its code says; ``number`` the sender as people write it.

    ``reference`` stands small at the foot: the placement's code, so that whoever hangs posters
    can tell them apart. ``marks`` adds bleed and crop marks for a print shop (PDF only).
    """

    size: Size
    language: str
    brand: str
    headline: str
    offer: str
    keyword: str
    number: str
    disclosure: str
    payload: str
    colour: str
    reference: str = ""
    marks: bool = False

    def digest(self, form: Format) -> str:
        """The hex SHA-256 of the design and the kind of file."""
        values = {**asdict(self), "format": form, "drawing": DRAWING}
        return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()

    def sentence(self) -> str:
        """How to join, in words: "Text JOIN to 54321"."""
        said = words(self.language)
        return f"{said['text']} {self.keyword} {said['to']} {self.number}"


def words(language: str) -> dict[str, Any]:
    """The small words of a language."""
    return dict(_WORDS[language])
