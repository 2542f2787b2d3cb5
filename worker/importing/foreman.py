"""Imports that came by the API: carried out by the ticker of the machine that has the file.

One at a time, in processes of their own, so that neither texts nor the ticker wait for them. An
import whose processes have died is started again by whichever ticker finds it, and goes on where it
was committed.
"""

from __future__ import annotations

import contextlib
import logging
import os
import time
from pathlib import Path
from typing import Final

import psycopg
import sqlalchemy.exc
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from storage.database import Connection, engine, sessions
from storage.imports import jobs
from storage.imports.tables import ImportRow
from storage.settings import Settings
from storage.transaction import transaction
from worker.importing.crew import Crew
from worker.importing.running import orders

FOLDER: Final = "imports"
TIDY_EVERY_S: Final = 600.0
# What is being uploaded at this moment is younger than that.
_ABANDONED_S: Final = 24 * 3600.0
_ANY: Final = """
SELECT 1 FROM imports WHERE state IN ('queued', 'running') AND place = 'worker' LIMIT 1
"""

_log = logging.getLogger(__name__)


def file_of(home: Path, number: int) -> Path:
    """Where the uploaded file of an import lies until the import is over."""
    return home / FOLDER / f"{number}.csv"


class Foreman:
    """One ticker's. Call :meth:`look` now and then, and :meth:`close` at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._crew: Crew | None = None
        self._number = 0
        self._pool: Engine | None = None
        self._tidied = 0.0

    def look(self, connection: Connection) -> bool:
        """Look after the import at hand, or start one; whether one is being carried out.

        Raises ``psycopg.OperationalError`` when the database is away.
        """
        try:
            return self._look(connection)
        except sqlalchemy.exc.OperationalError as error:
            raise psycopg.OperationalError from error

    def close(self) -> None:
        """End the processes after the batch at hand; the import is taken up again later."""
        if self._crew is not None:
            self._crew.stop()
            self._crew = None
        if self._pool is not None:
            self._pool.dispose()
            self._pool = None

    def _look(self, connection: Connection) -> bool:
        if self._crew is not None:
            if self._crew.working():
                return True
            self._end(self._crew)
        if connection.execute(_ANY).fetchone() is not None:
            self._start()
        elif time.monotonic() - self._tidied > TIDY_EVERY_S or not self._tidied:
            self._tidied = time.monotonic()
            self._tidy()
        return self._crew is not None

    def _start(self) -> None:
        """Start the first import whose file is on this machine, if there is one."""
        with transaction(self._maker()) as work:
            for row in jobs.waiting_for_workers(work.session):
                path = file_of(self._settings.home, row.id)
                if path.exists():
                    jobs.begin(work.session, row, row.actor)
                    jobs.touch(work.session, row.id)
                    self._crew, self._number = self._crew_of(row, path), row.id
                    break
        if self._crew is not None:
            self._crew.working()

    def _crew_of(self, row: ImportRow, path: Path) -> Crew:
        assert self._settings.database_url is not None
        return Crew(
            orders(
                self._settings.database_url,
                self._settings.phone_pepper,
                path,
                jobs.task_of(row),
                jobs.filing_of(row),
                row.created_at,
                parent=os.getpid(),
                dry_run=row.dry_run,
            )
        )

    def _end(self, crew: Crew) -> None:
        """The processes have ended: the import is over, or cannot go on, or is somebody else's."""
        failure = crew.failure()
        with transaction(self._maker()) as work:
            if failure is not None:
                jobs.give_up(work.session, self._number, failure)
            jobs.settle(work.session, self._number)
        if failure is not None:
            _log.error("an import cannot go on", extra={"reason": "see GET /api/v1/imports"})
        self._crew = None
        self._tidy()

    def _tidy(self) -> None:
        """Delete files whose imports are over, and uploads that never became one."""
        folder = self._settings.home / FOLDER
        if not folder.is_dir():
            return
        files = {path: path.stem for path in folder.iterdir() if path.is_file()}
        numbers = [int(stem) for stem in files.values() if stem.isdecimal()]
        with transaction(self._maker()) as work:
            jobs.abandon(work.session)
            open_ = jobs.still_open(work.session, numbers) if numbers else set()
        for path, stem in files.items():
            if not (stem.isdecimal() and int(stem) in open_) and _is_over(path, stem):
                with contextlib.suppress(FileNotFoundError):
                    path.unlink()

    def _maker(self) -> sessionmaker[Session]:
        if self._pool is None:
            assert self._settings.database_url is not None
            self._pool = engine(self._settings.database_url, "imports", pool_size=1)
        return sessions(self._pool)


def _is_over(path: Path, stem: str) -> bool:
    """A whole file that no import needs, or an upload that somebody gave up."""
    if stem.isdecimal():
        return True
    try:
        return time.time() - path.stat().st_mtime > _ABANDONED_S
    except FileNotFoundError:
        return False
