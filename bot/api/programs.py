"""``programs``: list, publish, change; every version that was ever in force."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.api.checks import program_errors
from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found, of_model
from bot.api.program_models import (
    NewProgram,
    ProgramAnswer,
    ProgramChange,
    ProgramFields,
    Programs,
    ProgramVersions,
    program_answer,
    program_values,
    version_answer,
)
from storage.catalogue import ProgramRow, ProgramVersionRow
from storage.keys import Scope
from storage.shop import KeywordTaken, ProgramDefinition, save_program


def list_programs(call: Call, query_data: Page) -> Programs:
    """The programs, by slug."""
    after = decode(query_data.cursor or None, str)
    statement = _newest().order_by(ProgramRow.slug).limit(query_data.limit + 1)
    if after is not None:
        statement = statement.where(ProgramRow.slug > after[0])
    rows = call.session.execute(statement).all()
    shown, following = split(rows, query_data.limit, lambda row: (row[0].slug,))
    return Programs(items=[program_answer(*row) for row in shown], next=following)


def create_program(call: Call, json_data: NewProgram) -> ProgramAnswer:
    """Publish a new program.

    409 when the slug is taken. 422 names each field that would break a rule of the carriers
    or of another program.
    """
    if call.session.get(ProgramRow, json_data.slug) is not None:
        raise Problem(Kind.CONFLICT, "There is a program with this slug.")
    return publish(call, json_data.made(), "program.created")


def get_program(call: Call, slug: str) -> ProgramAnswer:
    """One program."""
    return _answer(call.session, slug)


def replace_program(call: Call, slug: str, json_data: ProgramFields) -> ProgramAnswer:
    """Publish the next version of a program; fields that are left out get their defaults."""
    _lock(call.session, slug)
    return publish(call, json_data.definition(slug), "program.changed")


def change_program(call: Call, slug: str, json_data: Any) -> ProgramAnswer:
    """Publish the next version of a program; fields that are left out stay as they are."""
    merged = program_values(_lock(call.session, slug)) | json_data.model_dump(exclude_unset=True)
    try:
        wanted = ProgramFields.model_validate(merged).definition(slug)
    except ValidationError as error:
        raise invalid(of_model(error)) from None
    return publish(call, wanted, "program.changed")


def list_program_versions(call: Call, slug: str, query_data: Page) -> ProgramVersions:
    """Every version that was in force, oldest first, exactly as it was published."""
    find(call.session, slug)
    after = decode(query_data.cursor or None, int)
    rows = call.session.scalars(
        select(ProgramVersionRow)
        .where(
            ProgramVersionRow.program == slug,
            ProgramVersionRow.version > (after[0] if after else 0),
        )
        .order_by(ProgramVersionRow.version)
        .limit(query_data.limit + 1)
    ).all()
    shown, following = split(rows, query_data.limit, lambda row: (row.version,))
    return ProgramVersions(items=[version_answer(row) for row in shown], next=following)


def publish(call: Call, program: ProgramDefinition, act: str) -> ProgramAnswer:
    """Check a program, save it, and note who did. Raises :class:`Problem`."""
    errors = program_errors(call.session, program)
    if errors:
        raise invalid(errors)
    try:
        version = save_program(call.session, program)
        call.session.flush()
    except KeywordTaken as error:
        raise invalid([FieldError("keywords", str(error), "taken")]) from None
    except IntegrityError:
        detail = "Somebody else saved a program at the same moment; read it and try again."
        raise Problem(Kind.CONFLICT, detail) from None
    call.audit(act, f"program:{program.slug}", version=version)
    return _answer(call.session, program.slug)


def find(session: Session, slug: str) -> ProgramRow:
    """The program with this slug. Raises :class:`Problem`."""
    row = session.get(ProgramRow, slug) if slug.isascii() and "\0" not in slug else None
    if row is None:
        raise not_found("program")
    return row


def _lock(session: Session, slug: str) -> ProgramRow:
    row = find(session, slug)
    session.refresh(row, with_for_update=True)
    return row


def _newest() -> Any:
    """Programs, each with the moment at which its present version was published."""
    return select(ProgramRow, ProgramVersionRow.published_at).join(
        ProgramVersionRow,
        (ProgramVersionRow.program == ProgramRow.slug)
        & (ProgramVersionRow.version == ProgramRow.version),
    )


def _answer(session: Session, slug: str) -> ProgramAnswer:
    find(session, slug)
    row, published_at = session.execute(_newest().where(ProgramRow.slug == slug)).one()
    published: datetime = published_at
    return program_answer(row, published)


OPERATIONS: Final = (
    (Operation("GET", "/programs", Scope.READ, Programs, query=Page), list_programs),
    (
        Operation("POST", "/programs", Scope.WRITE, ProgramAnswer, status=201, body=NewProgram),
        create_program,
    ),
    (Operation("GET", "/programs/<slug>", Scope.READ, ProgramAnswer), get_program),
    (
        Operation(
            "PUT",
            "/programs/<slug>",
            Scope.WRITE,
            ProgramAnswer,
            body=ProgramFields,
            problems=(Kind.CONFLICT,),
        ),
        replace_program,
    ),
    (
        Operation(
            "PATCH",
            "/programs/<slug>",
            Scope.WRITE,
            ProgramAnswer,
            body=ProgramChange,
            problems=(Kind.CONFLICT,),
        ),
        change_program,
    ),
    (
        Operation("GET", "/programs/<slug>/versions", Scope.READ, ProgramVersions, query=Page),
        list_program_versions,
    ),
)
