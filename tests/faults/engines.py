"""A PostgreSQL that writes durably, to be shut down in the middle of things."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from bot.engines.postgres import EmbeddedPostgres
from storage import migrate


@contextlib.contextmanager
def durable_postgres(home: Path) -> Iterator[EmbeddedPostgres]:
    """A migrated server of its own. The run's servers do not sync, and would lose commits."""
    home.mkdir()
    # When root runs the tests, PostgreSQL's unprivileged user must get through.
    for folder in (home, home.parent):
        folder.chmod(0o711)
    server = EmbeddedPostgres(home)
    server.start()
    try:
        migrate.upgrade(server.url)
        yield server
    finally:
        server.stop()
