"""What commands that work on the database share."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from bot.commands.servers import open_servers, open_settings
from bot.engines.errors import EngineError
from bot.engines.home import require_database
from storage import migrate
from storage.settings import Settings

__all__ = ["open_database", "open_settings"]


@contextlib.contextmanager
def open_database(*, needs_redis: bool = False) -> Iterator[Settings]:
    """The settings with ``database_url`` set, and the newest schema in that database.

    Works whether or not ``assent up`` runs; ``redis_url`` too is set where ``needs_redis``. An
    embedded database is migrated here. One that was given is left as it is, since whoever runs it
    decides when ``assent migrate`` does. Raises SettingsError or EngineError.
    """
    with open_servers(needs_redis=needs_redis) as settings:
        assert settings.database_url is not None
        require_database(settings.database_url)
        if migrate.current(settings.database_url) != migrate.newest():
            if os.environ.get("DATABASE_URL"):
                raise EngineError("The database lacks this version's schema; run assent migrate.")
            migrate.upgrade(settings.database_url)
        yield settings
