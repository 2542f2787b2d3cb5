"""An embedded Valkey keeps what it was given, however it ends."""

from __future__ import annotations

import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from bot.engines.errors import EngineError
from bot.engines.valkey import EmbeddedValkey
from tests.bot.engines.waiting import eventually


@pytest.fixture
def server(home: Path) -> Iterator[EmbeddedValkey]:
    """A started server."""
    server = EmbeddedValkey(home)
    server.start()
    yield server
    server.stop()


def kept(url: str) -> bytes | None:
    """What ``put`` put there."""
    with redis.Redis.from_url(url) as client:
        value: bytes | None = client.get("kept")
    return value


def put(url: str) -> None:
    """Something to find again."""
    with redis.Redis.from_url(url) as client:
        client.set("kept", "yes")


def test_the_data_survives_a_stop(server: EmbeddedValkey, home: Path) -> None:
    """A second server over the same home has what the first one was given."""
    put(server.url)
    server.stop()
    second = EmbeddedValkey(home)
    second.start()
    try:
        assert kept(second.url) == b"yes"
    finally:
        second.stop()


def test_the_data_survives_a_kill(server: EmbeddedValkey) -> None:
    """The append-only file has what was written before SIGKILL."""
    put(server.url)
    os.kill(server.pid, signal.SIGKILL)
    assert eventually(lambda: not server.alive())
    server.start()
    assert kept(server.url) == b"yes"


def test_a_server_left_behind_is_stopped_first(server: EmbeddedValkey, home: Path) -> None:
    """Two servers never write one append-only file."""
    put(server.url)
    second = EmbeddedValkey(home)
    second.start()
    try:
        assert eventually(lambda: not server.alive())
        assert kept(second.url) == b"yes"
    finally:
        second.stop()


def test_it_asks_for_its_password(server: EmbeddedValkey) -> None:
    """And the password is neither on disk beside the data nor among its arguments."""
    bare, _, query = server.url.partition("?")
    password = query.partition("password=")[2]
    with redis.Redis.from_url(bare) as client, pytest.raises(redis.AuthenticationError):
        client.ping()
    arguments = Path(f"/proc/{server.pid}/cmdline")
    if arguments.exists():
        assert password.encode() not in arguments.read_bytes()


def test_no_other_user_may_reach_its_socket(server: EmbeddedValkey) -> None:
    """The folder of the socket is its owner's alone."""
    folder = Path(server.url.removeprefix("unix://").partition("?")[0]).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_it_refuses_writes_before_it_forgets(server: EmbeddedValkey) -> None:
    """A queue must not lose its oldest jobs when memory runs out."""
    with redis.Redis.from_url(server.url) as client:
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}
        assert client.config_get("appendonly") == {"appendonly": "yes"}


def test_what_keeps_it_from_starting_is_a_sentence(server: EmbeddedValkey, home: Path) -> None:
    """A damaged file is not repaired in silence."""
    put(server.url)
    server.stop()
    damaged = next(file for file in home.rglob("appendonly.aof.manifest"))
    damaged.write_text("nonsense\n")
    with pytest.raises(EngineError, match=r"Valkey did not start; .*valkey\.log says why"):
        server.start()
    assert not server.alive()
