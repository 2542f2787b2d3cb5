"""Commands find servers: given ones, those of a running service, or their own."""

from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
import redis

from bot.engines import home as homes
from bot.engines import ports, session
from bot.engines.errors import EngineError
from bot.engines.home import Urls
from storage.settings import Settings


@pytest.fixture
def here(settings: Settings, home: Path) -> Settings:
    """Settings without servers, on a home that PostgreSQL's user can reach."""
    return replace(settings, home=home)


@pytest.fixture
def listener() -> Iterator[int]:
    """A port that another program listens on, and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_given_servers_are_used_as_they_are(here: Settings) -> None:
    """Nothing is started, nothing is looked for, nothing is even connected to."""
    given = replace(here, database_url="postgresql://h/d", redis_url="redis://h")
    with session.running(given, needs_redis=True) as urls:
        assert urls == Urls("postgresql://h/d", "redis://h")
    assert not (here.home / "postgres").exists()


def test_without_any_a_command_starts_its_own(here: Settings) -> None:
    """They hold what the last command left, and end with the command."""
    with session.running(here, needs_redis=True) as urls:
        assert urls.redis_url is not None
        with redis.Redis.from_url(urls.redis_url) as client:
            assert client.ping()
        with psycopg.connect(urls.database_url) as connection:
            connection.execute("CREATE TABLE kept (n int)")
    with pytest.raises(EngineError):
        homes.require_database(urls.database_url)
    with session.running(here) as again, psycopg.connect(again.database_url) as connection:
        assert again.redis_url is None
        connection.execute("SELECT n FROM kept")


def test_a_running_service_lends_its_servers(here: Settings, database_url: str) -> None:
    """What ``assent up`` published is used, though the home is locked."""
    published = Urls(database_url, "redis://h")
    with (
        homes.locked(here.home),
        homes.published(here.home, published),
        session.running(here, needs_redis=True) as urls,
    ):
        assert urls == published
    assert homes.found(here.home) is None


def test_what_is_given_goes_before_what_is_found(here: Settings, database_url: str) -> None:
    """DATABASE_URL of the command's own environment is obeyed."""
    given = replace(here, database_url="postgresql://h/d")
    with (
        homes.locked(here.home),
        homes.published(here.home, Urls(database_url, "redis://h")),
        session.running(given, needs_redis=True) as urls,
    ):
        assert urls == Urls("postgresql://h/d", "redis://h")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        '{"database_url": 5, "more": 1}',
        json.dumps({"database_url": "postgresql://127.0.0.1:1/x", "redis_url": None}),
    ],
    ids=["empty", "list", "other", "dead"],
)
def test_a_stale_note_is_not_believed(here: Settings, content: str) -> None:
    """After ``kill -9`` the note is still there; the servers are not."""
    (here.home / "run").mkdir()
    (here.home / "run" / "urls.json").write_text(content)
    assert homes.found(here.home) is None


def test_the_note_is_for_its_owner_only(here: Settings) -> None:
    """It holds passwords."""
    with homes.published(here.home, Urls("postgresql://u:p@h/d", None)):
        note = here.home / "run" / "urls.json"
        assert stat.S_IMODE(note.stat().st_mode) == 0o600
        assert stat.S_IMODE(note.parent.stat().st_mode) == 0o700


def test_a_home_is_run_by_one(here: Settings) -> None:
    """The second is told who the first is; afterwards the home is free."""
    with homes.locked(here.home):
        sentence = rf"process {os.getpid()}\) is running on {here.home}; .* ASSENT_HOME"
        with pytest.raises(EngineError, match=sentence), homes.locked(here.home):
            pass
    with homes.locked(here.home):
        pass


def test_a_command_waits_its_turn_and_gives_up(
    here: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A home that stays locked without servers is a sentence in the end."""
    monkeypatch.setattr(session, "_PATIENCE_S", 0.1)
    with homes.locked(here.home):
        started = session.running(here)
        with pytest.raises(EngineError, match="Another assent"):
            started.__enter__()


def test_a_database_that_does_not_answer_is_a_sentence() -> None:
    """With the server's reason and without the password."""
    with pytest.raises(EngineError, match="DATABASE_URL: PostgreSQL does not answer") as caught:
        homes.require_database("postgresql://user:hunter2@127.0.0.1:1/x")
    assert "hunter2" not in str(caught.value)


def test_a_valkey_that_does_not_answer_is_a_sentence(redis_url: str) -> None:
    """And one that answers is none."""
    homes.require_redis(redis_url)
    with pytest.raises(EngineError, match="REDIS_URL: Valkey does not answer"):
        homes.require_redis("redis://127.0.0.1:1")


def test_a_taken_port_is_a_sentence(listener: int) -> None:
    """It names the port and the variable."""
    with pytest.raises(EngineError, match=f"Port {listener} is taken .* set PORT to another"):
        ports.require_free("127.0.0.1", listener, "PORT", patience=0.2)


def test_a_host_that_is_not_ours_is_a_sentence() -> None:
    """An address of another machine cannot be listened on."""
    with pytest.raises(EngineError, match=r"Port 8000 on 192\.0\.2\.1 cannot be used"):
        ports.require_free("192.0.2.1", 8000, "PORT")


def test_nobody_answers_on_a_free_port() -> None:
    """Neither an error nor a wait."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        free = server.getsockname()[1]
    ports.require_free("127.0.0.1", free, "PORT")
    assert not ports.answers(free)
