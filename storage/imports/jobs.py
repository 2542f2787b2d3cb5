"""The life of an import: asked for, begun, followed, taken up again, finished or given up."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from keywords.importing.claims import Finding
from keywords.importing.evidence import Filing
from keywords.importing.reasons import Outcome, outcome_of
from keywords.importing.task import Task, read_task
from storage import audit
from storage.imports.tables import (
    ImportFindingRow,
    ImportPartRow,
    ImportRow,
    ImportState,
    Place,
)

# A part that says nothing for so long has died; the ticker starts it again.
SILENCE_S: Final = 30
_PAGE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an import is: rows by what they came to, and the share of the file that was read."""

    counts: Mapping[str, int]
    share: float
    done: bool

    @property
    def rows(self) -> int:
        """The rows so far; empty ones do not count."""
        return sum(self.counts.values())


def outcomes(counts: Mapping[str, int]) -> dict[str, int]:
    """How many rows were asked, held and refused."""
    totals = Counter[str]({str(outcome): 0 for outcome in Outcome})
    for code, times in counts.items():
        totals[str(Outcome.ASKED if code == Outcome.ASKED else outcome_of(code))] += times
    return dict(totals)


def create(
    session: Session,
    *,
    place: Place,
    actor: str,
    file_name: str,
    program: str | None = None,
    wishes: Mapping[str, Any] | None = None,
    dry_run: bool = False,
) -> ImportRow:
    """A new import that waits for its file."""
    row = ImportRow(
        state=ImportState.WAITING,
        place=place,
        dry_run=dry_run,
        program=program,
        file_name=file_name,
        wishes=dict(wishes or {}),
        actor=actor,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return row


def take_file(session: Session, row: ImportRow, task: Task, file: str, size: int) -> None:
    """The file is there: its digest in hex, its size in bytes, and how it will be read."""
    row.task, row.file, row.file_bytes = task.as_json(), file, size
    row.program, row.digest = task.program, task.digest(file)
    row.state = ImportState.QUEUED
    session.add_all(ImportPartRow(import_id=row.id, part=part) for part in range(task.parts))
    session.flush()


def same(session: Session, digest: str) -> Sequence[ImportRow]:
    """Earlier imports of the same file with the same task that were no trials, newest first."""
    statement = select(ImportRow).where(ImportRow.digest == digest, ImportRow.dry_run.is_(False))
    return session.scalars(statement.order_by(ImportRow.id.desc())).all()


def begin(session: Session, row: ImportRow, by: str) -> None:
    """Let the parts run, for the first time or once more."""
    again = row.started_at is not None
    row.state, row.error = ImportState.RUNNING, None
    if not again:
        row.started_at = func.assent_now()
    elif row.dry_run:
        _forget(session, row.id)
    audit.record(
        session,
        by,
        "import.resumed" if again else "import.started",
        f"import:{row.id}",
        {"file": row.file, "program": row.program, "dry_run": row.dry_run},
    )
    session.flush()


def progress(session: Session, number: int) -> Progress:
    """How far an import is, from its parts."""
    parts = session.scalars(
        select(ImportPartRow)
        .where(ImportPartRow.import_id == number)
        .execution_options(populate_existing=True)
    ).all()
    counts: Counter[str] = Counter()
    for part in parts:
        counts.update(part.counts)
    share = min((part.share_read for part in parts), default=0.0)
    return Progress(counts, share, bool(parts) and all(part.done for part in parts))


def settle(session: Session, number: int) -> bool:
    """Finish an import whose parts are all done; answers whether that was now."""
    row = session.get(ImportRow, number, with_for_update=True, populate_existing=True)
    if row is None or row.state != ImportState.RUNNING:
        return False
    reached = progress(session, number)
    if not reached.done:
        return False
    row.state, row.finished_at = ImportState.FINISHED, func.assent_now()
    row.rows, row.counts = reached.rows, dict(reached.counts)
    detail = {"file": row.file, "dry_run": row.dry_run, "rows": row.rows, "counts": row.counts}
    audit.record(session, row.actor, "import.finished", f"import:{number}", detail)
    session.flush()
    return True


def give_up(session: Session, number: int, error: str) -> None:
    """An import that cannot go on; ``error`` is a sentence."""
    row = session.get(ImportRow, number, with_for_update=True, populate_existing=True)
    if row is not None and row.state in (ImportState.QUEUED, ImportState.RUNNING):
        row.state, row.error = ImportState.FAILED, error
        audit.record(session, row.actor, "import.failed", f"import:{number}", {"error": error})
        session.flush()


def cancel(session: Session, number: int) -> bool:
    """Stop an import after the batches at hand; what is committed stays. Answers whether it ran."""
    open_states = (ImportState.WAITING, ImportState.QUEUED, ImportState.RUNNING, ImportState.FAILED)
    changed = session.execute(
        update(ImportRow)
        .where(ImportRow.id == number, ImportRow.state.in_(open_states))
        .values(state=ImportState.CANCELED, finished_at=func.assent_now())
        .returning(ImportRow.id)
    ).all()
    return bool(changed)


def abandon(session: Session) -> None:
    """Cancel imports whose file never came."""
    session.execute(
        update(ImportRow)
        .where(
            ImportRow.state == ImportState.WAITING,
            ImportRow.created_at < func.assent_now() - text("interval '1 day'"),
        )
        .values(state=ImportState.CANCELED, finished_at=func.assent_now())
    )


def still_open(session: Session, numbers: Sequence[int]) -> set[int]:
    """Which of these imports still need their files."""
    open_states = (ImportState.WAITING, ImportState.QUEUED, ImportState.RUNNING)
    statement = select(ImportRow.id).where(
        ImportRow.id.in_(numbers), ImportRow.state.in_(open_states)
    )
    return set(session.scalars(statement))


def waiting_for_workers(session: Session) -> Sequence[ImportRow]:
    """The imports that a worker should carry out now, in order: new ones, and those that died.

    Each is locked; those that somebody else is just starting are passed over.
    """
    silent = select(ImportPartRow.import_id).where(
        ImportPartRow.done.is_(False),
        ImportPartRow.touched_at
        < func.assent_now() - func.make_interval(0, 0, 0, 0, 0, 0, SILENCE_S),
    )
    statement = select(ImportRow).where(
        ImportRow.place == Place.WORKER,
        (ImportRow.state == ImportState.QUEUED)
        | ((ImportRow.state == ImportState.RUNNING) & ImportRow.id.in_(silent)),
    )
    return session.scalars(statement.order_by(ImportRow.id).with_for_update(skip_locked=True)).all()


def touch(session: Session, number: int) -> None:
    """Say that the parts of an import are being started."""
    session.execute(
        update(ImportPartRow)
        .where(ImportPartRow.import_id == number)
        .values(touched_at=func.assent_now())
    )


def _forget(session: Session, number: int) -> None:
    """A trial that was interrupted begins again: it noted what it had seen in its session."""
    session.execute(delete(ImportFindingRow).where(ImportFindingRow.import_id == number))
    blank = {"position": 0, "counts": {}, "share_read": 0.0, "done": False}
    session.execute(update(ImportPartRow).where(ImportPartRow.import_id == number).values(**blank))


def findings(session: Session, number: int) -> Iterator[Finding]:
    """The rows that were refused or held, in their order, a page at a time."""
    after = 0
    while True:
        rows = session.execute(_FINDINGS, {"id": number, "after": after, "limit": _PAGE}).all()
        yield from (Finding(row, code, detail) for row, code, detail in rows)
        if len(rows) < _PAGE:
            return
        after = rows[-1][0]


def task_of(row: ImportRow) -> Task:
    """How its file is read."""
    assert row.task is not None
    return read_task(row.task)


def filing_of(row: ImportRow) -> Filing:
    """What the ledger will say of the file."""
    assert row.file is not None
    return Filing(row.id, row.file, row.actor)


_FINDINGS: Final = text(
    'SELECT "row", code, detail FROM import_findings'
    ' WHERE import_id = :id AND "row" > :after ORDER BY "row" LIMIT :limit'
)
