"""What the API says of imports, and what it is told about a file."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field, StringConstraints

from bot.api.models import Line, Model
from bot.api.program_models import SLUG
from keywords.importing import cells
from keywords.importing.columns import Role
from keywords.importing.dates import DateOrder
from keywords.importing.wishes import OLDEST_YEARS, Wishes
from storage.imports import jobs
from storage.imports.jobs import Progress
from storage.imports.tables import ImportRow, ImportState, Place

LONGEST: Final = 20_000
Heading = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00]*$")]
Disclosure = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST, pattern=r"^[^\x00]*$")
]


class NewImport(Model):
    """An import of a file that is sent afterwards. What is not said is guessed, or in the rows.

    ``columns`` says which column is what, by heading or as "#3"; ``source``, ``date`` and
    ``disclosure`` hold for rows that do not say; ``country`` is that of national numbers;
    ``date_order`` what "3/4/2025" means. ``dry_run`` only says what would become of each row.
    ``again`` imports a file that was imported before.
    """

    file_name: Line = "people.csv"
    program: Annotated[str, StringConstraints(pattern=SLUG)] | None = None
    columns: Annotated[
        dict[Role, Annotated[list[Heading], Field(max_length=50)]], Field(max_length=len(Role))
    ] = Field(default_factory=dict)
    source: Line | None = None
    date: Line | None = None
    disclosure: Disclosure | None = None
    country: Line | None = None
    date_order: DateOrder | None = None
    encoding: Annotated[str, StringConstraints(pattern="^[A-Za-z0-9_-]{1,40}$")] | None = None
    delimiter: Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n\"]$")] | None = None
    header: Annotated[bool, Field(strict=True)] | None = None
    oldest_years: Annotated[int, Field(strict=True, ge=1, le=OLDEST_YEARS)] = cells.OLDEST_YEARS
    dry_run: Annotated[bool, Field(strict=True)] = False
    again: Annotated[bool, Field(strict=True)] = False

    def wishes(self) -> Wishes:
        """What is said about the file."""
        names = set(Wishes.__dataclass_fields__)
        return Wishes(**{name: value for name, value in self if name in names})


class Column(Model):
    """A column that is used: its number from 1, its heading, and what it is."""

    number: int
    heading: str | None
    role: Role


class ImportAnswer(Model):
    """An import. ``asked`` rows are pending, ``held`` ones lack proof and are never texted.

    ``share_read`` is how much of the file was read, 0 to 1. ``codes`` counts refused and held rows
    by their reason; the report names each. ``file`` is the file's SHA-256 in hexadecimal.
    """

    id: int
    state: ImportState
    place: Place
    program: str | None
    dry_run: bool
    file_name: str
    file: str | None
    file_bytes: int | None
    columns: list[Column]
    rows: int
    asked: int
    held: int
    refused: int
    codes: dict[str, int]
    share_read: float
    error: str | None
    created_by: str
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class Imports(Model):
    """A page of imports, newest first."""

    items: list[ImportAnswer]
    next: str | None


def import_answer(row: ImportRow, reached: Progress) -> ImportAnswer:
    """An import as it is shown."""
    outcomes = jobs.outcomes(reached.counts)
    codes = {code: times for code, times in reached.counts.items() if times and code != "asked"}
    return ImportAnswer(
        id=row.id,
        state=ImportState(row.state),
        place=Place(row.place),
        program=row.program,
        dry_run=row.dry_run,
        file_name=row.file_name,
        file=row.file,
        file_bytes=row.file_bytes,
        columns=_columns(row),
        rows=reached.rows,
        asked=outcomes["asked"],
        held=outcomes["held"],
        refused=outcomes["refused"],
        codes=codes,
        share_read=reached.share,
        error=row.error,
        created_by=row.actor,
        created_at=row.created_at,
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def _columns(row: ImportRow) -> list[Column]:
    if row.task is None:
        return []
    columns = jobs.task_of(row).columns
    used = [(number, role) for role, number in columns.roles.items()]
    used += [(number, Role.ATTRIBUTES) for _, number in columns.attributes]
    header = columns.header
    return [
        Column(
            number=number + 1, heading=header[number] if number < len(header) else None, role=role
        )
        for number, role in sorted(used)
    ]
