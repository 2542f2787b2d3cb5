"""What commands share: their settings, a database to work on, and errors that are expected."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg
import sqlalchemy.exc

from bot.engines.errors import EngineError
from bot.engines.session import running
from storage import migrate
from storage.settings import Settings, SettingsError


class NotMigrated(Exception):
    """The database that DATABASE_URL names has not the schema of this version."""


def open_settings() -> Settings:
    """The settings of this process's environment. Raises SettingsError."""
    return Settings.from_environment(os.environ)


@contextlib.contextmanager
def open_servers(*, needs_redis: bool = True) -> Iterator[Settings]:
    """The settings with the addresses of running servers, whether or not ``assent up`` runs.

    Embedded servers are started for the duration when nothing else is there.
    """
    settings = open_settings()
    with running(settings, needs_redis=needs_redis) as urls:
        yield replace(settings, database_url=urls.database_url, redis_url=urls.redis_url)


@contextlib.contextmanager
def open_database(*, needs_redis: bool = False) -> Iterator[Settings]:
    """``open_servers``, with the newest schema in the database.

    An embedded database is migrated here. One that was given is left as it is: whoever runs it
    decides when ``assent migrate`` does. Raises NotMigrated.
    """
    with open_servers(needs_redis=needs_redis) as settings:
        assert settings.database_url is not None
        if migrate.current(settings.database_url) != migrate.newest():
            if os.environ.get("DATABASE_URL"):
                raise NotMigrated("The database has not this version's schema; run assent migrate.")
            migrate.upgrade(settings.database_url)
        yield settings


@contextlib.contextmanager
def could_not_run(error: Callable[[str], Exception]) -> Iterator[None]:
    """Turn what may be expected to go wrong at a start into ``error`` with one sentence."""
    try:
        yield
    except (SettingsError, EngineError, NotMigrated) as problem:
        raise error(str(problem)) from problem
    except (psycopg.OperationalError, sqlalchemy.exc.OperationalError) as problem:
        raise error(f"DATABASE_URL: {_reason(problem)}") from problem


def _reason(problem: Exception) -> str:
    """The server's own words; libpq's and SQLAlchemy's further lines hold no news."""
    cause = getattr(problem, "orig", None) or problem
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return lines[0] if lines else "PostgreSQL cannot be reached."
