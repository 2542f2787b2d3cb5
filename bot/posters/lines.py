"""Text broken into lines of a width, in the largest size that fits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from bot.posters.letters import Face, width


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
            return wanted
        size = max(size * 0.96, smallest)
    return block(text, face, smallest, room, spacing)


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
