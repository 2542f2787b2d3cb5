"""``imports``: lists of people. What they are, then the file itself; a worker carries it out."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from bot import csv_lines, import_report
from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.import_models import ImportAnswer, Imports, NewImport, import_answer
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from bot.api.uploads import Upload
from keywords.importing.wishes import BadWish, check, read_wishes
from storage.imports import jobs
from storage.imports.tables import ImportRow, ImportState, Place
from storage.keys import Scope
from storage.shop import load_shop
from worker.importing.foreman import file_of
from worker.importing.running import planned

LARGEST: Final = 512 * 1024 * 1024


def list_imports(call: Call, query_data: Page) -> Imports:
    """Every import, newest first."""
    before = decode(query_data.cursor or None, int)
    statement = select(ImportRow).order_by(ImportRow.id.desc()).limit(query_data.limit + 1)
    if before is not None:
        statement = statement.where(ImportRow.id < before[0])
    rows = call.session.scalars(statement).all()
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return Imports(items=[_answer(call.session, row) for row in shown], next=following)


def create_import(call: Call, json_data: NewImport) -> ImportAnswer:
    """Begin an import. Then PUT the file to ``imports/<id>/file``."""
    wishes = json_data.wishes()
    try:
        check(wishes, load_shop(call.work.connection))
    except BadWish as error:
        raise _bad(error) from None
    row = jobs.create(
        call.session,
        place=Place.WORKER,
        actor=call.key.actor,
        file_name=json_data.file_name,
        program=json_data.program,
        wishes=wishes.as_json() | {"again": json_data.again},
        dry_run=json_data.dry_run,
    )
    call.audit("import.created", f"import:{row.id}", dry_run=row.dry_run, program=row.program)
    return _answer(call.session, row)


def get_import(call: Call, import_id: str) -> ImportAnswer:
    """One import, and how far it is."""
    return _answer(call.session, _find(call.session, import_id))


def put_import_file(call: Call, import_id: str, upload: Upload) -> ImportAnswer:
    """The file of an import. It is looked at now, and carried out by a worker.

    409 when the import has its file, or when the same file was imported in the same way before.
    """
    row = _find(call.session, import_id, lock=True)
    if row.state != ImportState.WAITING:
        raise Problem(Kind.CONFLICT, "This import has its file already.")
    wishes = dict(row.wishes)
    again = wishes.pop("again")
    try:
        task, _ = planned(call.work.connection, upload.path, read_wishes(wishes), row.created_at)
    except BadWish as error:
        raise _bad(error) from None
    finished = [e for e in jobs.same(call.session, task.digest(upload.digest)) if e.finished_at]
    if finished and not again and not row.dry_run:
        raise Problem(Kind.CONFLICT, f"This file was imported before (import {finished[0].id}).")
    jobs.take_file(call.session, row, task, upload.digest, upload.size)
    call.audit("import.file", f"import:{row.id}", file=upload.digest, bytes=upload.size)
    upload.keep(file_of(call.database.home, row.id))
    return _answer(call.session, row)


def get_import_report(call: Call, import_id: str) -> Response:
    """One line for each row that was refused or held: its number, a code, a sentence."""
    row = _find(call.session, import_id)
    return Response(
        _lines(call.database.sessions, row.id),
        content_type=csv_lines.MEDIA_TYPE,
        headers={"Content-Disposition": f'attachment; filename="import-{row.id}.csv"'},
    )


def cancel_import(call: Call, import_id: str) -> ImportAnswer:
    """Stop an import after the batch at hand; what was written stays. 409 when it is over."""
    row = _find(call.session, import_id)
    if not jobs.cancel(call.session, row.id):
        raise Problem(Kind.CONFLICT, "This import is over.")
    call.audit("import.canceled", f"import:{row.id}")
    call.session.refresh(row)
    return _answer(call.session, row)


def _lines(maker: sessionmaker[Session], number: int) -> Iterator[str]:
    """The report, read as it is sent: the request's own transaction is over by then."""
    with maker() as session:
        yield from import_report.lines(jobs.findings(session, number))


def _find(session: Session, import_id: str, *, lock: bool = False) -> ImportRow:
    known = import_id.isascii() and import_id.isdecimal() and len(import_id) < 19
    row = session.get(ImportRow, int(import_id), with_for_update=lock or None) if known else None
    if row is None:
        raise not_found("import")
    return row


def _answer(session: Session, row: ImportRow) -> ImportAnswer:
    return import_answer(row, jobs.progress(session, row.id))


def _bad(error: BadWish) -> Problem:
    return invalid([FieldError(error.field, str(error), "import")])


_ONE: Final = "/imports/<import_id>"
OPERATIONS: Final = (
    (Operation("GET", "/imports", Scope.READ, Imports, query=Page), list_imports),
    (
        Operation("POST", "/imports", Scope.IMPORT, ImportAnswer, status=201, body=NewImport),
        create_import,
    ),
    (Operation("GET", _ONE, Scope.READ, ImportAnswer), get_import),
    (
        Operation(
            "PUT",
            f"{_ONE}/file",
            Scope.IMPORT,
            ImportAnswer,
            problems=(Kind.CONFLICT,),
            upload=LARGEST,
        ),
        put_import_file,
    ),
    (
        Operation("GET", f"{_ONE}/report", Scope.READ, ImportAnswer, media="text/csv"),
        get_import_report,
    ),
    (Operation("POST", f"{_ONE}/cancel", Scope.IMPORT, ImportAnswer), cancel_import),
)
