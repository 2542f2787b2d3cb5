"""How a program looks to people: one brand colour, made readable wherever it is put.

A shop chooses a colour for its brand, not for contrast. What is drawn from it here always reaches
the ratios of WCAG 2.2: 4.5 to 1 for text (1.4.3), 3 to 1 for the parts of a control (1.4.11).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final, TypeAlias

DEFAULT_COLOUR: Final = "#1f5f4f"
WHITE: Final = "#ffffff"
BLACK: Final = "#000000"
# What forms are drawn on. The dark one is a little lighter than the page around it.
PAPER: Final = "#ffffff"
NIGHT: Final = "#171b20"
TEXT: Final = 4.5
PART: Final = 3.0
_COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
_STEPS: Final = 40
_TINT: Final = 0.06

_Rgb: TypeAlias = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Look:
    """``colour`` is "#rrggbb"; ``headline`` is the first line of a form, by language."""

    colour: str = DEFAULT_COLOUR
    headline: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Palette:
    """Colours for one scheme: a filled button, what is written on it, and coloured text."""

    button: str
    on_button: str
    accent: str


def light(colour: str) -> Palette:
    """The colours on white paper."""
    return _palette(colour, PAPER, BLACK)


def dark(colour: str) -> Palette:
    """The colours at night."""
    return _palette(colour, NIGHT, WHITE)


def tinted(colour: str, ground: str) -> str:
    """A ground with a breath of the brand's colour, too little to cost any contrast."""
    return _mix(ground, colour, _TINT)


def is_colour(text: str) -> bool:
    """Whether ``text`` is written "#1f5f4f"."""
    return _COLOUR.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours, 1 to 21 (WCAG 2.2, "contrast ratio")."""
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def filled(colour: str) -> tuple[str, str]:
    """A surface of the brand's colour and the text on it, black or white.

    White text is what brands expect, so a colour that nearly carries it is made a shade darker.
    """
    if contrast(colour, WHITE) >= PART:
        return _towards(colour, BLACK, WHITE, TEXT), WHITE
    return colour, BLACK


@lru_cache(maxsize=256)
def _palette(colour: str, ground: str, away: str) -> Palette:
    visible = _towards(colour, away, ground, PART)
    button, on_button = filled(visible)
    return Palette(button, on_button, _towards(colour, away, ground, TEXT))


def _towards(colour: str, end: str, against: str, ratio: float) -> str:
    """``colour`` mixed with ``end`` no more than it takes to stand out from ``against``."""
    for step in range(_STEPS):
        mixed = _mix(colour, end, step / _STEPS)
        if contrast(mixed, against) >= ratio:
            return mixed
    return end


def _mix(one: str, other: str, share: float) -> str:
    parts = zip(_rgb(one), _rgb(other), strict=True)
    return _hex([round(a + (b - a) * share) for a, b in parts])


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _rgb(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(part: float) -> float:
    # The threshold of sRGB itself (IEC 61966-2-1), as WCAG 2.2 corrects it.
    return part / 12.92 if part <= 0.04045 else float(((part + 0.055) / 1.055) ** 2.4)


def _rgb(colour: str) -> _Rgb:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _hex(parts: list[int]) -> str:
    return "#" + "".join(f"{part:02x}" for part in parts)
