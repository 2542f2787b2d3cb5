"""Has a database what the service needs? Asked at each start, so without loading the schema."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import psycopg
import psycopg.errors

import storage

_VERSIONS: Final = Path(storage.__path__[0]) / "migrations" / "versions"


def newest_revision() -> str:
    """The newest migration by its file's name (``0001_the_conversation.py``): ``0001``."""
    return max(file.name.partition("_")[0] for file in _VERSIONS.glob("[0-9]*_*.py"))


def is_migrated(url: str) -> bool:
    """Has the database the newest schema? Raises ``psycopg.OperationalError``."""
    return _truth(url, "SELECT version_num = %s FROM alembic_version", (newest_revision(),))


def has_senders(url: str) -> bool:
    """Has anybody set the service up, or the demo been loaded?"""
    return _truth(url, "SELECT EXISTS (SELECT 1 FROM senders)", ())


def _truth(url: str, query: str, values: tuple[str, ...]) -> bool:
    with psycopg.connect(url) as connection:
        try:
            row = connection.execute(query, values).fetchone()
        except psycopg.errors.UndefinedTable:
            return False
    return row is not None and bool(row[0])
