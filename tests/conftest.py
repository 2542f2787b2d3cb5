"""What every test may ask for: a private database, a private Valkey, and settings.

One PostgreSQL and one Valkey serve the whole run. Under xdist the controller starts them, because
it outlives its workers; otherwise the first test that asks does. Both end with the process that
started them, even when it is killed.
"""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from storage.settings import Settings
from tests.engines import Servers, cloned, servers, with_number

_RUNNING = pytest.StashKey[contextlib.ExitStack]()
_SERVERS = pytest.StashKey[Servers]()
_PURE = ("tests/keywords", "tests/worker/policy", "tests/worker/texts")

ACCOUNT_SID = "AC" + "0123456789abcdef" * 2
AUTH_TOKEN = "b7c1" * 8
PREVIOUS_TOKEN = "a6d0" * 8


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """The controller, before it starts an xdist worker: tell it where the servers are."""
    if not _only_pure(node.config):
        node.workerinput["servers"] = _start(node.config).as_input()


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers that this process started."""
    running = config.stash.get(_RUNNING, None)
    if running is not None:
        running.close()


def _only_pure(config: pytest.Config) -> bool:
    """Were only tests asked for that need no server?"""
    root = config.rootpath
    pure = [root / folder for folder in _PURE]
    asked = [Path(argument.partition("::")[0]).absolute() for argument in config.args]
    return all(any(path.is_relative_to(folder) for folder in pure) for path in asked)


def _start(config: pytest.Config) -> Servers:
    if _SERVERS not in config.stash:
        with contextlib.ExitStack() as stack:
            config.stash[_SERVERS] = stack.enter_context(servers())
            config.stash[_RUNNING] = stack.pop_all()
    return config.stash[_SERVERS]


@pytest.fixture(scope="session")
def engine_servers(request: pytest.FixtureRequest) -> Servers:
    """The run's servers."""
    given: dict[str, dict[str, str]] | None = getattr(request.config, "workerinput", None)
    if given is None:
        return _start(request.config)
    return Servers(**given["servers"])


@pytest.fixture
def database_url(engine_servers: Servers) -> Iterator[str]:
    """A private PostgreSQL database with the newest schema and nothing in it."""
    name = f"assent_test_{secrets.token_hex(6)}"
    with cloned(engine_servers.admin_url, name, engine_servers.template) as url:
        yield url


@pytest.fixture
def redis_url(engine_servers: Servers, request: pytest.FixtureRequest) -> Iterator[str]:
    """A private, empty numbered database of Valkey; one number for each xdist worker."""
    given: dict[str, str] = getattr(request.config, "workerinput", {})
    number = int(given.get("workerid", "gw0").removeprefix("gw")) + 1
    url = with_number(engine_servers.redis_url, number)
    with redis.Redis.from_url(url) as client:
        client.flushdb()
        yield url
        client.flushdb()


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings with the simulator, a known account, and no servers."""
    return settings_of(tmp_path / "home")


def settings_of(home: Path) -> Settings:
    """The same for any ASSENT_HOME."""
    return Settings(
        home=home,
        port=8000,
        database_url=None,
        redis_url=None,
        public_base_url="http://testserver.example",
        link_base_url="http://testserver.example",
        twilio_account_sid=ACCOUNT_SID,
        twilio_auth_token=AUTH_TOKEN,
        twilio_auth_token_previous=PREVIOUS_TOKEN,
        twilio_api_base_url="http://127.0.0.1:8001",
        twilio_webhook_shared_key=None,
        secret_key="a secret key of the tests, 32 b.",
        phone_pepper="a phone pepper of the tests, 32 b",
        simulator=True,
        simulator_port=8001,
    )
