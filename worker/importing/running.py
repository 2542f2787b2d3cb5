"""What commands and workers share: planning an import of a file, and the orders to carry it out."""

from __future__ import annotations

import contextlib
import heapq
import json
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import IO, Final

from keywords.importing.claims import Finding
from keywords.importing.evidence import Filing
from keywords.importing.task import Task
from keywords.importing.wishes import BadWish, Wishes, plan
from storage.database import Connection
from storage.imports.jobs import Progress
from storage.shop import load_shop
from worker.importing.crew import parts
from worker.importing.orders import Orders
from worker.importing.reading import sample_of

_NOW: Final = "SELECT assent_now()"
# A small file is not worth a second process.
_SMALL: Final = 1 << 20


def planned(
    connection: Connection, path: Path, wishes: Wishes, since: datetime | None = None
) -> tuple[Task, datetime]:
    """How a file will be read, and the moment with which its dates are compared.

    ``since`` is when the import was asked for, None for now. Raises
    :class:`~keywords.importing.wishes.BadWish`.
    """
    try:
        sample, whole = sample_of(path)
        size = path.stat().st_size
    except OSError as error:
        raise BadWish("file", "The file cannot be read.") from error
    ((now,),) = connection.execute(_NOW).fetchall()
    since = since or now
    assert isinstance(since, datetime)
    task = plan(
        wishes,
        sample,
        load_shop(connection),
        since,
        whole=whole,
        parts=1 if size <= _SMALL else parts(),
    )
    return task, since


def orders(
    database_url: str,
    pepper: str,
    path: Path,
    task: Task,
    filing: Filing,
    since: datetime,
    *,
    parent: int,
    dry_run: bool = False,
    folder: Path | None = None,
) -> list[Orders]:
    """The orders of each process. ``parent`` is the one that they end with.

    ``folder`` is for what a trial without a trace finds.
    """
    return [
        Orders(
            database_url=database_url,
            pepper=pepper,
            path=str(path.absolute()),
            task=task.as_json(),
            number=filing.number,
            file=filing.file,
            actor=filing.actor,
            since=since.isoformat(),
            part=part,
            dry_run=dry_run,
            told=str(told_by(folder, part)) if folder else None,
            parent=parent,
        )
        for part in range(task.parts)
    ]


def told_by(folder: Path, part: int) -> Path:
    """The file in which a process of a trial without a trace tells its findings."""
    return folder / f"part-{part}.findings"


def found_by(folder: Path, count: int) -> Iterator[Finding]:
    """All findings of a trial without a trace by so many processes, in the order of the rows."""
    with contextlib.ExitStack() as stack:
        files = [
            stack.enter_context(told_by(folder, part).open(encoding="utf-8"))
            for part in range(count)
        ]
        yield from heapq.merge(*(_findings(file) for file in files))


def progress_of(folder: Path, count: int) -> Progress:
    """How far a trial without a trace is."""
    counts: Counter[str] = Counter()
    shares, dones = [0.0] * count, [False] * count
    for part in range(count):
        with contextlib.suppress(FileNotFoundError):
            file = told_by(folder, part).with_suffix(".progress")
            said, shares[part], dones[part] = json.loads(file.read_text(encoding="utf-8"))
            counts.update(said)
    return Progress(counts, min(shares), all(dones))


def _findings(file: IO[str]) -> Iterator[Finding]:
    return (Finding(*json.loads(line)) for line in file)
