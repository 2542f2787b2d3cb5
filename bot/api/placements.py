"""``programs/<slug>/placements``: where a program is shown, and which place works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from sqlalchemy.orm import Session

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.placement_models import (
    NewPlacement,
    PlacementAnswer,
    PlacementChange,
    Placements,
    Wording,
    placement_answer,
    written,
)
from bot.api.problems import FieldError, invalid, not_found
from bot.api.program_models import Language
from bot.api.programs import find
from bot.posters.letters import missing
from storage import placements
from storage.catalogue import ProgramRow
from storage.keys import Scope
from storage.placements import PlacementRow


def list_placements(call: Call, slug: str, query_data: Page) -> Placements:
    """The placements of a program by code, each with its scans, and who asked and confirmed."""
    program = find(call.session, slug)
    after = decode(query_data.cursor or None, str)
    start = after[0] if after else None
    rows = placements.page(call.session, slug, start, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.code,))
    found = placements.results(call.work.connection, [row.code for row in shown])
    return Placements(
        items=[placement_answer(row, _keyword(program), found[row.code]) for row in shown],
        next=following,
    )


def create_placement(call: Call, slug: str, json_data: NewPlacement) -> PlacementAnswer:
    """Add a placement. Its code is behind the keyword in what people text there.

    422 when a headline or an offer has a character that posters cannot draw.
    """
    find(call.session, slug)
    refuse_undrawable(json_data.wording)
    row = placements.add(
        call.session,
        slug,
        json_data.label,
        channel=json_data.channel,
        store=json_data.store,
        wording=written(json_data.wording),
    )
    call.audit("placement.created", f"placement:{row.code}", program=slug, label=row.label)
    return _answer(call, row)


def get_placement(call: Call, slug: str, placement: str) -> PlacementAnswer:
    """One placement."""
    return _answer(call, _find(call.session, slug, placement))


def change_placement(
    call: Call, slug: str, placement: str, json_data: PlacementChange
) -> PlacementAnswer:
    """Change or retire a placement; fields that are left out stay as they are.

    Nothing that hangs on a wall changes: make the poster again. A retired code is still heard
    and counted.
    """
    row = _find(call.session, slug, placement)
    given = json_data.model_dump(exclude_unset=True)
    if "wording" in given:
        refuse_undrawable(json_data.wording)
        given["wording"] = written(json_data.wording)
    placements.change(call.session, row, given)
    call.audit("placement.changed", f"placement:{row.code}", fields=sorted(given))
    return _answer(call, row)


def refuse_undrawable(wording: Mapping[Language, Wording]) -> None:
    """Raise :class:`Problem` for words with characters that posters have no letters for."""
    errors = [
        FieldError(
            f"wording.{language}.{field}",
            "This has a character that posters cannot draw, such as an emoji.",
            "letters",
        )
        for language, words in wording.items()
        for field, text in words.model_dump(exclude_none=True).items()
        if missing(text)
    ]
    if errors:
        raise invalid(errors)


def _find(session: Session, slug: str, code: str) -> PlacementRow:
    find(session, slug)
    row = placements.find(session, code)
    if row is None or row.program != slug:
        raise not_found("placement")
    return row


def _answer(call: Call, row: PlacementRow) -> PlacementAnswer:
    program = find(call.session, row.program)
    found = placements.results(call.work.connection, [row.code])
    return placement_answer(row, _keyword(program), found[row.code])


def _keyword(program: ProgramRow) -> str:
    """The keyword that posters print: the program's first."""
    return str(program.body["keywords"][0])


_ONE: Final = "/programs/<slug>/placements/<placement>"
OPERATIONS: Final = (
    (
        Operation("GET", "/programs/<slug>/placements", Scope.READ, Placements, query=Page),
        list_placements,
    ),
    (
        Operation(
            "POST",
            "/programs/<slug>/placements",
            Scope.WRITE,
            PlacementAnswer,
            status=201,
            body=NewPlacement,
        ),
        create_placement,
    ),
    (Operation("GET", _ONE, Scope.READ, PlacementAnswer), get_placement),
    (
        Operation("PATCH", _ONE, Scope.WRITE, PlacementAnswer, body=PlacementChange),
        change_placement,
    ),
)
