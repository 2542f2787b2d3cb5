"""A scene in a private database, the simulator as the carrier, and a worker's runtime."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest

from bot.demo import load_if_empty
from bot.simulator.app import build
from bot.simulator.carrier import Carrier
from bot.simulator.config import from_settings
from bot.simulator.texts import Direction, Text
from storage.database import connect
from storage.settings import Settings
from tests.bot.simulator.service import Live
from tests.worker.scene import Scene
from worker.runtime import Runtime


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """The demo shop, before anybody has texted."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        yield Scene(connection)


class Twilio:
    """The simulator in Twilio's place, live."""

    def __init__(self, settings: Settings) -> None:
        app = build(replace(from_settings(settings), folder=None))
        self.carrier: Carrier = app.extensions["carrier"]
        self.live = Live(app)

    def got(self, phone: str) -> list[Text]:
        """The texts that were accepted for a phone."""
        return [t for t in self.carrier.store.of_phone(phone) if t.direction is Direction.API]

    def close(self) -> None:
        """End it."""
        self.live.close()
        self.carrier.close()


@pytest.fixture
def twilio(settings: Settings) -> Iterator[Twilio]:
    """The carrier."""
    playing = Twilio(settings)
    yield playing
    playing.close()


@pytest.fixture
def ready(
    settings: Settings, database_url: str, redis_url: str, twilio: Twilio, scene: Scene
) -> Settings:
    """Settings with a database, a Valkey and a carrier that exist."""
    return replace(
        settings,
        database_url=database_url,
        redis_url=redis_url,
        twilio_api_base_url=twilio.live.url,
    )


@pytest.fixture
def new_runtime(ready: Settings) -> Iterator[Callable[[], Runtime]]:
    """Makes runtimes as separate worker processes have them; closed with the test."""
    with ExitStack() as stack:

        def make() -> Runtime:
            made = Runtime(ready, "test worker")
            stack.callback(made.close)
            return made

        yield make


@pytest.fixture
def runtime(new_runtime: Callable[[], Runtime]) -> Runtime:
    """One worker process's runtime."""
    return new_runtime()
