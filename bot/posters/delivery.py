"""Posters on their way out: drawn once for each design, kept as evidence, and taken from there."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from bot.posters.design import MEDIA_TYPES, Design, Format
from bot.posters.layout import layout
from bot.posters.orders import Order, Spot, design, mode_for
from bot.posters.pdf import pdf
from bot.posters.png import png
from bot.posters.svg import svg
from keywords.consent import Method
from storage import disclosures, placements
from storage.catalogue import ProgramRow
from storage.definitions import definition
from storage.disclosures import ArtifactRow
from storage.placements import PlacementRow, PosterRow
from storage.transaction import Work

Transactions = Callable[[], AbstractContextManager[Work]]

# PDFium is not safe for threads; and strangers who ask for many posters at once wait in a line,
# while texts and pages go on being answered.
_DRAWING: Final = threading.Lock()
_PATIENCE_S: Final = 20.0


class NoProgram(LookupError):
    """There is no such program."""


class NoPlacement(LookupError):
    """The program has no such placement."""


class Retired(LookupError):
    """No more posters are made for this placement."""


class Busy(RuntimeError):
    """Too many posters are being drawn."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A poster as it would be drawn, and the row that says it was delivered."""

    design: Design
    row: PosterRow


@dataclass(frozen=True, slots=True)
class Delivered:
    """A file. ``artwork`` is its hex SHA-256; ``name`` what it is called when it is saved."""

    content: bytes
    media_type: str
    artwork: str
    name: str


def deliver(
    transactions: Transactions,
    link_base: str,
    slug: str,
    code: str | None,
    order: Order,
    form: Format,
) -> Delivered:
    """The poster of a program, for a placement or for none.

    Raises :class:`NoProgram`, :class:`NoPlacement`, :class:`Retired`, :class:`Busy`, and
    :class:`~bot.posters.layout.DoesNotFit`.
    """
    with transactions() as work:
        wanted = _wanted(work.session, link_base, slug, code, order, form)
        known = placements.known_poster(work.session, wanted.row.design)
        if known is not None:
            content = work.session.get_one(ArtifactRow, known.artwork).content
            return _delivered(wanted, content, known.artwork, form)
    content = _draw(wanted.design, form)
    with transactions() as work:
        media_type = MEDIA_TYPES[form]
        artwork = disclosures.keep_artifact(work.session, slug, "poster", media_type, content)
        wanted.row.artwork = artwork
        placements.deliver(work.session, wanted.row)
    return _delivered(wanted, content, artwork, form)


def _wanted(
    session: Session, link_base: str, slug: str, code: str | None, order: Order, form: Format
) -> Wanted:
    row = session.get(ProgramRow, slug) if "\0" not in slug else None
    if row is None:
        raise NoProgram(slug)
    spot = _spot(session, slug, code) if code else None
    program = definition(row.slug, row.sender, row.body)
    language = order.language or program.language
    shown = disclosures.current(session, slug, language, Method.QR_CODE)
    drawn = design(order, program, spot, shown.text, link_base)
    return Wanted(
        drawn,
        PosterRow(
            design=drawn.digest(form),
            program=slug,
            placement=spot.code if spot else None,
            size=str(order.size),
            language=language,
            mode=str(mode_for(order, link_base)),
            format=str(form),
            disclosure=shown.digest,
        ),
    )


def _spot(session: Session, slug: str, code: str) -> Spot:
    row: PlacementRow | None = placements.find(session, code)
    if row is None or row.program != slug:
        raise NoPlacement(code)
    if row.retired_at is not None:
        raise Retired(code)
    return Spot(row.code, row.wording)


def _draw(drawn: Design, form: Format) -> bytes:
    if not _DRAWING.acquire(timeout=_PATIENCE_S):
        raise Busy
    try:
        placed = layout(drawn)
        if form is Format.SVG:
            return svg(drawn, placed)
        document = pdf(drawn, placed)
        return document if form is Format.PDF else png(document)
    finally:
        _DRAWING.release()


def _delivered(wanted: Wanted, content: bytes, artwork: str, form: Format) -> Delivered:
    row = wanted.row
    parts = (row.program, row.placement, row.size, row.language)
    name = "-".join(part for part in parts if part)
    return Delivered(content, MEDIA_TYPES[form], artwork, f"{name}.{form}")
