"""An embedded PostgreSQL keeps what it was given, however it or its parent ends."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from bot.engines import locate, places
from bot.engines.errors import EngineError
from bot.engines.postgres import EmbeddedPostgres
from tests.bot.engines.conftest import Parent
from tests.bot.engines.waiting import eventually, gone

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root has another user to run it as")


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedPostgres]:
    """A started server."""
    server = EmbeddedPostgres(home, fsync=False)
    server.start()
    yield server
    server.stop()


def write(url: str, *, times: int = 1) -> None:
    """Rows, one commit each."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        for n in range(times):
            connection.execute("INSERT INTO kept VALUES (%s)", (n,))


def rows(url: str) -> int:
    """How many rows there are."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM kept").fetchone()
    assert row is not None
    count: int = row[0]
    return count


def test_the_data_survives_a_stop(server: EmbeddedPostgres, home: Path) -> None:
    """A second server over the same home has what the first one was given."""
    write(server.url)
    server.stop()
    assert not server.alive()
    second = EmbeddedPostgres(home, fsync=False)
    second.start()
    try:
        assert second.url == server.url
        assert rows(second.url) == 1
    finally:
        second.stop()


def test_committed_rows_survive_a_kill(home: Path) -> None:
    """After SIGKILL it starts again, waits for its old memory to be freed, and recovers."""
    server = EmbeddedPostgres(home)  # as a shop runs it, with every safety on
    server.start()
    try:
        write(server.url, times=50)
        os.kill(server.pid, signal.SIGKILL)
        assert eventually(lambda: not server.alive())
        server.start()
        assert rows(server.url) == 50
    finally:
        server.stop()


def test_a_killed_parent_leaves_no_server(parent: Callable[[str], Parent]) -> None:
    """Both engines end within seconds of a parent that could not stop them."""
    process, pids = parent("engines")
    assert len(pids) == 2
    process.kill()
    assert eventually(lambda: all(gone(pid) for pid in pids))


def test_a_server_left_behind_is_stopped_first(server: EmbeddedPostgres, home: Path) -> None:
    """Another start over the same data ends the server that is there, and goes on."""
    write(server.url)
    second = EmbeddedPostgres(home, fsync=False)
    second.start()
    try:
        assert eventually(lambda: not server.alive())
        assert rows(second.url) == 1
    finally:
        second.stop()


def test_a_stale_pid_file_is_no_obstacle(server: EmbeddedPostgres, home: Path) -> None:
    """A process id that now belongs to another program is not touched."""
    write(server.url)
    server.stop()
    found = next(home.rglob("PG_VERSION")).parent
    (found / "postmaster.pid").write_text(f"{os.getpid()}\n{found}\n")
    server.start()
    assert rows(server.url) == 1


def test_a_wrong_password_is_refused(server: EmbeddedPostgres) -> None:
    """Nobody gets in without the password, not even through the socket."""
    password = server.url.partition("assent:")[2].partition("@")[0]
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(server.url.replace(password, "guess"))


def test_the_password_is_in_no_command_line(server: EmbeddedPostgres, home: Path) -> None:
    """It is in one file of the home, 0600, and not among the process's arguments."""
    password = server.url.partition("assent:")[2].partition("@")[0]
    assert (home / "secrets" / "postgres_password").read_text().strip() == password
    arguments = Path(f"/proc/{server.pid}/cmdline")
    if arguments.exists():
        assert password.encode() not in arguments.read_bytes()


def test_no_other_user_may_reach_its_socket(server: EmbeddedPostgres) -> None:
    """The folder of the socket is its owner's alone."""
    folder = Path(server.url.partition("host=")[2].partition("&")[0])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_failed_statement_leaves_no_values_in_the_log(
    server: EmbeddedPostgres, home: Path
) -> None:
    """An error's statement, values and clashing key stay out of the log."""
    with psycopg.connect(server.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE once (number text PRIMARY KEY)")
        connection.execute("INSERT INTO once VALUES ('+14155550123')")
        with pytest.raises(psycopg.errors.UniqueViolation):
            connection.execute("INSERT INTO once VALUES ('+14155550123')")
    assert "4155550123" not in next(home.rglob("postgres.log")).read_text()


def test_a_long_path_gets_a_short_socket(home: Path) -> None:
    """A path too long for a socket moves the socket, not the data."""
    deep = home / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)
    server = EmbeddedPostgres(deep, fsync=False)
    server.start()
    try:
        write(server.url)
        folder = Path(server.url.partition("host=")[2].partition("&")[0])
        assert not folder.is_relative_to(home)
        assert list(deep.rglob("PG_VERSION"))
    finally:
        server.stop()
        folder.rmdir()


