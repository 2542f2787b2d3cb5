"""Bring a database to the newest schema, as its owner, one process at a time."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, NullPool, create_engine, text

from storage.database import options

_LOCK = 4_151_900_001  # any fixed number; migrations of one database wait for each other here


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    return config


def _owner(url: str) -> Connection:
    owner = create_engine(url, poolclass=NullPool, connect_args=options("migrate", role=None))
    return owner.connect()


def upgrade(url: str) -> None:
    """Run every migration that is missing. Safe to call at each start and from many processes."""
    with _owner(url) as connection:
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        config = _config()
        config.attributes["connection"] = connection
        try:
            command.upgrade(config, "head")
        finally:
            connection.rollback()
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _LOCK})
            connection.commit()


def current(url: str) -> str | None:
    """The revision a database is at, or None for an empty one."""
    with _owner(url) as connection:
        return MigrationContext.configure(connection).get_current_revision()


@cache
def newest() -> str:
    """The revision that this version of the code needs; it is read from disk once."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head
