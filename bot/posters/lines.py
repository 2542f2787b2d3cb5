"""Text broken into lines of a width, in the largest size that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.posters.letters import Face, width

_HALVINGS: Final = 7


@dataclass(frozen=True, slots=True)
class Block:
    """Lines of one face and size; ``leading`` is the distance of their baselines, in points."""

    lines: tuple[str, ...]
    face: Face
    size: float
    leading: float

    @property
    def height(self) -> float:
        """From the top of the first line to the bottom of the last."""
        return self.leading * len(self.lines)


NOTHING = Block((), Face.REGULAR, 1, 0)


def block(text: str, face: Face, size: float, room: float, spacing: float) -> Block:
    """``text`` in lines at most ``room`` points wide; ``spacing`` is leading by size."""
    lines = tuple(broken(text, room, lambda line: width(line, face, size)))
    return Block(lines, face, size, size * spacing)


def fitted(
    text: str, face: Face, sizes: tuple[float, float], room: float, most: int, spacing: float
) -> Block:
    """The largest size, from the second of ``sizes`` down to the first, in ``most`` lines.

    A word is broken only in the smallest size.
    """
    smallest, size = sizes
    while size > smallest:
        whole = max((width(word, face, size) for word in text.split()), default=0) <= room
        wanted = block(text, face, size, room, spacing)
        if whole and len(wanted.lines) <= most:
            return _balanced(text, wanted, room)
        size = max(size * 0.96, smallest)
    return block(text, face, smallest, room, spacing)


def _balanced(text: str, wanted: Block, room: float) -> Block:
    """The same number of lines in the narrowest room, so that no word is left alone on the last."""
    narrow, wide = room / 2, room
    for _ in range(_HALVINGS if len(wanted.lines) > 1 else 0):
        middle = (narrow + wide) / 2
        tried = block(text, wanted.face, wanted.size, middle, wanted.leading / wanted.size)
        if len(tried.lines) == len(wanted.lines) and " ".join(tried.lines).split() == text.split():
            wanted, wide = tried, middle
        else:
            narrow = middle
    return wanted


def broken(text: str, room: float, measure: Callable[[str], float]) -> Iterator[str]:
    """The lines of ``text``: as many words as fit on each; longer words are broken anywhere."""
    line = ""
    for word in text.split():
        for piece in _pieces(word, room, measure):
            longer = f"{line} {piece}" if line else piece
            if line and measure(longer) > room:
                yield line
                line = piece
            else:
                line = longer
    if line:
        yield line


def _pieces(word: str, room: float, measure: Callable[[str], float]) -> Sequence[str]:
    if measure(word) <= room:
        return (word,)
    pieces, piece = [], ""
    for char in word:
        if piece and measure(piece + char) > room:
            pieces.append(piece)
            piece = ""
        piece += char
    return [*pieces, piece]
