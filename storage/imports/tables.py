"""The tables of imports: what was asked for, how far each process is, and the rows that failed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.campaigns import one_of


class ImportState(StrEnum):
    """How far an import is. ``FAILED`` ones may be started again."""

    WAITING = "waiting"  # for its file
    QUEUED = "queued"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELED = "canceled"


class Place(StrEnum):
    """Where an import is carried out: by the command at a shell, or by the workers."""

    SHELL = "shell"
    WORKER = "worker"


class ImportRow(Base):
    """One import. ``task`` is a ``keywords.importing.task.Task``; ``digest`` that of task and file.

    ``file`` is the SHA-256 of the file in hex, ``counts`` what became of its rows by code.
    """

    __tablename__ = "imports"
    __table_args__ = (
        CheckConstraint(one_of("state", ImportState), name="state"),
        CheckConstraint(one_of("place", Place), name="place"),
        Index("ix_imports_open", "id", postgresql_where=text("state IN ('queued', 'running')")),
        Index("ix_imports_digest", "digest"),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    state: Mapped[str]
    place: Mapped[str]
    dry_run: Mapped[bool]
    program: Mapped[str | None]
    file_name: Mapped[str]
    file: Mapped[str | None]
    file_bytes: Mapped[int | None]
    wishes: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    task: Mapped[dict[str, Any] | None]
    digest: Mapped[str | None]
    actor: Mapped[str]
    rows: Mapped[int | None]
    counts: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class ImportPartRow(Base):
    """One process's share of the rows: the last row that is committed, and what became of them."""

    __tablename__ = "import_parts"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    import_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    part: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    position: Mapped[int] = mapped_column(server_default=text("0"))
    done: Mapped[bool] = mapped_column(server_default=text("false"))
    counts: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    share_read: Mapped[float] = mapped_column(server_default=text("0"))
    touched_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class ImportFindingRow(Base):
    """A row that was refused or held: its number in the file and why; nothing of the person."""

    __tablename__ = "import_findings"

    import_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    row: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    code: Mapped[str]
    detail: Mapped[str]
