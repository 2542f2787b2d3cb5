"""``assent instance``: is this the database that we worked with before, and may it send?"""

from __future__ import annotations

import json

import click

from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from storage import audit, instance
from storage.settings import Settings
from worker.instance import Memory, machine, remember

_ANSWER_IS_NO = 1
_BEFORE = (
    "Before you confirm: what people texted since the backup must be in the database (their STOPs"
    " above all), and no other copy of this service may be sending."
)


@click.group("instance")
def group() -> None:
    """A restored or cloned database sends nothing until you confirm it."""


@group.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(*, as_json: bool) -> None:
    """Say whether anything may be sent. Exit code 0: yes, 1: no."""
    with open_database() as settings, working(settings.database_url) as work:
        found = instance.look(work.connection)
    if as_json:
        since = found.held_since.isoformat() if found.held_since else None
        told = {"epoch": found.epoch, "held_since": since, "reason": found.held_reason}
        click.echo(json.dumps(told))
    elif found.held_since is None:
        click.echo(f"Epoch {found.epoch}. Texts may be sent.")
    else:
        click.echo(f"Nothing is sent since {found.held_since:%Y-%m-%d %H:%M} UTC.")
        click.echo(found.held_reason)
        click.echo(_BEFORE)
    if found.held_since is not None:
        raise SystemExit(_ANSWER_IS_NO)


@group.command()
@click.option("--yes", is_flag=True, help="Do not ask.")
def confirm(*, yes: bool) -> None:
    """Let this database send from now on, in a new epoch."""
    if not yes:
        click.echo(_BEFORE, err=True)
        click.confirm("Confirm this database?", abort=True, err=True)
    with open_database() as settings:
        epoch = _confirm(settings)
    click.echo(f"Epoch {epoch}. Texts may be sent.")


@group.command()
@click.option("--reason", required=True, help="Why, for whoever is to confirm.")
def hold(reason: str) -> None:
    """Send nothing until somebody confirms; do this before you clone a machine."""
    with open_database() as settings, working(settings.database_url) as work:
        news = instance.hold(work.connection, reason, by_operator())
        if news:
            audit.record(work.session, by_operator(), "hold", "instance", {"reason": reason})
    click.echo("Nothing is sent until somebody confirms." if news else "It was held already.")


def _confirm(settings: Settings) -> int:
    memory = Memory(settings.home)
    before = memory.read()
    with working(settings.database_url) as work:
        reached = before.epoch if before else 0
        epoch = instance.confirm(work.connection, reached, by_operator())
        audit.record(work.session, by_operator(), "confirm", "instance", {"epoch": epoch})
        found = instance.look(work.connection)
    remember(memory, found, machine())
    return epoch
