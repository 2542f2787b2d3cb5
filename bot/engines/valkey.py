"""An embedded Valkey: an append-only file under ASSENT_HOME, a unix socket, a password."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Final
from urllib.parse import quote

import redis

from bot.engines import locate, orphans, places
from bot.engines.errors import EngineError
from bot.engines.process import Engine, Launch, Process, bare_environment
from storage.settings import kept_secret

_SOCKET_NAME: Final = "valkey.sock"
_STEP_S: Final = 0.02
_STOP_S: Final = 10.0
_READY_S: Final = 120.0
_CONFIG: Final = """\
port 0
unixsocket "{socket}"
unixsocketperm 700
dir "{data}"
pidfile "{pidfile}"
requirepass {password}
appendonly yes
appendfsync everysec
save ""
maxmemory-policy noeviction
databases 64
daemonize no
loglevel warning
"""


class EmbeddedValkey(Engine):
    """One server over the data of one ASSENT_HOME. Start it from the main thread."""

    name = "Valkey"

    def __init__(self, directory: Path) -> None:
        """``directory`` is an ASSENT_HOME."""
        home = directory.absolute()
        self._data = home / "valkey"
        self._data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._socket = places.socket_folder(self._data, None, _SOCKET_NAME) / _SOCKET_NAME
        self._pidfile = self._data / "valkey.pid"
        self._log = self._data / "valkey.log"
        self._password = kept_secret(home, "valkey_password")
        super().__init__()

    @property
    def url(self) -> str:
        """The address of its database 0, password included."""
        return f"unix://{quote(str(self._socket))}?db=0&password={self._password}"

    def start(self) -> None:
        """Start the server and wait until it has read its file. Raises EngineError.

        A server that an earlier process left behind is stopped first: two of them would ruin one
        append-only file.
        """
        self.stop()
        program = locate.valkey_server()
        self._stop_orphan(program)
        self._pidfile.unlink(missing_ok=True)
        self._process = Process(
            Launch(
                # The configuration, which holds the password, is neither on disk nor in argv.
                argv=[str(program), "-"],
                environ=bare_environment(),
                cwd=self._data,
                log=self._log,
                stdin=self._configuration().encode(),
            )
        )
        self._pidfile.write_text(f"{self.pid}\n", encoding="ascii")
        self._wait()

    def stop(self) -> None:
        """End it in good order, its file flushed."""
        if self._process is not None:
            self._process.stop(_STOP_S)
            self._process = None
            self._pidfile.unlink(missing_ok=True)

    def _configuration(self) -> str:
        return _CONFIG.format(
            socket=_quoted(self._socket),
            data=_quoted(self._data),
            pidfile=_quoted(self._pidfile),
            password=self._password,
        )

    def _stop_orphan(self, program: Path) -> None:
        pid = orphans.recorded_pid(self._pidfile)
        if pid is not None:
            # Linux keeps 15 characters of a program's name.
            orphans.stop(pid, program.name[:15], (signal.SIGTERM, signal.SIGKILL), _STOP_S)

    def _wait(self) -> None:
        """Until it answers; reading a large file is answered with LOADING."""
        deadline = time.monotonic() + _READY_S
        while self.alive() and time.monotonic() < deadline:
            if _answers(self.url):
                return
            time.sleep(_STEP_S)
        self.stop()
        raise EngineError(f"Valkey did not start; {self._log} says why.")


def _answers(url: str) -> bool:
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')
