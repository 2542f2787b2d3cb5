"""Files of people, and imports of them by real processes."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.orm import Session, sessionmaker

from bot.demo import load_if_empty
from keywords.importing.wishes import Wishes
from storage.database import connect, engine, sessions
from storage.imports import jobs
from storage.imports.tables import ImportRow, Place
from storage.transaction import transaction
from storage.verifying import check
from tests.worker.scene import Scene
from worker.importing.crew import Crew
from worker.importing.orders import Orders
from worker.importing.reading import digest_of
from worker.importing.running import orders, planned

PEPPER = "a phone pepper of the tests, 32 b"
HEADER = "Phone,Source,Consent date,Consent text\n"
DEALS = Wishes(program="deals")


def line(phone: str, *, proof: bool = True) -> str:
    """One row."""
    return f"{phone},Fair,2025-03-04,Yes to deals\n" if proof else f"{phone},,,\n"


@dataclass
class Yard:
    """A database with the demo shop, and imports into it."""

    scene: Scene
    database_url: str
    sessions: sessionmaker[Session]
    folder: Path

    def file(self, *rows: str, header: str = HEADER, name: str = "people.csv") -> Path:
        """A file with these rows."""
        path = self.folder / name
        path.write_text(header + "".join(rows), encoding="utf-8")
        return path

    def begun(self, path: Path, parts: int = 2, wishes: Wishes = DEALS) -> tuple[int, Crew]:
        """An import of a file, and its processes, which nobody has started."""
        task, _ = planned(self.scene.connection, path, wishes)
        task = replace(task, parts=parts)
        with transaction(self.sessions) as work:
            row = jobs.create(
                work.session, place=Place.SHELL, actor="shell:tests", file_name=path.name
            )
            jobs.take_file(work.session, row, task, *digest_of(path))
            jobs.begin(work.session, row, "shell:tests")
            return row.id, Crew(self.orders(row, path))

    def orders(self, row: ImportRow, path: Path) -> list[Orders]:
        """The orders for an import's processes."""
        return orders(
            self.database_url,
            PEPPER,
            path,
            jobs.task_of(row),
            jobs.filing_of(row),
            row.created_at,
            parent=os.getpid(),
        )

    def again(self, number: int, path: Path) -> Crew:
        """New processes for an import that was begun."""
        with self.sessions() as session:
            row = session.get(ImportRow, number)
            assert row is not None
            return Crew(self.orders(row, path))

    def settled(self, number: int) -> dict[str, int]:
        """Finish an import: its counts by code."""
        with transaction(self.sessions) as work:
            assert jobs.settle(work.session, number)
        with self.sessions() as session:
            row = session.get(ImportRow, number)
            assert row is not None
            return dict(row.counts or {})

    def value(self, statement: str, *values: Any) -> Any:
        """The one value that a query answers."""
        ((value,),) = self.scene.connection.execute(statement, values).fetchall()
        return value

    def faults(self) -> Sequence[Any]:
        """What the check of the whole ledger finds."""
        return [fault for checked in check(self.scene.connection) for fault in checked.faults]


@pytest.fixture
def yard(database_url: str, tmp_path: Path) -> Iterator[Yard]:
    """A database, a folder, no import yet."""
    load_if_empty(database_url)
    pool = engine(database_url, "test", pool_size=2)
    with connect(database_url, "test") as connection:
        yield Yard(Scene(connection), database_url, sessions(pool), tmp_path)
    pool.dispose()
