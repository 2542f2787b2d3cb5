"""The simulator as its own process."""

from __future__ import annotations

import importlib
import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
import requests
from twilio.rest import Client

from bot.simulator import server
from storage.settings import Settings
from tests.bot.simulator.service import ACCOUNT, TOKEN
from tests.bot.simulator.waiting import until
from worker.carrier_http import CarrierHttpClient, NoAnswer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_RUN = """
import os
from bot.simulator.server import run
from storage.settings import Settings
run(Settings.from_environment(os.environ))
"""


@pytest.fixture
def port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        found: int = free.getsockname()[1]
        return found


@pytest.fixture
def process(tmp_path: Path, port: int) -> Iterator[subprocess.Popen[bytes]]:
    """The simulator started as ``assent simulator`` starts it, on that port."""
    environment = {
        "ASSENT_HOME": str(tmp_path),
        "SIMULATOR_PORT": str(port),
        "TWILIO_ACCOUNT_SID": ACCOUNT,
        "TWILIO_AUTH_TOKEN": TOKEN,
    }
    child = subprocess.Popen([sys.executable, "-c", _RUN], env=os.environ | environment)
    yield child
    child.terminate()
    child.wait(20)


def test_one_process_with_many_threads_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The texts are in one process's memory; a hanging request holds a thread of its own."""
    asked: list[tuple[str, int, int, int]] = []
    monkeypatch.setattr(
        server,
        "serve",
        lambda target, port, *, workers, threads: asked.append((target, port, workers, threads)),
    )
    environment = {"ASSENT_HOME": str(tmp_path), "SIMULATOR_PORT": "8999"}
    server.run(Settings.from_environment(environment))

    assert asked == [("bot.simulator.wsgi:app", 8999, 1, 64)]


def test_the_server_loads_the_simulator_of_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account is the environment's own."""
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path))
    monkeypatch.setenv("TWILIO_ACCOUNT_SID", ACCOUNT)
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", TOKEN)
    app = importlib.import_module("bot.simulator.wsgi").app

    assert app.extensions["carrier"].config.account_sid == ACCOUNT
    app.extensions["carrier"].close()


def _ready(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/readyz", timeout=1).ok
    except requests.RequestException:
        return False


def test_the_process_serves_the_sdk_and_cuts_connections_on_demand(
    process: subprocess.Popen[bytes], port: int
) -> None:
    """Under the real server too an accepted text can be left without an answer."""
    until(lambda: _ready(port), seconds=30)
    url = f"http://127.0.0.1:{port}"
    http = CarrierHttpClient(url)
    sdk = Client(ACCOUNT, TOKEN, http_client=http)
    fault = {"kind": "reset_after_accept", "times": 1}
    requests.post(f"{url}/simulator/faults", json=fault, timeout=5).raise_for_status()

    with pytest.raises(NoAnswer):
        sdk.messages.create(to="+14155550123", from_="54321", body="first")
    sdk.messages.create(to="+14155550123", from_="54321", body="second")

    assert [one.body for one in sdk.messages.list()] == ["second", "first"]
    http.close()
