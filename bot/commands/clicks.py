"""``assent clicks classify``: judge hits on links again by the rules of today."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import click

from bot.commands.context import open_database
from bot.commands.storing import by_operator, working
from storage import audit
from storage.growth import patient
from worker.clicks import reclassify
from worker.policy.hits import VERSION

_DAY = click.DateTime(["%Y-%m-%d"])


@click.group()
def clicks() -> None:
    """Hits on links, and what they are taken for."""


@clicks.command()
@click.option("--since", type=_DAY, required=True, help="The first day, UTC.")
@click.option("--until", type=_DAY, help="The last day, UTC; the first one by default.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object.")
def classify(since: datetime, until: datetime | None, *, as_json: bool) -> None:
    """Judge the hits of some days again, and count their campaigns anew.

    After new rules about previews and scanners. Only hits whose agent is still kept can be judged;
    no hit is dropped, and credits of orders stay until somebody recomputes them.
    """
    start = since.replace(tzinfo=UTC)
    end = (until or since).replace(tzinfo=UTC) + timedelta(days=1)
    with open_database() as settings, working(settings.database_url) as work:
        patient(work.connection)
        moved = reclassify(work.connection, start, end)
        detail = {"since": str(start.date()), "rules": VERSION, "changed": sum(moved.values())}
        audit.record(work.session, by_operator(), "clicks.classified", "clicks", detail)
    if as_json:
        click.echo(json.dumps({"rules": VERSION, "changed": moved}))
        return
    for label, n in sorted(moved.items()):
        click.echo(f"{n:,} are now {label}")
    click.echo(f"{sum(moved.values()):,} hits changed, by the rules of {VERSION}.")
