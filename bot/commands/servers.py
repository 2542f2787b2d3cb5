"""The settings and the servers of a command, and errors that are expected at a start.

Nothing here loads the schema: every process of the service starts through this module.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import replace

import psycopg

from bot.engines.errors import EngineError
from bot.engines.home import reason
from bot.engines.session import running
from storage.settings import Settings, SettingsError


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
def could_not_run(error: Callable[[str], Exception]) -> Iterator[None]:
    """Turn what may be expected to go wrong at a start into ``error`` with one sentence."""
    try:
        yield
    except (SettingsError, EngineError) as problem:
        raise error(str(problem)) from problem
    except psycopg.OperationalError as problem:
        raise error(f"PostgreSQL: {reason(problem)}") from problem