def test_a_lost_password_is_a_sentence(server: EmbeddedPostgres, home: Path) -> None:
    """A secret that was removed while the data stayed is named, and nothing is left running."""
    server.stop()
    (home / "secrets" / "postgres_password").unlink()
    again = EmbeddedPostgres(home, fsync=False)
    with pytest.raises(EngineError, match="refuses the password in"):
        again.start()
    assert not again.alive()


def test_data_of_another_version_is_a_sentence(server: EmbeddedPostgres, home: Path) -> None:
    """PostgreSQL would say it in its log only."""
    server.stop()
    stored = next(home.rglob("PG_VERSION"))
    version = stored.read_text()
    stored.write_text("13\n")
    with pytest.raises(EngineError, match="PostgreSQL 13's but the program found is"):
        server.start()
    stored.write_text(version)


def test_what_keeps_it_from_starting_is_a_sentence(server: EmbeddedPostgres, home: Path) -> None:
    """The last line of the server's own log is part of it."""
    server.stop()
    configuration = next(home.rglob("postgresql.conf"))
    with configuration.open("a") as out:
        out.write("\nno_such_setting = 1\n")
    with pytest.raises(EngineError, match=r"did not start: .*configuration file"):
        server.start()


def test_a_failed_initdb_leaves_no_data(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half of a cluster is never taken for one."""
    for name, script in {"postgres": "echo postgres 18.0", "initdb": "echo no >&2; exit 1"}.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setattr(locate, "postgres_bin", lambda: tmp_path)
    monkeypatch.setattr(places, "server_account", lambda _data: None)
    server = EmbeddedPostgres(home)
    with pytest.raises(EngineError, match="initdb failed: no"):
        server.start()
    assert not list(home.rglob("data"))


@as_root
def test_root_runs_it_as_someone_else(server: EmbeddedPostgres) -> None:
    """PostgreSQL refuses root; it gets the user ``postgres`` or ``nobody``."""
    owner = Path(f"/proc/{server.pid}").stat().st_uid
    assert pwd.getpwuid(owner).pw_name in ("postgres", "nobody")


@as_root
def test_a_home_only_root_can_enter_keeps_the_data_elsewhere() -> None:
    """The place is noted in the home, found again, and no permission of ours is changed."""
    private = Path(tempfile.mkdtemp(prefix="assent-private-"))
    server = EmbeddedPostgres(private, fsync=False)
    place = Path((private / "postgres" / "place").read_text().strip())
    try:
        server.start()
        write(server.url)
        server.stop()
        again = EmbeddedPostgres(private, fsync=False)
        again.start()
        assert rows(again.url) == 1
        again.stop()
        assert stat.S_IMODE(private.stat().st_mode) == 0o700
        assert place.parent == places.SHARED
        shutil.rmtree(place)
        with pytest.raises(EngineError, match="which is gone"):
            EmbeddedPostgres(private)
    finally:
        server.stop()
        shutil.rmtree(place, ignore_errors=True)
        shutil.rmtree(private)


def test_the_memory_of_a_killed_server_is_waited_for(
    server: EmbeddedPostgres, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its last processes hold it, PostgreSQL refuses to start; soon it does not."""
    server.stop()
    real = places.reachable_bin(locate.postgres_bin(), places.server_account(home / "none"))
    folder = home / "bin"
    folder.mkdir()
    folder.chmod(0o777)  # the server's own user leaves its mark here
    (folder / "postgres").write_text(
        f'#!/bin/sh\n[ "$1" = --version ] && exec {real}/postgres --version\n'
        f'[ -e {folder}/tried ] && exec {real}/postgres "$@"\n'
        f"touch {folder}/tried\n"
        "echo 'FATAL:  pre-existing shared memory block (key 1, ID 2) is still in use'\nexit 1\n"
    )
    (folder / "postgres").chmod(0o755)
    monkeypatch.setattr(locate, "postgres_bin", lambda: folder)
    server.start()
    assert server.alive()
    assert (folder / "tried").exists()
