"""The one place that commits.

A request or a job is one transaction, committed once, at the edge. Wake-ups for the workers are
handed over after the commit; a rollback hands over nothing. A wake-up that is lost costs time and
nothing else, because the sweeps find the rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from sqlalchemy.orm import Session, sessionmaker

from storage.database import Connection, raw


@dataclass(slots=True)
class Work:
    """What one transaction has at hand, and the queues to wake when it is committed."""

    session: Session
    wake: set[str] = field(default_factory=set)

    @property
    def connection(self) -> Connection:
        """The psycopg connection below, in the same transaction."""
        return raw(self.session)

    def later(self, queue: str) -> None:
        """Wake ``queue`` once this work is committed."""
        self.wake.add(queue)


Handover = Callable[[set[str]], None]


@contextmanager
def transaction(
    sessions: sessionmaker[Session], handover: Handover | None = None
) -> Iterator[Work]:
    """Commit what is done inside, or nothing; then hand over the wake-ups."""
    with sessions() as session:
        work = Work(session)
        with session.begin():
            yield work
    if work.wake and handover is not None:
        handover(work.wake)


@contextmanager
def atomic(connection: Connection) -> Iterator[Connection]:
    """The same for a plain psycopg connection in autocommit mode.

    Plain BEGIN and COMMIT: psycopg's own block would cost two more round trips for the texts.
    """
    connection.execute("BEGIN")
    try:
        yield connection
    except BaseException:
        if not connection.closed:
            connection.execute("ROLLBACK")
        raise
    if connection.execute("COMMIT").statusmessage != "COMMIT":
        # The server answers ROLLBACK when an error was swallowed inside.
        raise psycopg.errors.InFailedSqlTransaction("an error inside was swallowed")
