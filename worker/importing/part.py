"""One process of an import: ``python -m worker.importing.part`` with its orders on stdin.

Every process reads the whole file and takes the rows that fall to it by the last digit of the
number, so that all rows about a number meet in one process, in their order, and no two processes
ever wait for each other's people. Reading and splitting lines is a small part of the work.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, Protocol

import psycopg

from keywords.importing.claims import Claim, Finding
from keywords.importing.columns import Role
from keywords.importing.evidence import Filing
from keywords.importing.reasons import Reason
from keywords.importing.rows import RowReader
from keywords.importing.shape import NotATable
from keywords.importing.task import Task, read_task
from storage.database import BY_KEY, Connection, connect
from storage.imports.batch import BatchWriter
from storage.imports.notes import Read, note
from storage.imports.people import Superseded
from storage.imports.trial import TrialWriter
from storage.shop import ShopCache, load_shop
from worker.importing.orders import Ending, Orders, read_orders
from worker.importing.reading import Share, Source, is_odd
from worker.stopping import Stop

BATCH: Final = 2_000
# Somebody else's lock was in the way; the batch is done again as it is.
_TRIES: Final = 5
_PAUSE_S: Final = 0.2
_COLLECT_EVERY: Final = 50
# Texts come first: an import takes the time that nobody else wants.
_NICE: Final = 10


class Writer(Protocol):
    """Where batches go: the database, or a trial."""

    position: int

    def resume(self) -> bool:
        """Go on where it was left; False when all is done."""

    def write(self, rows: Read) -> None:
        """Take one batch."""


class Ended(Exception):
    """Somebody asked this process to stop, or the one that started it is gone."""


def batches(source: Source, task: Task, reader: RowReader, part: int, after: int) -> Iterator[Read]:
    """The rows of a part from the one after ``after`` on, in batches."""
    claims: list[Claim] = []
    findings: list[Finding] = []
    last = after
    share = Share(task.parts, part, task.columns.roles[Role.PHONE])
    for block in source.blocks(task.columns.width):
        first, texts, records = block
        last = max(last, first + len(records) - 1)
        for place in share.of(records) if last > after else ():
            row = first + place
            if row <= after:
                continue
            found = _read(reader, row, records[place], texts[place])
            if found is not None:
                (claims if isinstance(found, Claim) else findings).append(found)  # type: ignore[arg-type]
            if len(claims) + len(findings) >= BATCH:
                yield Read(claims, findings, row, source.share())
                claims, findings = [], []
    yield Read(claims, findings, last, 1.0, done=True)


def _read(
    reader: RowReader, row: int, cells: list[str] | None, text: str
) -> Claim | Finding | None:
    """What a record says; None for an empty one."""
    if cells is None:
        return Finding(row, Reason.QUOTING)
    return reader.read(row, cells, odd=is_odd(text)) if any(cells) else None


def carry_out(orders: Orders, connection: Connection, check: Callable[[], None]) -> None:
    """Do all batches of a part. ``check`` raises :class:`Ended` between two of them.

    Raises OSError, NotATable, Superseded, and ``psycopg.OperationalError`` when the database is
    away.
    """
    task, since = read_task(orders.task), datetime.fromisoformat(orders.since)
    writer = _writer(orders, connection, since)
    if not writer.resume():
        return
    reader = RowReader(task.rules(load_shop(connection), since))
    _quiet_collector()
    with contextlib.closing(Source(Path(orders.path), task.shape)) as source:
        for count, rows in enumerate(batches(source, task, reader, orders.part, writer.position)):
            check()
            _write(writer, rows)
            if count % _COLLECT_EVERY == 0:
                gc.collect()


def _quiet_collector() -> None:
    """Look for garbage in circles between batches only, and never among what stays for ever.

    A batch makes tens of thousands of small objects that all go by themselves; to look through
    them again and again took a tenth of the time.
    """
    gc.collect()
    gc.freeze()
    gc.disable()


def _write(writer: Writer, rows: Read) -> None:
    """Write a batch; what a lock has broken is tried again."""
    for attempt in range(_TRIES):
        try:
            writer.write(rows)
        except (psycopg.errors.DeadlockDetected, psycopg.errors.QueryCanceled):
            if attempt == _TRIES - 1:
                raise
            time.sleep(_PAUSE_S * (attempt + 1))
        else:
            return


def _writer(orders: Orders, connection: Connection, since: datetime) -> Writer:
    filing = Filing(orders.number, orders.file, orders.actor)
    if not orders.dry_run:
        return BatchWriter(connection, ShopCache(), orders.pepper, filing, orders.part, since)

    def tell(rows: Read, found: Sequence[Finding], counts: Mapping[str, int]) -> None:
        note(connection, orders.number, orders.part, rows, found, counts)

    sink = tell if orders.told is None else _to_file(Path(orders.told))
    return TrialWriter(connection, ShopCache(), orders.pepper, filing, sink)


def _to_file(told: Path) -> Callable[[Read, Sequence[Finding], Mapping[str, int]], None]:
    """For a trial without a trace: findings as lines of JSON, progress in a file beside them."""
    told.write_bytes(b"")

    def write(rows: Read, found: Sequence[Finding], counts: Mapping[str, int]) -> None:
        with told.open("a", encoding="utf-8") as out:
            out.writelines(json.dumps(each) + "\n" for each in sorted(found))
        draft = told.with_suffix(".draft")
        draft.write_text(json.dumps([counts, rows.share, rows.done]), encoding="utf-8")
        draft.replace(told.with_suffix(".progress"))

    return write


def main() -> int:
    """Read orders, carry them out, and end as :class:`Ending` says."""
    orders, stop = read_orders(sys.stdin.buffer.read()), Stop()
    stop.listen()
    os.nice(_NICE)

    def check() -> None:
        if stop.asked or (orders.parent and os.getppid() != orders.parent):
            raise Ended

    try:
        with connect(orders.database_url, "import", planner=BY_KEY) as connection:
            carry_out(orders, connection, check)
    except (Ended, Superseded):
        return Ending.STOPPED
    except psycopg.OperationalError:
        return Ending.AGAIN
    except (NotATable, OSError) as error:
        sentence = str(error) if isinstance(error, NotATable) else "The file cannot be read."
        print(sentence)  # the one thing that it says
        return Ending.IMPOSSIBLE
    return Ending.DONE


if __name__ == "__main__":
    sys.exit(main())
