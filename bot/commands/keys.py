"""``assent key``: make, list and end the keys of the admin API."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click

from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from storage import audit, keys
from storage.access import KeyRow
from storage.keys import AmbiguousKey, Scope
from storage.transaction import Work

LONGEST_DAYS: Final = 3650


@contextmanager
def _work() -> Iterator[Work]:
    with open_database() as settings, working(settings.database_url) as work:
        yield work


@click.group()
def key() -> None:
    """Keys of the admin API."""


@key.command("create")
@click.option("--name", required=True, help="Whose key it is; it stands in the ledger.")
@click.option(
    "--scope",
    "scopes",
    required=True,
    multiple=True,
    help=f"What it may do: {', '.join(Scope)}. Give several, or one list with commas.",
)
@click.option("--expires", type=click.IntRange(1, LONGEST_DAYS), help="Days until it ends.")
def create(name: str, scopes: tuple[str, ...], expires: int | None) -> None:
    """Make a key. It is printed once, alone on the last line, and kept nowhere."""
    name, wanted = _name(name), _scopes(scopes)
    with _work() as work:
        lasting = timedelta(days=expires) if expires else None
        token, row = keys.create(work.session, name, wanted, lasting)
        audit.record(
            work.session, by_operator(), "key.created", f"key:{row.id}", {"scopes": row.scopes}
        )
    until = f" until {row.expires_at:%Y-%m-%d}" if row.expires_at else ""
    click.echo(f"Key {row.prefix}… for {name}: {', '.join(row.scopes)}{until}. Keep it secret:")
    click.echo(token)


@key.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON list.")
def list_keys(as_json: bool) -> None:
    """Show every key that was made, without the keys themselves."""
    with _work() as work:
        rows = _all(work)
    if as_json:
        click.echo(json.dumps([_shown(row) for row in rows], indent=2))
        return
    for row in rows:
        used = f"{row.last_used_at:%Y-%m-%d %H:%M}" if row.last_used_at else "never"
        scopes = ",".join(row.scopes)
        click.echo(f"{row.prefix}…  {_state(row):8}  {scopes:20}  used {used:16}  {row.name}")


@key.command("revoke")
@click.argument("which", metavar="PREFIX|ID")
def revoke(which: str) -> None:
    """End a key at once. Exit code 1 when there is no live key with this prefix or id."""
    try:
        with _work() as work:
            row = keys.revoke(work.session, which.rstrip("…"))
            if row is not None:
                audit.record(work.session, by_operator(), "key.revoked", f"key:{row.id}", {})
    except AmbiguousKey:
        raise click.ClickException("Several keys have this prefix; give the id.") from None
    if row is None:
        raise click.ClickException("There is no live key with this prefix or id.")
    click.echo(f"Key {row.prefix}… of {row.name} is revoked.")


def _name(name: str) -> str:
    if not name.strip() or len(name) > 100 or not name.isprintable():
        raise click.BadParameter("1 to 100 printable characters.", param_hint="--name")
    return name.strip()


def _scopes(given: tuple[str, ...]) -> list[Scope]:
    words = [word.strip() for scopes in given for word in scopes.split(",")]
    unknown = [word for word in words if word not in set(Scope)]
    if unknown:
        message = f"{unknown[0]!r} is no scope; choose from {', '.join(Scope)}."
        raise click.BadParameter(message, param_hint="--scope")
    return [Scope(word) for word in words]


def _all(work: Work) -> list[KeyRow]:
    rows: list[KeyRow] = []
    while page := keys.page(work.session, rows[-1].id if rows else None):
        rows += page
    return sorted(rows, key=lambda row: row.created_at)


def _state(row: KeyRow) -> str:
    if row.revoked_at:
        return "revoked"
    return "expired" if row.expires_at and row.expires_at <= datetime.now(UTC) else "live"


def _shown(row: KeyRow) -> dict[str, Any]:
    moments = {
        name: moment.isoformat() if moment else None
        for name in ("created_at", "expires_at", "last_used_at", "revoked_at")
        for moment in [getattr(row, name)]
    }
    known = {"id": str(row.id), "name": row.name, "prefix": row.prefix, "scopes": row.scopes}
    return known | {"state": _state(row)} | moments
