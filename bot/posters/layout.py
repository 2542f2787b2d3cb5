"""Where everything stands on a poster. Pure: a design in, placed elements out.

From the bottom up: the disclosure is set first, in a size that can be read, because it is what
makes a text consent (47 CFR 64.1200(f)(3): clear and conspicuous); then the code and the words
beside it; the band with brand, headline and offer gets what is left. Where that is too little,
everything is tightened step by step towards its smallest size, and when even that does not fit the
poster is refused rather than drawn with words that run into each other.

Points, from the top left corner of the trimmed sheet.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from bot.posters.codes import QUIET, Matrix, matrix
from bot.posters.design import Design, Size, words
from bot.posters.letters import ASCENT, DESCENT, Face, width
from bot.posters.lines import NOTHING, Block, block, fitted
from keywords.look import WHITE, contrast, filled, light

MM: Final = 72 / 25.4
BLEED: Final = 3 * MM
SHEETS: Final = {
    Size.A4: (210 * MM, 297 * MM),
    Size.LETTER: (8.5 * 72, 11 * 72),
    Size.CARD: (105 * MM, 148 * MM),
}
# Letters of the disclosure in points: the size that is wished for, and the smallest that is legible
# at the distance from which such a sheet is read.
_DISCLOSURE: Final = {Size.A4: (11.0, 8.0), Size.LETTER: (11.0, 8.0), Size.CARD: (7.0, 5.5)}
_STEPS: Final = 12


INK: Final = "#1a1a1a"
GREY: Final = "#595959"
# A colour that is further from legible on white would have to be darkened until it is mud.
_FAR: Final = 2.2


class DoesNotFit(ValueError):
    """The words do not fit on a sheet of this size, however small they are set."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle: left, top, width and height."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Filled:
    """A rectangle of one colour. It may reach into the bleed."""

    box: Box
    colour: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text; ``box`` is from its ascenders to its descenders."""

    text: str
    face: Face
    size: float
    colour: str
    box: Box

    @property
    def baseline(self) -> float:
        """The line that the letters stand on."""
        return self.box.y + ASCENT * self.size


@dataclass(frozen=True, slots=True)
class Code:
    """A QR code; ``box`` includes its quiet zone."""

    modules: Matrix
    box: Box

    @property
    def module(self) -> float:
        """The side of one module."""
        return self.box.w / (len(self.modules) + 2 * QUIET)


@dataclass(frozen=True, slots=True)
class Layout:
    """A sheet with everything in its place; ``fills`` lie beneath."""

    width: float
    height: float
    fills: tuple[Filled, ...]
    lines: tuple[Line, ...]
    code: Code


def layout(design: Design) -> Layout:
    """The layout of a design. Raises :class:`DoesNotFit`."""
    modules = matrix(design.payload)
    for step in range(_STEPS + 1):
        plan = _Plan.of(design, modules, step / _STEPS)
        if plan.spare >= 0:
            return plan.placed()
    raise DoesNotFit("The words do not fit on a sheet of this size; shorten them.")


@dataclass(frozen=True, slots=True)
class _Plan:
    """All blocks at one tightness, before they are placed."""

    design: Design
    modules: Matrix
    sheet: tuple[float, float]
    unit: float
    brand: Block
    headline: Block
    offer: Block
    code: float
    scan: Block
    keyword: tuple[Block, Block, Block, Block]
    disclosure: Block
    reference: Block

    @classmethod
    def of(cls, design: Design, modules: Matrix, tightness: float) -> _Plan:
        """The blocks of a design, between their largest (0) and their smallest sizes (1)."""
        sheet = SHEETS[design.size]
        unit = sheet[0] / 595
        room = sheet[0] - 2 * _MARGIN * unit

        def size(largest: float, smallest: float) -> float:
            return (largest - (largest - smallest) * tightness) * unit

        wished, smallest = _DISCLOSURE[design.size]
        code = size(292, 180)
        beside = room - code - _GUTTER * unit
        said = words(design.language)
        return cls(
            design,
            modules,
            sheet,
            unit,
            fitted(design.brand, Face.BOLD, (11 * unit, size(21, 14)), room, 2, 1.25),
            fitted(design.headline, Face.BOLD, (20 * unit, size(66, 26)), room, 4, 1.12),
            fitted(design.offer, Face.REGULAR, (11 * unit, size(25, 14)), room, 4, 1.3)
            if design.offer
            else NOTHING,
            code,
            fitted(said["scan"], Face.BOLD, (9 * unit, size(17, 14)), code, 2, 1.25),
            (
                fitted(said["text"], Face.REGULAR, (9 * unit, size(26, 18)), beside, 1, 1.3),
                fitted(design.keyword, Face.BOLD, (9 * unit, size(80, 40)), beside, 1, 1.1),
                fitted(said["to"], Face.REGULAR, (9 * unit, size(26, 18)), beside, 1, 1.3),
                fitted(design.number, Face.BOLD, (9 * unit, size(60, 34)), beside, 1, 1.1),
            ),
            block(
                design.disclosure,
                Face.REGULAR,
                wished - (wished - smallest) * tightness,
                room,
                1.38,
            ),
            fitted(design.reference, Face.REGULAR, (5, max(5, 8 * unit)), room, 1, 2)
            if design.reference
            else NOTHING,
        )

    @property
    def middle(self) -> float:
        """The height of the code with its caption, or of the words beside it."""
        return max(self.code + self.scan.height, sum(part.height for part in self.keyword))

    @property
    def band(self) -> float:
        """The height of what stands in the band, with the gaps between."""
        gaps = 26 if self.design.offer else 18
        inside = self.brand.height + self.headline.height + self.offer.height
        return inside + gaps * self.unit

    @property
    def spare(self) -> float:
        """What is left of the sheet's height; below 0 it does not fit."""
        fixed = self.band + self.middle + self.disclosure.height + self.reference.height
        return self.sheet[1] - fixed - (2 * _MARGIN + 4 * _GAP) * self.unit

    def placed(self) -> Layout:
        """Everything in its place; spare room goes to the band above all."""
        spare, unit = self.spare, self.unit
        across, down = self.sheet
        band = self.band + (_MARGIN + _GAP) * unit + spare * 0.62
        middle = band + _GAP * unit + spare * 0.19
        foot = down - _MARGIN * unit - self.reference.height
        disclosure = foot - self.disclosure.height
        rule = Box(_MARGIN * unit, disclosure - _GAP * unit * 0.5, self._room, 0.75 * unit)
        colour, _ = filled(self.design.colour)
        return Layout(
            across,
            down,
            (
                Filled(Box(-BLEED, -BLEED, across + 2 * BLEED, band + BLEED), colour),
                Filled(rule, GREY),
            ),
            (
                *self._band(_MARGIN * unit, band),
                *self._middle(middle),
                *self._lines(self.disclosure, _MARGIN * unit, disclosure, INK),
                *self._lines(self.reference, _MARGIN * unit, foot, GREY),
            ),
            Code(self.modules, self._code(middle)),
        )

    @property
    def _room(self) -> float:
        return self.sheet[0] - 2 * _MARGIN * self.unit

    def _band(self, top: float, bottom: float) -> Iterator[Line]:
        """Brand at the top; headline and offer stand in the middle of what is below it."""
        unit, (_, ink) = self.unit, filled(self.design.colour)
        left = _MARGIN * unit
        yield from self._lines(self.brand, left, top, ink)
        gap = 8 * unit if self.design.offer else 0
        height = self.headline.height + gap + self.offer.height
        start = top + self.brand.height + 18 * unit
        free = bottom - _GAP * unit - start - height
        start += free / 2
        yield from self._lines(self.headline, left, start, ink)
        yield from self._lines(self.offer, left, start + self.headline.height + gap, ink)

    def _code(self, top: float) -> Box:
        """The code stands so that its modules, not its quiet zone, begin at the margin."""
        quiet = self.code * QUIET / (len(self.modules) + 2 * QUIET)
        return Box(_MARGIN * self.unit - quiet, top, self.code, self.code)

    def _middle(self, top: float) -> Iterator[Line]:
        unit, code = self.unit, self._code(top)
        yield from self._lines(self.scan, _MARGIN * unit, top + self.code, INK)
        left = code.x + self.code + _GUTTER * unit
        height = sum(part.height for part in self.keyword)
        y = top + max(0, (self.code - height) / 2)
        accent = _accent(self.design.colour)
        for part, ink in zip(self.keyword, (INK, accent) * 2, strict=True):
            yield from self._lines(part, left, y, ink)
            y += part.height

    def _lines(self, text: Block, left: float, top: float, ink: str) -> Iterator[Line]:
        letters = (ASCENT + DESCENT) * text.size
        for at, words_ in enumerate(text.lines):
            y = top + at * text.leading + (text.leading - letters) / 2
            across = width(words_, text.face, text.size)
            yield Line(words_, text.face, text.size, ink, Box(left, y, across, letters))


def _accent(colour: str) -> str:
    """The brand's colour for large words on white paper, or plain ink."""
    return light(colour).accent if contrast(colour, WHITE) >= _FAR else INK


_MARGIN: Final = 42  # 15 mm on A4, 7 mm on the card: no printer cuts there
_GAP: Final = 26
_GUTTER: Final = 22
