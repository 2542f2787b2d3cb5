"""What the bench starts: PostgreSQL with every safety on, and the servers that are compared."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from bot.bench.reports import SECRET
from bot.bench.texts import ACCOUNT_SID, AUTH_TOKEN, PUBLIC_URL
from bot.demo import load_if_empty
from bot.engines.postgres import EmbeddedPostgres
from bot.engines.process import Launch, Process
from bot.serving import DEFAULT_THREADS, DEFAULT_WORKERS
from bot.webhooks import INBOUND_PATH
from storage.migrate import upgrade

_READY_S: Final = 60.0
_STOP_S: Final = 10.0
_RESIDENTS: Final = 100_000
# A shop that has been open for a while: people who do not text today, each in one program.
_FILL: Final = (
    "INSERT INTO subscribers (phone) SELECT '+1212' || (2000000 + i) FROM generate_series(1, %s) i",
    """
    INSERT INTO subscriptions (subscriber_id, program, state, prior, confirmed_at, method, version)
    SELECT id, 'deals', 'subscribed', 'none', now(), 'import', 1 FROM subscribers
    """,
    "ANALYZE",
)


class ServerError(Exception):
    """A server that is to be measured does not run."""


@dataclass(frozen=True, slots=True)
class Contestant:
    """A server to be measured: its short name, what it is, what granian loads.

    ``environ`` are settings of its own.
    """

    name: str
    title: str
    target: str
    stores: bool = False
    environ: tuple[tuple[str, str], ...] = ()


CONSTANT: Final = Contestant("constant", "Flask, constant answer", "bot.bench.apps.constant:app")
SIGNED: Final = Contestant("signed", "Flask, signature check", "bot.bench.apps.signed:app")
SERVICE: Final = Contestant("service", "Assent", "wsgi:app", stores=True)
ORM: Final = Contestant("orm", "Flask, ORM, a commit each", "bot.bench.apps.orm:app", stores=True)
CONTESTANTS: Final = (CONSTANT, SIGNED, SERVICE, ORM)


@dataclass(frozen=True, slots=True)
class Server:
    """A contestant that runs, on its own port and, where it stores, its own database."""

    contestant: Contestant
    port: int
    process: Process
    database_url: str


def make_database(postgres: EmbeddedPostgres, name: str) -> str:
    """A migrated database with the demo shop and its residents; answers its address."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = postgres.url_of(name)
    upgrade(url)
    load_if_empty(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FILL[0], (_RESIDENTS,))
        for statement in _FILL[1:]:
            connection.execute(statement)
    return url


@contextmanager
def started(
    home: Path, postgres: EmbeddedPostgres, contestants: Sequence[Contestant] = CONTESTANTS
) -> Iterator[dict[str, Server]]:
    """The contestants by name, ready to answer; stopped at the end.

    All have the same granian settings, and databases on the same PostgreSQL.
    """
    with ExitStack() as stack:
        servers = {}
        for contestant in contestants:
            url = make_database(postgres, contestant.name) if contestant.stores else postgres.url
            port = _free_port()
            process = Process(_launch(contestant, port, home, url))
            stack.callback(process.stop, _STOP_S, then=(signal.SIGKILL,))
            servers[contestant.name] = Server(contestant, port, process, url)
        for server in servers.values():
            _wait_for(server, home)
        yield servers


def _launch(contestant: Contestant, port: int, home: Path, url: str) -> Launch:
    code = (
        "from bot.serving import serve; "
        f"serve({contestant.target!r}, {port},"
        f" workers={DEFAULT_WORKERS}, threads={DEFAULT_THREADS})"
    )
    ours = {
        "ASSENT_HOME": str(home),
        "PORT": str(port),
        "DATABASE_URL": url,
        # Wake-ups are for workers, and there are none: nothing here waits for Redis.
        "REDIS_URL": "redis://127.0.0.1:1",
        "PUBLIC_BASE_URL": PUBLIC_URL,
        "TWILIO_ACCOUNT_SID": ACCOUNT_SID,
        "TWILIO_AUTH_TOKEN": AUTH_TOKEN,
        "SECRET_KEY": SECRET,
    }
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "PYTHONPATH") if name in os.environ}
    return Launch(
        argv=[sys.executable, "-c", code],
        environ=kept | ours | dict(contestant.environ),
        log=_log(contestant, home),
    )


def _wait_for(server: Server, home: Path) -> None:
    """Until it answers anything at all. Raises ServerError with what it said last."""
    deadline = time.monotonic() + _READY_S
    while server.process.exit_code() is None and time.monotonic() < deadline:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=_STOP_S)
            connection.request("POST", INBOUND_PATH, b"")
            connection.getresponse()
        except ConnectionError:
            time.sleep(0.05)
        else:
            connection.close()
            return
    said = _log(server.contestant, home).read_text(encoding="utf-8", errors="replace")
    raise ServerError(f"{server.contestant.title} did not start. It said:\n{said[-1000:]}")


def _log(contestant: Contestant, home: Path) -> Path:
    return home / f"{contestant.name}.log"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
