"""The service with the demo shop, for visitors."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.app import create_app
from bot.demo import load_if_empty
from storage.settings import Settings
from tests.bot.joining.site import Site


@pytest.fixture
def site(settings: Settings, database_url: str) -> Iterator[Site]:
    """The forms of the demo shop."""
    load_if_empty(database_url)
    app = create_app(replace(settings, database_url=database_url, redis_url=None))
    site = Site(app, database_url)
    yield site
    site.resources.close()
