"""A layout as SVG: letters are outlines, so that it looks the same wherever it is opened.

Whoever cannot see it gets the words from the title and the description.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from markupsafe import Markup, escape

from bot.posters.design import Design
from bot.posters.layout import MM, Layout, Line
from bot.posters.letters import Face, advance, outline, units
from bot.posters.pdf import runs

_NAMESPACES: Final = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
_PREFIX: Final = {Face.REGULAR: "r", Face.BOLD: "b"}


def svg(design: Design, layout: Layout) -> bytes:
    """The file, in UTF-8."""
    parts = [
        _head(design, layout),
        _glyphs(layout),
        *_fills(layout),
        *_lines(layout),
        _code(layout),
    ]
    return "\n".join([*parts, "</svg>\n"]).encode()


def _head(design: Design, layout: Layout) -> str:
    across, down = f"{layout.width:.2f}", f"{layout.height:.2f}"
    size = f'width="{layout.width / MM:.2f}mm" height="{layout.height / MM:.2f}mm"'
    said = " ".join(line.text for line in layout.lines)
    return (
        f'<svg {_NAMESPACES} {size} viewBox="0 0 {across} {down}"'
        f' xml:lang="{design.language}" role="img" aria-labelledby="title words">\n'
        f'<title id="title">{_text(f"{design.brand}: {design.sentence()}")}</title>\n'
        f'<desc id="words">{_text(said)}</desc>\n'
        f'<rect width="{across}" height="{down}" fill="#ffffff"/>'
    )


def _glyphs(layout: Layout) -> str:
    """Each letter that occurs, once."""
    used = sorted({(line.face, char) for line in layout.lines for char in line.text})
    paths = (
        f'<path id="{_name(face, char)}" d="{shape}"/>'
        for face, char in used
        if (shape := outline(char, face))
    )
    return f"<defs>{''.join(paths)}</defs>"


def _fills(layout: Layout) -> Iterator[str]:
    """Rectangles, cut off at the edge of the sheet."""
    for fill in layout.fills:
        x, y = max(0.0, fill.box.x), max(0.0, fill.box.y)
        across = min(layout.width, fill.box.x + fill.box.w) - x
        down = min(layout.height, fill.box.y + fill.box.h) - y
        yield (
            f'<rect x="{x:.2f}" y="{y:.2f}" width="{across:.2f}" height="{down:.2f}"'
            f' fill="{fill.colour}"/>'
        )


def _lines(layout: Layout) -> Iterator[str]:
    for line in layout.lines:
        letters = "".join(_letters(line))
        scale = line.size / units(line.face)
        place = f"translate({line.box.x:.2f} {line.baseline:.2f}) scale({scale:.6f})"
        yield f'<g fill="{line.colour}" transform="{place}">{letters}</g>'


def _letters(line: Line) -> Iterator[str]:
    x = 0.0
    for char in line.text:
        if outline(char, line.face):
            yield f'<use xlink:href="#{_name(line.face, char)}" x="{x:.0f}"/>'
        x += advance(char, line.face) * units(line.face) / 1000


def _code(layout: Layout) -> str:
    shape = "".join(
        f"M{x:.3f} {y:.3f}h{w:.3f}v{h:.3f}h-{w:.3f}z" for x, y, w, h in runs(layout.code)
    )
    return f'<path d="{shape}" fill="#000000" shape-rendering="crispEdges"/>'


def _name(face: Face, char: str) -> str:
    return f"{_PREFIX[face]}{ord(char):x}"


def _text(words: str) -> Markup:
    return escape(words)
