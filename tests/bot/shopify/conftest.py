"""The service with a shop of Shopify on its list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.app import Assent, create_app
from bot.demo import load_if_empty
from bot.resources import Resources
from storage import shopify
from storage.settings import Settings
from storage.shopify import ShopifyShop
from tests.bot.shopify.shop import DOMAIN, OLD_SECRET, SECRET, ShopifySide
from tests.texting import Phone


@pytest.fixture
def service(settings: Settings, database_url: str) -> Iterator[Assent]:
    """The application with the demo shop, whose checkout is about deals."""
    load_if_empty(database_url)
    ours = replace(
        settings, database_url=database_url, shopify_webhook_secrets=(SECRET, OLD_SECRET)
    )
    app = create_app(ours)
    resources: Resources = app.extensions["assent"]
    with resources.work() as work:
        shopify.allow(work.connection, ShopifyShop(DOMAIN, "deals"))
    yield app
    resources.close()


@pytest.fixture
def resources(service: Assent) -> Resources:
    """What the service owns."""
    resources: Resources = service.extensions["assent"]
    return resources


@pytest.fixture
def shop(service: Assent) -> ShopifySide:
    """Shopify."""
    return ShopifySide(service.test_client())


@pytest.fixture
def anna(service: Assent, resources: Resources) -> Phone:
    """A customer with a phone."""
    return Phone(service.test_client(), resources.settings)
