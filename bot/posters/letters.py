"""Letters of the two faces that posters use: how wide they are, and their outlines.

The files lie beside this module, so that a poster looks the same on every machine, and every line
is measured with the letters that it is drawn with.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from enum import StrEnum
from functools import cache
from importlib import resources
from struct import unpack_from
from typing import Any, Final, NamedTuple

from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

_FILES: Final = "bot.posters.fonts"


class Face(StrEnum):
    """A face. The values are the names under which PDFs know them."""

    REGULAR = "OpenSans-Regular"
    BOLD = "OpenSans-Bold"


# Of a face, as shares of its size.
ASCENT: Final = 0.766
DESCENT: Final = 0.241


@cache
def font(face: Face) -> Any:
    """The face as reportlab uses it, registered once for each process."""
    with resources.as_file(resources.files(_FILES).joinpath(f"{face}.ttf")) as path:
        loaded = TTFont(str(face), str(path))
    pdfmetrics.registerFont(loaded)
    return loaded


def width(text: str, face: Face, size: float) -> float:
    """How wide a line is, in points."""
    return float(font(face).stringWidth(text, size))


def missing(text: str) -> str:
    """The characters of ``text`` that the faces cannot draw, each once."""
    known = font(Face.BOLD).face.charToGlyph
    return "".join(dict.fromkeys(c for c in text if ord(c) not in known or not c.isprintable()))


def drawable(text: str) -> str:
    """``text`` on one line in letters that can be drawn: the plain form of others, or nothing."""
    kept = " ".join(text.split())
    lost = missing(kept)
    if not lost:
        return kept
    plain = {
        c: "".join(p for p in unicodedata.normalize("NFKD", c) if not missing(p)) for c in lost
    }
    return " ".join("".join(plain.get(c, c) for c in kept).split())


class Point(NamedTuple):
    """A point of an outline, in units of the face; ``on`` the line, or pulling it."""

    x: float
    y: float
    on: bool


def advance(char: str, face: Face) -> float:
    """How far a letter moves the pen, in thousandths of the size."""
    return float(font(face).face.getCharWidth(ord(char)))


@cache
def outline(char: str, face: Face) -> str:
    """A letter's outline as SVG path data, in units of the face, with y downwards."""
    loaded = font(face).face
    contours = _contours(loaded, loaded.charToGlyph.get(ord(char), 0))
    return "".join(_path(contour) for contour in contours)


def units(face: Face) -> int:
    """Units of the face in one size."""
    return int(font(face).face.unitsPerEm)


def _contours(face: Any, glyph: int) -> list[list[Point]]:
    data = face.get_table("glyf")[face.glyphPos[glyph] : face.glyphPos[glyph + 1]]
    if not data:
        return []
    (count,) = unpack_from(">h", data)
    return _simple(data, count) if count >= 0 else _composite(face, data)


_ON_CURVE, _X_SHORT, _Y_SHORT, _REPEAT, _X_SAME, _Y_SAME = 1, 2, 4, 8, 16, 32


def _simple(data: bytes, count: int) -> list[list[Point]]:
    """The glyf table's simple outline: ends of contours, flags, then all x, then all y."""
    ends = unpack_from(f">{count}H", data, 10)
    at = 10 + 2 * count
    at += 2 + unpack_from(">H", data, at)[0]
    total = ends[-1] + 1 if ends else 0
    flags: list[int] = []
    while len(flags) < total:
        flag = data[at]
        repeats = data[at + 1] if flag & _REPEAT else 0
        at += 2 if flag & _REPEAT else 1
        flags += [flag] * (1 + repeats)
    xs, at = _coordinates(data, at, flags, _X_SHORT, _X_SAME)
    ys, _ = _coordinates(data, at, flags, _Y_SHORT, _Y_SAME)
    points = [Point(x, y, bool(f & _ON_CURVE)) for x, y, f in zip(xs, ys, flags, strict=True)]
    starts = [0, *(end + 1 for end in ends[:-1])]
    return [points[start : end + 1] for start, end in zip(starts, ends, strict=True)]


def _coordinates(
    data: bytes, at: int, flags: Sequence[int], short: int, same: int
) -> tuple[list[int], int]:
    values, value = [], 0
    for flag in flags:
        if flag & short:
            value += data[at] if flag & same else -data[at]
            at += 1
        elif not flag & same:
            value += unpack_from(">h", data, at)[0]
            at += 2
        values.append(value)
    return values, at


_WORDS, _XY_VALUES, _SCALE, _MORE, _XY_SCALE, _TWO_BY_TWO = 1, 2, 8, 32, 64, 128


def _composite(face: Any, data: bytes) -> list[list[Point]]:
    """An accented letter: other outlines, moved. No face of ours scales its parts."""
    contours: list[list[Point]] = []
    at, flags = 10, _MORE
    while flags & _MORE:
        flags, glyph = unpack_from(">HH", data, at)
        assert flags & _XY_VALUES
        assert not flags & (_SCALE | _XY_SCALE | _TWO_BY_TWO)
        form = ">hh" if flags & _WORDS else ">bb"
        dx, dy = unpack_from(form, data, at + 4)
        at += 8 if flags & _WORDS else 6
        part = _contours(face, glyph)
        contours += [[Point(p.x + dx, p.y + dy, p.on) for p in contour] for contour in part]
    return contours


def _path(contour: Sequence[Point]) -> str:
    """One contour: between two points off the line lies one on it, half way."""
    points = list(_complete(contour))
    start = next(at for at, point in enumerate(points) if point.on)
    points = points[start:] + points[: start + 1]
    parts = [f"M{points[0].x:g} {-points[0].y:g}"]
    pulled: Point | None = None
    for point in points[1:]:
        if not point.on:
            pulled = point
        elif pulled is not None:
            parts.append(f"Q{pulled.x:g} {-pulled.y:g} {point.x:g} {-point.y:g}")
            pulled = None
        else:
            parts.append(f"L{point.x:g} {-point.y:g}")
    return "".join([*parts, "Z"])


def _complete(contour: Sequence[Point]) -> Iterator[Point]:
    for before, point in zip([contour[-1], *contour], contour, strict=False):
        if not before.on and not point.on:
            yield Point((before.x + point.x) / 2, (before.y + point.y) / 2, on=True)
        yield point
