"""A live stand-in service, a live simulator, and the real SDK that talks to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import requests
from twilio.rest import Client

from bot.simulator.app import build
from bot.simulator.config import Config
from tests.bot.simulator.service import ACCOUNT, TOKEN, Live, StubService, serving
from worker.carrier_http import CarrierHttpClient

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from flask import Flask

PUBLIC = "https://texts.acme.example"


@pytest.fixture
def stub() -> StubService:
    """The stand-in's memory and behaviour."""
    return StubService(PUBLIC)


@pytest.fixture
def service(stub: StubService) -> Iterator[Live]:
    """The stand-in, live."""
    yield from serving(stub.app())


@pytest.fixture
def config(service: Live, tmp_path: Path) -> Config:
    """Settings under which the simulator calls the stand-in."""
    return Config(ACCOUNT, TOKEN, PUBLIC, service.url, tmp_path / "simulator")


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """The simulator's application; its threads end with the test."""
    app = build(config)
    yield app
    app.extensions["carrier"].close()


@pytest.fixture
def simulator(app: Flask) -> Iterator[Live]:
    """The simulator, live."""
    yield from serving(app)


@pytest.fixture
def sdk(simulator: Live) -> Iterator[Client]:
    """Twilio's own client, sent to the simulator."""
    http = CarrierHttpClient(simulator.url)
    yield Client(ACCOUNT, TOKEN, http_client=http)
    http.close()


@pytest.fixture
def browserless(simulator: Live) -> Iterator[requests.Session]:
    """A session of HTTP requests to the simulator's own port."""
    with requests.Session() as session:
        session.trust_env = False
        yield session
