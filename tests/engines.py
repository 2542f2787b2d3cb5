"""The servers of one test run: embedded ones, or those of DATABASE_URL and REDIS_URL."""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from bot.engines.postgres import EmbeddedPostgres
from bot.engines.valkey import EmbeddedValkey
from storage import migrate


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the run's servers are, and the migrated database that tests copy."""

    admin_url: str
    redis_url: str
    template: str

    def as_input(self) -> dict[str, str]:
        """The form in which xdist hands them to its workers."""
        return asdict(self)


@contextlib.contextmanager
def servers() -> Iterator[Servers]:
    """Start what is not given, migrate a template, and clear everything away afterwards."""
    with contextlib.ExitStack() as stack:
        home = Path(tempfile.mkdtemp(prefix="assent-tests-"))
        stack.callback(shutil.rmtree, home)
        # When root runs the tests, PostgreSQL's unprivileged user must get through.
        home.chmod(0o711)
        admin_url = os.environ.get("DATABASE_URL") or _postgres(home, stack)
        redis_url = os.environ.get("REDIS_URL") or _valkey(home, stack)
        template = f"assent_template_{secrets.token_hex(6)}"
        with cloned(admin_url, template, None) as url:
            migrate.upgrade(url)
            yield Servers(admin_url, redis_url, template)


@contextlib.contextmanager
def cloned(admin_url: str, name: str, template: str | None) -> Iterator[str]:
    """A database that exists for the duration, a copy of ``template``: its address."""
    create = sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name))
    if template:
        # Copying files costs a fraction of writing every block to the log, where nothing is synced.
        create += sql.SQL(" TEMPLATE {} STRATEGY FILE_COPY").format(sql.Identifier(template))
    with psycopg.connect(admin_url, autocommit=True) as admin:
        admin.execute(create)
        try:
            yield with_database(admin_url, name)
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            admin.execute(drop)


def with_database(url: str, name: str) -> str:
    """The address of another database of the same PostgreSQL."""
    # urlunsplit would drop the empty host of a socket's address, and libpq needs the slashes.
    scheme, _, rest = url.partition("://")
    place, mark, query = rest.partition("?")
    host = place.rpartition("/")[0] if "/" in place else place
    return f"{scheme}://{host}/{name}{mark}{query}"


def with_number(url: str, number: int) -> str:
    """The address of another numbered database of the same Valkey."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        query = {**dict(parse_qsl(parts.query)), "db": str(number)}
        return f"unix://{parts.path}?{urlencode(query)}"
    return urlunsplit(parts._replace(path=f"/{number}"))


def _postgres(home: Path, stack: contextlib.ExitStack) -> str:
    server = EmbeddedPostgres(home, fsync=False)
    server.start()
    stack.callback(server.stop)
    return server.url


def _valkey(home: Path, stack: contextlib.ExitStack) -> str:
    server = EmbeddedValkey(home)
    server.start()
    stack.callback(server.stop)
    return server.url
