"""The service in one process on a private database, and people with phones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from bot.app import Assent, create_app
from bot.demo import load_if_empty
from bot.resources import Resources
from storage.settings import Settings
from tests.texting import SENDER, Phone


@pytest.fixture
def service(settings: Settings, database_url: str) -> Iterator[Assent]:
    """The application with the demo shop."""
    load_if_empty(database_url)
    app = create_app(replace(settings, database_url=database_url, redis_url=None))
    yield app
    resources: Resources = app.extensions["assent"]
    resources.close()


@pytest.fixture
def resources(service: Assent) -> Resources:
    """What the service owns."""
    resources: Resources = service.extensions["assent"]
    return resources


@pytest.fixture
def phone(service: Assent, resources: Resources) -> Callable[..., Phone]:
    """A maker of phones."""

    def make(number: str = "+14155550123", sender: str = SENDER) -> Phone:
        return Phone(service.test_client(), resources.settings, number, sender)

    return make
