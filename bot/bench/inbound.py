"""``assent bench inbound``: how fast texts are taken, beside what the machine allows.

Absolute figures move with the machine and with whatever else runs on it. So four servers are
measured in one run, in turn, on the same PostgreSQL, with the same texts: a constant answer, the
signature check alone, Assent, and the handler one would write first. Their ratios can be compared
from machine to machine.
"""

from __future__ import annotations

import click

from bot.bench import report
from bot.bench.measure import Plan, measure
from bot.bench.servers import ServerError
from bot.bench.volleys import LoadError
from bot.engines.errors import EngineError


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="Length of one volley.")
@click.option("--connections", default=32, show_default=True, help="Requests under way at once.")
@click.option("--people", default=20_000, show_default=True, help="Phones that text.")
@click.option("--rounds", default=3, show_default=True, help="Volleys at each server.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def inbound(seconds: float, connections: int, people: int, rounds: int, *, as_json: bool) -> None:
    """Inbound texts: requests per second, p99 and CPU, beside their floors in the same run."""
    plan = Plan(seconds, connections, people, rounds)
    try:
        result = measure(plan, lambda line: click.echo(line, err=True))
    except (EngineError, LoadError, ServerError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    click.echo(report.as_json(result) if as_json else report.as_text(result))
    if not all(kept.complete for kept in result.kept.values()):
        raise SystemExit(1)
