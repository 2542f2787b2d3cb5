"""``assent shopify``: which shops may call, and the doctor's word about them."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.commands.shopify import shopify
from bot.doctor import examine_servers
from storage.settings import Settings
from tests.bot.api.conftest import Database, database
from tests.bot.api.test_commands import Run, run

__all__ = ["database", "run"]


def test_shops_are_allowed_listed_and_removed(run: Run) -> None:
    """By the shop's own domain, for a program that exists."""
    run(shopify, "allow", "Acme.myshopify.com", "--program", "deals", "--language", "es")
    run(shopify, "allow", "acme.myshopify.com", "--program", "coffee")
    assert json.loads(run(shopify, "list", "--json").stdout) == [
        {"domain": "acme.myshopify.com", "program": "coffee", "language": None}
    ]
    assert "coffee" in run(shopify, "list").stdout
    run(shopify, "remove", "acme.myshopify.com")
    run(shopify, "remove", "acme.myshopify.com", code=1)
    run(shopify, "allow", "shop.acme.example", "--program", "deals", code=2)
    run(shopify, "allow", "acme.myshopify.com", "--program", "none", code=1)


@pytest.mark.parametrize("secrets", [(), ("x" * 32,)], ids=["no secret", "a secret"])
def test_the_doctor_misses_the_secret(
    run: Run,
    settings: Settings,
    database_url: str,
    redis_url: str,
    database: Database,
    secrets: tuple[str, ...],
) -> None:
    """A shop that is allowed but whose webhooks cannot be checked gets 401 for ever."""
    run(shopify, "allow", "acme.myshopify.com", "--program", "deals")
    served = replace(
        settings,
        database_url=database_url,
        redis_url=redis_url,
        shopify_webhook_secrets=secrets,
    )
    (found,) = [f for f in examine_servers(served, lambda: 0.0) if f.subject == "shopify"]
    assert found.ok is bool(secrets)
    assert ("SHOPIFY_WEBHOOK_SECRET" in found.sentence) is not bool(secrets)
