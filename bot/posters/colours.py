"""Brand colours that can be read: contrast as WCAG 2.2 counts it (1.4.3, relative luminance)."""

from __future__ import annotations

import re
from typing import Final

WHITE: Final = "#ffffff"
INK: Final = "#1a1a1a"
BLACK: Final = "#000000"
GREY: Final = "#595959"  # 7:1 on white
DEFAULT: Final = "#1f3a5f"
LEGIBLE: Final = 4.5
_HEX: Final = re.compile(r"#[0-9a-f]{6}", re.IGNORECASE)
_STEPS: Final = 40
_FAR: Final = 2.2


def is_colour(text: str) -> bool:
    """Whether ``text`` is a colour as we write them: "#0b57d0"."""
    return _HEX.fullmatch(text) is not None


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours: 1 (the same) to 21 (black on white)."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def on(colour: str) -> str:
    """White, our ink or black: the first that can be read on ``colour``. One always can."""
    return next(ink for ink in (WHITE, INK, BLACK) if contrast(ink, colour) >= LEGIBLE)


def legible(colour: str) -> str:
    """``colour`` for letters on white paper: darkened until it can be read, or our ink.

    A yellow that is darkened turns to mud; so a colour that is far from legible is not used.
    """
    if contrast(colour, WHITE) < _FAR:
        return INK
    red, green, blue = channels(colour)
    for step in range(_STEPS):
        share = 1 - step / _STEPS
        darker = f"#{round(red * share):02x}{round(green * share):02x}{round(blue * share):02x}"
        if contrast(darker, WHITE) >= LEGIBLE:
            return darker
    return INK


def channels(colour: str) -> tuple[int, int, int]:
    """Red, green and blue, each 0 to 255."""
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
