"""A demo shop, and imports whose rows are claims made by hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.demo import load_if_empty
from keywords.importing.claims import Claim, Finding
from keywords.importing.columns import assign
from keywords.importing.evidence import Filing
from keywords.importing.shape import Shape
from keywords.importing.task import Task
from storage.database import connect, engine, sessions
from storage.imports import jobs
from storage.imports.batch import BatchWriter
from storage.imports.notes import Read
from storage.imports.tables import Place
from storage.imports.trial import TrialWriter
from storage.transaction import transaction
from storage.verifying import check
from tests.worker.scene import Scene

PEPPER = "a phone pepper of the tests, 32 b"
WHEN = datetime(2025, 3, 4, 10, 11, 12, tzinfo=UTC)
TASK = Task(Shape("utf-8", ","), assign(["Phone"], 1, {}), "deals", "US")


def claim(row: int, phone: str, **over: Any) -> Claim:
    """A whole claim, but for what is said."""
    values: dict[str, Any] = {
        "program": "deals",
        "source": "Summer fair",
        "happened_at": WHEN,
        "disclosure": "Yes, text me deals.",
    }
    return Claim(row, phone, **values | over)


def bare(row: int, phone: str, **over: Any) -> Claim:
    """A claim without any proof."""
    missing = ("source", "date", "disclosure")
    lacking = {"source": "", "happened_at": None, "disclosure": "", "missing": missing}
    return claim(row, phone, **lacking | over)


@dataclass
class Files:
    """Imports of files with these rows."""

    scene: Scene
    database_url: str
    made: int = field(default=0)

    def begun(self, *, again: bool = False) -> tuple[int, datetime]:
        """A new import that runs, ``again`` of the last file; its number, and when it began."""
        self.made += not again
        pool = engine(self.database_url, "test", pool_size=1)
        with transaction(sessions(pool)) as work:
            row = jobs.create(
                work.session, place=Place.SHELL, actor="shell:tests", file_name="people.csv"
            )
            jobs.take_file(work.session, row, TASK, f"{self.made:064x}", 100)
            jobs.begin(work.session, row, "shell:tests")
            begun = row.id, row.created_at
        pool.dispose()
        return begun

    def writer(self, number: int, since: datetime) -> BatchWriter:
        """The writer of an import's one part, as a process has it."""
        writer = BatchWriter(
            self.scene.connection,
            self.scene.shops,
            PEPPER,
            Filing(number, f"{self.made:064x}", "shell:tests"),
            0,
            since,
        )
        assert writer.resume()
        return writer

    def bring(self, *batches: Sequence[Claim], again: bool = False) -> dict[int, str]:
        """Import a file; the codes of the rows that were refused or held."""
        number, since = self.begun(again=again)
        writer = self.writer(number, since)
        for position, claims in enumerate(batches, start=1):
            writer.write(Read(claims, (), position * 1000, done=position == len(batches)))
        return self.findings(number)

    def findings(self, number: int) -> dict[int, str]:
        """The codes of an import's findings, by row."""
        rows = self.scene.connection.execute(
            "SELECT row, code FROM import_findings WHERE import_id = %s ORDER BY row", (number,)
        )
        return dict(rows.fetchall())

    def try_out(self, *batches: Sequence[Claim]) -> dict[int, str]:
        """The same of a trial."""
        told: list[Finding] = []
        writer = TrialWriter(
            self.scene.connection,
            self.scene.shops,
            PEPPER,
            Filing(0, "0" * 64, "shell:tests"),
            lambda _rows, found, _counts: told.extend(found),
        )
        assert writer.resume()
        for position, claims in enumerate(batches, start=1):
            writer.write(Read(claims, (), position * 1000, done=position == len(batches)))
        return {each.row: str(each.code) for each in sorted(told)}

    def faults(self) -> list[Any]:
        """What the check of the whole ledger finds."""
        return [fault for checked in check(self.scene.connection) for fault in checked.faults]


@pytest.fixture
def files(database_url: str) -> Iterator[Files]:
    """Imports into the demo shop, before anybody has texted."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        yield Files(Scene(connection), database_url)


def days_ago(scene: Scene, days: int) -> None:
    """Let every message be so much older."""
    scene.connection.execute(
        "UPDATE messages SET created_at = created_at - %s", (timedelta(days=days),)
    )
