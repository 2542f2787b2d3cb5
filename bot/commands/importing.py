"""Carrying out ``assent import`` on this machine: start the processes, show progress, report."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import click
from sqlalchemy.orm import Session, sessionmaker

from bot import import_report
from bot.commands.storing import by_operator
from keywords.importing.claims import Finding
from keywords.importing.evidence import Filing
from keywords.importing.task import Task
from storage.database import engine, sessions
from storage.imports import jobs
from storage.imports.jobs import Progress, outcomes
from storage.imports.tables import ImportRow, ImportState, Place
from storage.settings import Settings
from storage.transaction import transaction
from worker.importing.crew import Crew
from worker.importing.running import found_by, orders, progress_of

_STEP_S: Final = 0.1
_SHOWN_S: Final = 0.5
_PERCENT: Final = 100


class CannotImport(click.ClickException):
    """The import could not be carried out."""

    exit_code = 2


class ImportedBefore(click.ClickException):
    """The same file was imported in the same way before."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Job:
    """A file, how it is read, and what is known of it: its SHA-256 in hex, its size in bytes."""

    settings: Settings
    path: Path
    task: Task
    digest: str
    size: int

    @property
    def database_url(self) -> str:
        """Where the people go."""
        assert self.settings.database_url is not None
        return self.settings.database_url


def try_out(job: Job, since: datetime, report_to: Path | None) -> dict[str, Any]:
    """What would become of each row; nothing is written but the report."""
    filing = Filing(0, job.digest, by_operator())
    with tempfile.TemporaryDirectory(prefix="assent-import-") as name:
        folder = Path(name)
        crew = Crew(
            orders(
                job.database_url,
                job.settings.phone_pepper,
                job.path,
                job.task,
                filing,
                since,
                parent=os.getpid(),
                dry_run=True,
                folder=folder,
            )
        )
        count = job.task.parts
        _carry_out(crew, lambda: progress_of(folder, count))
        if report_to is not None:
            write_report(report_to, found_by(folder, count))
        return summary(progress_of(folder, count), None, dry_run=True)


def bring_in(job: Job, report_to: Path | None, *, again: bool) -> dict[str, Any]:
    """Import the file, or go on with an import of it that was interrupted."""
    pool = engine(job.database_url, "import", pool_size=2)
    try:
        return _bring_in(job, sessions(pool), report_to, again=again)
    finally:
        pool.dispose()


def _bring_in(
    job: Job, maker: sessionmaker[Session], report_to: Path | None, *, again: bool
) -> dict[str, Any]:
    with transaction(maker) as work:
        row = _taken_up(work.session, job, again=again)
        jobs.begin(work.session, row, by_operator())
        number, filing, since = row.id, jobs.filing_of(row), row.created_at
        task = jobs.task_of(row)
    crew = Crew(
        orders(
            job.database_url,
            job.settings.phone_pepper,
            job.path,
            task,
            filing,
            since,
            parent=os.getpid(),
        )
    )

    def progress() -> Progress:
        with maker() as session:
            return jobs.progress(session, number)

    try:
        _carry_out(crew, progress)
    except CannotImport as error:
        with transaction(maker) as work:
            jobs.give_up(work.session, number, str(error))
        raise
    with transaction(maker) as work:
        jobs.settle(work.session, number)
    with maker() as session:
        if report_to is not None:
            write_report(report_to, jobs.findings(session, number))
        return summary(jobs.progress(session, number), number, dry_run=False)


def _taken_up(session: Session, job: Job, *, again: bool) -> ImportRow:
    """The import of this file that was begun before, or a new one."""
    for earlier in jobs.same(session, job.task.digest(job.digest)):
        if earlier.state == ImportState.FINISHED:
            if again:
                break
            day = earlier.finished_at.date() if earlier.finished_at else ""
            raise ImportedBefore(
                f"This file was imported on {day} (import {earlier.id}); --again does it once more."
            )
        if earlier.place == Place.SHELL and earlier.state != ImportState.CANCELED:
            return earlier
    row = jobs.create(
        session,
        place=Place.SHELL,
        actor=by_operator(),
        file_name=job.path.name,
        program=job.task.program,
    )
    jobs.take_file(session, row, job.task, job.digest, job.size)
    return row


def _carry_out(crew: Crew, progress: Callable[[], Progress]) -> None:
    """Let the processes work, and show how far they are on stderr."""
    shown = 0.0
    try:
        with _bar() as show:
            while crew.working():
                time.sleep(_STEP_S)
                if time.monotonic() - shown >= _SHOWN_S:
                    shown = time.monotonic()
                    show(progress())
            show(progress())
    finally:
        crew.stop()
    failure = crew.failure()
    if failure is not None:
        raise CannotImport(failure)
    if not crew.done():
        raise CannotImport("Another process goes on with this import, or somebody canceled it.")


@contextmanager
def _bar() -> Iterator[Callable[[Progress], None]]:
    """A bar on a terminal; a line for each tenth elsewhere."""
    if sys.stderr.isatty():
        with click.progressbar(length=_PERCENT, label="Import", file=sys.stderr) as bar:
            yield lambda reached: bar.update(int(reached.share * _PERCENT) - bar.pos)
        return
    tenths = [0]

    def say(reached: Progress) -> None:
        tenth = int(reached.share * 10)
        if tenth > tenths[0]:
            tenths[0] = tenth
            click.echo(f"{tenth * 10} % read, {reached.rows} rows done", err=True)

    yield say


def write_report(path: Path, findings: Iterable[Finding]) -> None:
    """The report as a CSV file. Raises :class:`CannotImport` when it cannot be written."""
    try:
        with path.open("w", encoding="utf-8", newline="") as out:
            out.writelines(import_report.lines(findings))
    except OSError as error:
        raise CannotImport("The report cannot be written; everything else is done.") from error


def summary(reached: Progress, number: int | None, *, dry_run: bool) -> dict[str, Any]:
    """The result, for people and for scripts: rows in all, by outcome, by code."""
    codes = {code: times for code, times in sorted(reached.counts.items()) if times}
    codes.pop("asked", None)
    return {
        "import": number,
        "dry_run": dry_run,
        "rows": reached.rows,
        **outcomes(reached.counts),
        "codes": codes,
    }
