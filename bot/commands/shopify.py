"""``assent shopify``: the shops whose webhooks are taken, and what their checkouts are about."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Final

import click

from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from storage import audit
from storage import shopify as shops
from storage.catalogue import ProgramRow
from storage.shopify import ShopifyShop
from storage.transaction import Work

_DOMAIN: Final = re.compile(shops.DOMAIN)


@contextmanager
def _work() -> Iterator[Work]:
    with open_database() as settings, working(settings.database_url) as work:
        yield work


@click.group()
def shopify() -> None:
    """Shops of Shopify that may call us."""


@shopify.command("allow")
@click.argument("domain")
@click.option("--program", required=True, help="The program that the box at checkout is about.")
@click.option("--language", type=click.Choice(["en", "es", "fr"]), help="Of the checkout.")
def allow(domain: str, program: str, language: str | None) -> None:
    """Take webhooks of a shop (acme.myshopify.com). Set SHOPIFY_WEBHOOK_SECRET too."""
    domain = domain.lower()
    if not _DOMAIN.fullmatch(domain):
        message = "Give the shop's own domain, such as acme.myshopify.com."
        raise click.BadParameter(message, param_hint="DOMAIN")
    with _work() as work:
        if work.session.get(ProgramRow, program) is None:
            raise click.ClickException("There is no program with this slug.")
        shops.allow(work.connection, ShopifyShop(domain, program, language))
        detail = {"program": program, "language": language}
        audit.record(work.session, by_operator(), "shopify.allowed", f"shop:{domain}", detail)
    click.echo(f"Webhooks of {domain} are taken; its checkout is about {program}.")


@shopify.command("remove")
@click.argument("domain")
def remove(domain: str) -> None:
    """Take no more webhooks of a shop. Exit code 1: it was not on the list."""
    with _work() as work:
        if not shops.refuse(work.connection, domain.lower()):
            raise click.ClickException("This shop is not on the list.")
        audit.record(work.session, by_operator(), "shopify.removed", f"shop:{domain.lower()}", {})
    click.echo(f"Webhooks of {domain.lower()} are no longer taken.")


@shopify.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_shops(as_json: bool) -> None:
    """Show the shops."""
    with _work() as work:
        rows = shops.shops(work.connection)
    if as_json:
        click.echo(json.dumps([asdict(row) for row in rows], indent=2))
        return
    for row in rows:
        click.echo(f"{row.domain:40}  {row.program:20}  {row.language or ''}")
