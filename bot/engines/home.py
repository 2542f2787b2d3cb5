"""Who runs the engines of an ASSENT_HOME, and where they listen: ``run/lock``, ``run/urls.json``.

The lock is the kernel's, so it is gone with the process that held it, however that ended.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psycopg
import redis

from bot.engines.errors import EngineError

_STEP_S: Final = 0.1
_CONNECT_S: Final = 3


@dataclass(frozen=True, slots=True)
class Urls:
    """Where the servers are. ``redis_url`` is None where nobody asked for it."""

    database_url: str
    redis_url: str | None = None


@contextlib.contextmanager
def locked(home: Path, *, patience: float = 0.0) -> Iterator[None]:
    """Be the only one who runs this home's engines.

    Raises EngineError, which names the holder's process, after ``patience`` seconds.
    """
    file = _run(home) / "lock"
    with file.open("a+", encoding="ascii") as lock:
        _acquire(lock.fileno(), file, patience)
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@contextlib.contextmanager
def published(home: Path, urls: Urls) -> Iterator[None]:
    """Tell other commands of this home where the servers are, for the duration."""
    file = _run(home) / "urls.json"
    draft = file.with_name(f"urls.{os.getpid()}")
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        json.dump(asdict(urls), out)
    draft.replace(file)
    try:
        yield
    finally:
        file.unlink(missing_ok=True)


def found(home: Path) -> Urls | None:
    """The servers of a running ``assent up`` on this home, if they answer."""
    try:
        urls = Urls(**json.loads((_run(home) / "urls.json").read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError, TypeError):
        return None
    try:
        require_database(urls.database_url)
    except EngineError:
        return None
    return urls


def require_database(url: str) -> None:
    """Raise EngineError, which says why, when this PostgreSQL cannot be connected to."""
    try:
        psycopg.connect(url, connect_timeout=_CONNECT_S).close()
    except psycopg.Error as error:
        raise EngineError(f"DATABASE_URL: PostgreSQL does not answer ({reason(error)}).") from error


def require_redis(url: str) -> None:
    """Raise EngineError, which says why, when this Valkey or Redis cannot be talked to."""
    try:
        with redis.Redis.from_url(url, socket_connect_timeout=_CONNECT_S) as client:
            client.ping()
    except redis.RedisError as error:
        raise EngineError(f"REDIS_URL: Valkey does not answer ({reason(error)}).") from error


def reason(error: Exception) -> str:
    """The first line of what a server or its driver said, without a final stop."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].rstrip(".") if lines else type(error).__name__


def _run(home: Path) -> Path:
    folder = home / "run"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _acquire(descriptor: int, file: Path, patience: float) -> None:
    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() < deadline:
                time.sleep(_STEP_S)
                continue
            holder = file.read_text(encoding="ascii").strip() or "unknown"
            raise EngineError(
                f"Another assent (process {holder}) is running on {file.parent.parent}; "
                "stop it, or set ASSENT_HOME to another folder."
            ) from None
        return
