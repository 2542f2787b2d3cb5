"""``assent sending``: the kill switch of all campaigns, and what else may be holding them."""

from __future__ import annotations

import json
from typing import Any

import click

from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from storage import audit, instance, listening, switches
from storage.switches import Switch
from storage.transaction import Work

_ANSWER_IS_NO = 1


@click.group()
def sending() -> None:
    """Stop all marketing at once, or let it go on."""


@sending.command()
@click.option("--reason", required=True, help="Why, for the others.")
def stop(reason: str) -> None:
    """Stop every campaign; no batch begins after this. Replies and confirmations go on."""
    with open_database() as settings, working(settings.database_url) as work:
        news = switches.throw(work.connection, Switch.KILL, reason, by_operator())
        if news:
            audit.record(work.session, by_operator(), "stop", "sending", {"reason": reason})
    click.echo("All marketing is stopped." if news else "It was stopped already.")


@sending.command()
def resume() -> None:
    """Let campaigns go on."""
    with open_database() as settings, working(settings.database_url) as work:
        news = switches.reset(work.connection, Switch.KILL, by_operator())
        if news:
            audit.record(work.session, by_operator(), "resume", "sending", {})
    click.echo("Campaigns go on." if news else "They were not stopped.")


@sending.command()
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def show(*, as_json: bool) -> None:
    """Say what holds campaigns. Exit code 0: nothing, 1: something."""
    with open_database() as settings, working(settings.database_url) as work:
        held = _held(work)
    if as_json:
        click.echo(json.dumps({"held": held}))
    else:
        lines = [f"{h['by']}: {h['reason']} (since {h['since']})" for h in held]
        click.echo("\n".join(lines) or "Nothing holds campaigns.")
    if held:
        raise SystemExit(_ANSWER_IS_NO)


def _held(work: Work) -> list[dict[str, Any]]:
    found = [
        {"by": str(name), "since": on.since.isoformat(), "reason": on.reason}
        for name, on in switches.thrown(work.connection).items()
    ]
    life = instance.look(work.connection)
    if life.held_since is not None:
        since = life.held_since.isoformat()
        found.append({"by": "instance", "since": since, "reason": life.held_reason or ""})
    heard = listening.look(work.connection)
    if heard.hold is not None:
        since = (heard.until or heard.now).isoformat()
        found.append({"by": "listening", "since": since, "reason": listening.SENTENCES[heard.hold]})
    return found
