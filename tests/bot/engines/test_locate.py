"""Where the servers' programs are looked for, and in which order."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bot.engines import locate, places
from bot.engines.errors import EngineError
from bot.engines.process import Account


def programs(folder: Path, *names: str) -> Path:
    """A folder of programs that do nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_text("#!/bin/sh\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.fixture
def nothing_packaged(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if neither package were installed."""
    monkeypatch.setattr(locate, "_package_folder", lambda _name: None)


def test_the_package_still_has_its_programs_where_we_look() -> None:
    """The paths are not part of the packages' interface: a new version may move them."""
    newest = locate.packaged_postgres()[0]
    assert newest == locate.postgres_bin({})
    assert locate.major_version(newest) == 18
    for name in ("postgres", "initdb", "pg_dump", "pg_restore"):
        assert os.access(newest / name, os.X_OK)
    server = locate.packaged_valkey()
    assert server is not None
    said = subprocess.run([server, "--version"], capture_output=True, text=True, check=True)
    assert "v=9." in said.stdout


def test_a_given_folder_comes_first(tmp_path: Path) -> None:
    """PG_BIN and VALKEY_BIN say which to use."""
    folder = programs(tmp_path, "postgres", "initdb", "server")
    assert locate.postgres_bin({"PG_BIN": str(folder)}) == folder
    assert locate.valkey_server({"VALKEY_BIN": str(folder / "server")}) == folder / "server"


@pytest.mark.parametrize(
    ("name", "words"), [("PG_BIN", "does not hold postgres"), ("VALKEY_BIN", "is not a program")]
)
def test_a_given_folder_that_is_wrong_is_a_sentence(tmp_path: Path, name: str, words: str) -> None:
    """What was asked for is never replaced by something else."""
    look = locate.postgres_bin if name == "PG_BIN" else locate.valkey_server
    with pytest.raises(EngineError, match=words):
        look({name: str(tmp_path / "missing")})


@pytest.mark.usefixtures("nothing_packaged")
def test_the_path_is_the_last_resort(tmp_path: Path) -> None:
    """Without a package, a Redis of the system will do."""
    folder = programs(tmp_path, "redis-server")
    assert locate.valkey_server({"PATH": str(folder)}) == folder / "redis-server"


@pytest.mark.usefixtures("nothing_packaged")
def test_no_server_at_all_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says what to install and which variable does without."""
    monkeypatch.setattr(Path, "glob", lambda _self, _pattern: iter(()))
    with pytest.raises(EngineError, match="set REDIS_URL"):
        locate.valkey_server({"PATH": str(tmp_path)})
    with pytest.raises(EngineError, match="set DATABASE_URL"):
        locate.postgres_bin({"PATH": str(tmp_path)})


@pytest.mark.parametrize(
    ("script", "words"),
    [("exit 1", "does not run on this machine"), ("echo postgres 9.6", "or newer is needed")],
)
def test_a_server_that_cannot_serve_us_is_a_sentence(
    tmp_path: Path, script: str, words: str
) -> None:
    """Broken or too old."""
    programs(tmp_path, "postgres")
    (tmp_path / "postgres").write_text(f"#!/bin/sh\n{script}\n")
    with pytest.raises(EngineError, match=words):
        locate.major_version(tmp_path)


def test_programs_that_cannot_be_reached_are_copied(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With the libraries beside them, once, and where the account can run them."""
    package = tmp_path / "private" / "site-packages" / "package"
    bin_folder = programs(package / "pginstall18" / "bin", "postgres", "initdb")
    (package.parent / "package.libs").mkdir()
    (package.parent / "package.libs" / "libpq.so").write_text("library")
    (tmp_path / "private").chmod(0o700)
    monkeypatch.setattr(places, "SHARED", tmp_path / "shared")
    stranger = Account(os.geteuid() + 12345, os.getegid() + 12345)
    copied = places.reachable_bin(bin_folder, stranger)
    assert copied.is_relative_to(tmp_path / "shared")
    assert os.access(copied / "postgres", os.X_OK)
    assert (copied.parents[2] / "package.libs" / "libpq.so").read_text() == "library"
    assert places.reachable_bin(bin_folder, stranger) == copied
    assert places.reachable_bin(bin_folder, None) == bin_folder


def test_a_socket_folder_of_someone_else_is_refused(tmp_path: Path) -> None:
    """A folder that others can enter was not made by us, whatever it is called."""
    (tmp_path / "run").mkdir(mode=0o755)
    (tmp_path / "run").chmod(0o755)
    with pytest.raises(EngineError, match="belongs to someone else or can be entered"):
        places.socket_folder(tmp_path, None, "x")


@pytest.mark.parametrize(
    ("mode", "expected"), [(0o700, False), (0o710, False), (0o711, True), (0o755, True)]
)
def test_a_folder_must_let_others_through(tmp_path: Path, mode: int, *, expected: bool) -> None:
    """Reading it is not needed, passing through it is."""
    folder = tmp_path / "inner"
    folder.mkdir()
    stranger = Account(os.geteuid() + 12345, os.getegid() + 12345)
    folder.chmod(mode)
    found = folder.stat()
    assert places._may_enter(found, stranger) is expected
    assert places._may_enter(found, Account(os.geteuid(), 0))
