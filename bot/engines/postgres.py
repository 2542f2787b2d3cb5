"""An embedded PostgreSQL: one cluster under ASSENT_HOME, a unix socket, a password."""

from __future__ import annotations

import re
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg
from psycopg import pq

from bot.engines import locate, orphans, places
from bot.engines.errors import EngineError
from bot.engines.process import Account, Engine, Launch, Process, bare_environment
from storage.settings import kept_secret

USER: Final = "assent"
DATABASE: Final = "assent"
_SOCKET_NAME: Final = ".s.PGSQL.5432.lock"
_STEP_S: Final = 0.02
_STOP_S: Final = 30.0
# Recovery after a crash replays up to max_wal_size; on a slow disk that is minutes, not seconds.
_READY_S: Final = 900.0
# The processes of a killed server give back its shared memory within moments of its death.
_MEMORY_S: Final = 30.0
_IN_USE: Final = re.compile(r"shared memory block|lock file .* already exists")
_OPTIONS: Final = (
    "listen_addresses=",
    "unix_socket_permissions=0700",
    "port=5432",
    "shared_buffers=128MB",
    "max_connections=100",
    "synchronous_commit=on",
    # After a checkpoint the first touch of each page is written whole: fewer checkpoints, less log.
    "max_wal_size=2GB",
    "checkpoint_timeout=15min",
    "timezone=UTC",
    "log_timezone=UTC",
    "lc_messages=C",
    "log_min_messages=warning",
    # A failed statement, its values and the key that clashed would put phone numbers in the log.
    "log_min_error_statement=panic",
    "log_error_verbosity=terse",
    "log_parameter_max_length_on_error=0",
)


# For data that nobody keeps: no syncing, and nothing in the log that only a replica would need.
_WITHOUT_SYNC: Final = (
    "fsync=off",
    "full_page_writes=off",
    "synchronous_commit=off",
    "wal_level=minimal",
    "max_wal_senders=0",
    "max_wal_size=4GB",
)


class EmbeddedPostgres(Engine):
    """One server over the data of one ASSENT_HOME. Start it from the main thread."""

    name = "PostgreSQL"

    def __init__(self, directory: Path, *, fsync: bool = True) -> None:
        """``directory`` is an ASSENT_HOME. Without ``fsync`` a kill loses rows."""
        self._home = directory.absolute()
        self._fsync = fsync
        super().__init__()
        self._place = places.cluster_place(self._home)
        self._data = self._place / "data"
        self._account = places.server_account(self._data)
        self._sockets = places.socket_folder(self._place, self._account, _SOCKET_NAME)
        self._password = kept_secret(self._home, "postgres_password")
        self._log = self._place / "postgres.log"

    @property
    def url(self) -> str:
        """The address of the service's database, password included."""
        return self.url_of(DATABASE)

    def url_of(self, database: str) -> str:
        """The address of another database of this server."""
        host = quote(str(self._sockets), safe="/")
        return f"postgresql://{USER}:{self._password}@/{database}?host={host}&port=5432"

    def start(self) -> None:
        """Make the cluster if there is none, start the server, wait until it takes connections.

        A server that an earlier process left behind is stopped first. Raises EngineError.
        """
        self.stop()
        folder = places.reachable_bin(locate.postgres_bin(), self._account)
        if not self._data.exists():
            self._make_cluster(folder)
        self._check_version(folder)
        self._stop_orphan()
        self._launch(folder)
        self._make_database()

    def stop(self) -> None:
        """End it in good order: open transactions are rolled back, the data is flushed."""
        if self._process is not None:
            self._process.stop(_STOP_S, then=(signal.SIGQUIT,))
            self._process = None

    def _make_cluster(self, folder: Path) -> None:
        """``initdb`` into a draft, renamed when it is complete: half of one never counts."""
        with tempfile.TemporaryDirectory(prefix="initdb-", dir=self._place) as scratch:
            draft, password = Path(scratch) / "data", Path(scratch) / "password"
            password.write_text(self._password, encoding="ascii")
            password.chmod(0o600)
            places.own(Path(scratch), self._account)
            done = _run(_initdb(folder, draft, password, sync=self._fsync), self._account)
            if done.returncode != 0:
                raise EngineError(f"initdb failed: {_last_line(done.stderr)}")
            draft.rename(self._data)

    def _check_version(self, folder: Path) -> None:
        stored = (self._data / "PG_VERSION").read_text(encoding="ascii").strip()
        ours = locate.major_version(folder)
        if stored != str(ours):
            raise EngineError(
                f"The data in {self._data} is PostgreSQL {stored}'s but the program found is "
                f"PostgreSQL {ours}; set PG_BIN to a PostgreSQL {stored}, or dump and restore."
            )

    def _stop_orphan(self) -> None:
        pid = orphans.recorded_pid(self._data / "postmaster.pid")
        if pid is not None:
            orphans.stop(pid, "postgres", (signal.SIGINT, signal.SIGQUIT), _STOP_S)

    def _launch(self, folder: Path) -> None:
        deadline = time.monotonic() + _MEMORY_S
        while True:
            start = self._log.stat().st_size if self._log.exists() else 0
            self._process = Process(self._command(folder))
            if self._ready():
                return
            self.stop()
            said = self._said_since(start)
            if not _IN_USE.search(said) or time.monotonic() > deadline:
                raise EngineError(f"PostgreSQL did not start: {_last_line(said)} (see {self._log})")
            time.sleep(0.2)

    def _command(self, folder: Path) -> Launch:
        argv = [str(folder / "postgres"), "-D", str(self._data), "-k", str(self._sockets)]
        sync = () if self._fsync else _WITHOUT_SYNC
        for option in (*_OPTIONS, *sync):
            argv += ["-c", option]
        return Launch(
            argv=argv,
            end=signal.SIGINT,
            environ=bare_environment(),
            account=self._account,
            cwd=self._place,
            log=self._log,
        )

    def _ready(self) -> bool:
        """True once it answers, False when it has ended."""
        deadline = time.monotonic() + _READY_S
        asked = self.url_of("postgres").encode()
        while self.alive():
            if pq.PGconn.ping(asked) == pq.Ping.OK:
                return True
            if time.monotonic() > deadline:
                raise EngineError(
                    f"PostgreSQL is not ready after {_READY_S:.0f} s (see {self._log})"
                )
            time.sleep(_STEP_S)
        return False

    def _make_database(self) -> None:
        try:
            with psycopg.connect(self.url_of("postgres"), autocommit=True) as connection:
                found = connection.execute(
                    "SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)
                ).fetchone()
                if found is None:
                    connection.execute(f"CREATE DATABASE {DATABASE}")
        except psycopg.OperationalError as error:
            self.stop()
            raise EngineError(
                f"PostgreSQL in {self._place} refuses the password in "
                f"{self._home / 'secrets' / 'postgres_password'}; restore that file."
            ) from error

    def _said_since(self, start: int) -> str:
        with self._log.open("rb") as log:
            log.seek(start)
            return log.read().decode("utf-8", errors="replace")


def _initdb(folder: Path, data: Path, password: Path, *, sync: bool) -> list[str]:
    command = [str(folder / "initdb"), "-D", str(data), "-U", USER, "-E", "UTF8", "--locale=C"]
    command += ["--auth=scram-sha-256", f"--pwfile={password}"]
    if locate.major_version(folder) >= 17:
        command += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
    return command if sync else [*command, "--no-sync"]


def _run(command: list[str], account: Account | None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command,
        capture_output=True,
        text=True,
        check=False,
        cwd="/",
        env=bare_environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1].strip() if lines else "it said nothing"
