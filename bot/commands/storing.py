"""What commands that write share: one transaction, and who it was."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from storage.database import engine, sessions
from storage.transaction import Work, transaction


@contextmanager
def working(database_url: str | None) -> Iterator[Work]:
    """One transaction on this database, committed at the end."""
    assert database_url is not None
    pool = engine(database_url, "command", pool_size=1)
    try:
        with transaction(sessions(pool)) as work:
            yield work
    finally:
        pool.dispose()


def by_operator() -> str:
    """Who acts in the audit log when somebody works at a shell: the user they are there."""
    try:
        return f"shell:{getpass.getuser()}"
    except (KeyError, OSError):
        return "shell:unknown"  # a container may run as a user that has no name
