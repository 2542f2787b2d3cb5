"""The evidence as a PDF for a file: the sections of the page, in letters that lie within it."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import HexColor
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import (
    CondPageBreak,
    Flowable,
    HRFlowable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from bot.evidence.story import Fact, who
from bot.evidence.view import Item, Section, heading, moment, sections
from bot.posters.letters import Face, font, missing

_INK, _SOFT, _LINE, _PALE = (HexColor(c) for c in ("#1b1f24", "#4a5360", "#cfd5dc", "#f3f5f7"))
_COLORS: Final = {
    "Ledger": HexColor("#1b4f72"),
    "Text received": HexColor("#2e6b3a"),
    "Text sent": HexColor("#7a4a00"),
    "Text on its way": HexColor("#8a1c1c"),
}
_MARGIN: Final = 20 * mm
_LABELS: Final = 42 * mm
_LEAST: Final = 34 * mm
# Of reportlab's frames, on each side.
_PADDING: Final = 6.0


def _style(name: str, size: float, face: Face = Face.REGULAR, **over: Any) -> ParagraphStyle:
    given = {"fontName": str(face), "fontSize": size, "leading": size * 1.4, "textColor": _INK}
    return ParagraphStyle(name, **(given | {"splitLongWords": 1} | over))


_KIND: Final = _style("kind", 8, Face.BOLD, textColor=_SOFT)
_TITLE: Final = _style("title", 20, Face.BOLD, leading=26, spaceAfter=2 * mm)
_PART: Final = _style("part", 13, Face.BOLD, spaceBefore=7 * mm, spaceAfter=2 * mm)
_BODY: Final = _style("body", 9.5, spaceAfter=2 * mm)
_REMARK: Final = _style("remark", 9.5, leftIndent=5 * mm, bulletIndent=1 * mm, spaceAfter=1.5 * mm)
_WHEN: Final = _style("when", 8, textColor=_SOFT, spaceBefore=3 * mm)
_HEADING: Final = _style("heading", 10, Face.BOLD, spaceAfter=1 * mm)
_QUOTE: Final = _style(
    "quote", 9.5, backColor=_PALE, borderPadding=5, leftIndent=2 * mm, rightIndent=2 * mm,
    spaceBefore=2 * mm, spaceAfter=3 * mm,
)  # fmt: skip
_LABEL: Final = _style("label", 8, textColor=_SOFT)
_VALUE: Final = _style("value", 8)


def pdf(told: Mapping[str, Any]) -> bytes:
    """The document as a PDF. The same document makes the same bytes."""
    for face in Face:
        font(face)
    out = io.BytesIO()
    name = f"Evidence of consent: {heading(told)}"
    paper = SimpleDocTemplate(
        out,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        title=name,
        author="Assent",
        lang="en",
        invariant=1,
    )
    paper.build(
        [*_front(told), *_parts(told, paper.width - 2 * _PADDING)], canvasmaker=_numbered(name)
    )
    return out.getvalue()


def _words(text: str) -> str:
    """Text for a paragraph. A character that the letters lack is written as its number."""
    lost = missing(text.replace("\n", " "))
    told = "".join(f"[U+{ord(c):04X}]" if c in lost else c for c in text)
    return escape(told).replace("\n", "<br/>")


def _front(told: Mapping[str, Any]) -> Iterator[Flowable]:
    made = told["made"]
    yield Paragraph("EVIDENCE OF CONSENT", _KIND)
    yield Paragraph(_words(heading(told)), _TITLE)
    line = f"Exported {moment(made['at'])} by {who(made['by'])}. Reason: {made['reason']}."
    yield Paragraph(_words(line), _BODY)
    yield HRFlowable(width="100%", thickness=1.2, color=_INK, spaceAfter=2 * mm)


def _parts(told: Mapping[str, Any], width: float) -> Iterator[Flowable]:
    for number, section in enumerate(sections(told), 1):
        yield CondPageBreak(_LEAST)
        yield Paragraph(_words(f"{number}. {section.title}"), _PART)
        yield from _part(section, width)


def _part(section: Section, width: float) -> Iterator[Flowable]:
    if section.lead:
        yield Paragraph(_words(section.lead), _BODY)
    yield from _facts(section.facts, width)
    for item in section.items:
        yield CondPageBreak(_LEAST)
        yield from _item(item, width)
    for remark in section.remarks:
        yield Paragraph(_words(remark), _REMARK, bulletText="•")


def _item(item: Item, width: float) -> Iterator[Flowable]:
    color = _COLORS.get(item.kind, _LINE)
    yield HRFlowable(width="100%", thickness=1, color=color, spaceBefore=3 * mm)
    when = "  ·  ".join(part for part in (item.kind, item.at) if part)
    if when:
        yield Paragraph(_words(when), _WHEN)
    yield Paragraph(_words(item.heading), _HEADING)
    if item.quote is not None:
        yield Paragraph(_words(item.quote) or "(no words)", _QUOTE)
    facts = [*item.facts, ("File", item.file)] if item.file else item.facts
    yield from _facts(facts, width)


def _facts(facts: Sequence[Fact], width: float) -> Iterator[Flowable]:
    """Label and value in two columns; a long value goes on on the next page."""
    if not facts:
        return
    rows = [[Paragraph(_words(a), _LABEL), Paragraph(_words(b), _VALUE)] for a, b in facts]
    lines = TableStyle(
        [
            ("VALIGN", (0, 0), (-1, -1), "TOP"),
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, _LINE),
            ("LEFTPADDING", (0, 0), (0, -1), 0),
            ("TOPPADDING", (0, 0), (-1, -1), 1.5),
            ("BOTTOMPADDING", (0, 0), (-1, -1), 1.5),
        ]
    )
    yield Table(rows, colWidths=[_LABELS, width - _LABELS], style=lines, splitInRow=1)
    yield Spacer(1, 1 * mm)


def _numbered(name: str) -> type[Canvas]:
    """A canvas that writes "Page 2 of 7" below each page, once it knows how many there are."""

    class Numbered(Canvas):  # type: ignore[misc]
        """See above."""

        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._pages: list[dict[str, Any]] = []

        def showPage(self) -> None:  # noqa: N802 - reportlab's name
            """Keep the page for later."""
            self._pages.append(dict(self.__dict__))
            self._startPage()

        def save(self) -> None:
            """Write all pages with their numbers."""
            for number, page in enumerate(self._pages, 1):
                self.__dict__.update(page)
                self.setFont(str(Face.REGULAR), 7.5)
                self.setFillColor(_SOFT)
                self.drawString(_MARGIN + _PADDING, 11 * mm, name)
                self.drawRightString(
                    A4[0] - _MARGIN - _PADDING, 11 * mm, f"Page {number} of {len(self._pages)}"
                )
                super().showPage()
            super().save()

    return Numbered
