"""A layout as PDF: vectors, embedded faces, trim and bleed boxes; the same bytes every time."""

from __future__ import annotations

import io
from typing import Final

from reportlab.lib.colors import HexColor
from reportlab.pdfgen.canvas import Canvas

from bot.posters.codes import QUIET
from bot.posters.design import Design
from bot.posters.layout import BLEED, MM, Code, Layout
from bot.posters.letters import Face, font

_SLUG: Final = 9 * MM  # around the trimmed sheet where there are marks: bleed, gap, and the marks
_MARK: Final = 5 * MM


def pdf(design: Design, layout: Layout) -> bytes:
    """The file. With ``design.marks`` the page is larger, and has bleed and crop marks."""
    for face in Face:
        font(face)
    edge = _SLUG if design.marks else 0.0
    out = io.BytesIO()
    canvas = Canvas(
        out,
        pagesize=(layout.width + 2 * edge, layout.height + 2 * edge),
        invariant=1,
        initialFontName=str(Face.REGULAR),
        lang=design.language,
    )
    canvas.setTitle(f"{design.brand}: {design.sentence()}")
    canvas.setAuthor(design.brand)
    canvas.setCreator("Assent")
    canvas.setTrimBox((edge, edge, edge + layout.width, edge + layout.height))
    bleed = min(edge, BLEED)
    canvas.setBleedBox(
        (edge - bleed, edge - bleed, edge + layout.width + bleed, edge + layout.height + bleed)
    )
    canvas.saveState()
    canvas.translate(edge, edge)
    _clip(canvas, layout, bleed)
    _draw(canvas, layout)
    canvas.restoreState()
    if design.marks:
        _marks(canvas, layout, edge)
    canvas.showPage()
    canvas.save()
    return out.getvalue()


def _clip(canvas: Canvas, layout: Layout, bleed: float) -> None:
    path = canvas.beginPath()
    path.rect(-bleed, -bleed, layout.width + 2 * bleed, layout.height + 2 * bleed)
    canvas.clipPath(path, stroke=0, fill=0)


def _draw(canvas: Canvas, layout: Layout) -> None:
    for fill in layout.fills:
        canvas.setFillColor(HexColor(fill.colour))
        top = layout.height - fill.box.y
        canvas.rect(fill.box.x, top - fill.box.h, fill.box.w, fill.box.h, stroke=0, fill=1)
    for line in layout.lines:
        canvas.setFillColor(HexColor(line.colour))
        canvas.setFont(str(line.face), line.size)
        canvas.drawString(line.box.x, layout.height - line.baseline, line.text)
    _code(canvas, layout.code, layout.height)


def _code(canvas: Canvas, code: Code, height: float) -> None:
    """All modules as one path, so that no hair of white is seen between neighbours."""
    canvas.setFillColor(HexColor("#000000"))
    path = canvas.beginPath()
    for x, y, w, h in runs(code):
        path.rect(x, height - y - h, w, h)
    canvas.drawPath(path, stroke=0, fill=1)


def runs(code: Code) -> list[tuple[float, float, float, float]]:
    """The dark modules as rectangles (left, top, width, height), neighbours in a row joined."""
    side = code.module
    found = []
    for row, modules in enumerate(code.modules):
        start: int | None = None
        for column, dark in enumerate((*modules, False)):
            if dark and start is None:
                start = column
            elif not dark and start is not None:
                x, y = code.box.x + (QUIET + start) * side, code.box.y + (QUIET + row) * side
                found.append((x, y, (column - start) * side, side))
                start = None
    return found


def _marks(canvas: Canvas, layout: Layout, edge: float) -> None:
    """Where to cut: two short lines at each corner, outside the bleed."""
    canvas.setStrokeColor(HexColor("#000000"))
    canvas.setLineWidth(0.25)
    for x in (edge, edge + layout.width):
        for y, end in ((edge - BLEED - MM, -_MARK), (edge + layout.height + BLEED + MM, _MARK)):
            canvas.line(x, y, x, y + end)
    for y in (edge, edge + layout.height):
        for x, end in ((edge - BLEED - MM, -_MARK), (edge + layout.width + BLEED + MM, _MARK)):
            canvas.line(x, y, x + end, y)
