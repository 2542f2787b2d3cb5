"""``assent bench callbacks``: status callbacks that are durable, beside a signature check alone.

Two servers under granian with the same settings, in turn: a Flask view that checks the signature
and answers (the floor), and the service, which appends each report to PostgreSQL before it answers.
Afterwards every report that was answered must be there, exactly once.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

import click
import psycopg

from bot.bench import private
from bot.bench.figures import Figures, medians
from bot.bench.report import Goal
from bot.bench.servers import SERVICE, SIGNED, ServerError, started
from bot.bench.volleys import LoadError, Range
from bot.engines.errors import EngineError
from bot.webhooks import INBOUND_PATH
from worker.marks import STATUS_PATH

_WANTED: Final = 0.45
_KEPT: Final = """
SELECT count(*) FROM unnest(%s::text[]) AS answered (mark)
JOIN delivery_reports r ON r.sid || '.' || r.status = answered.mark
"""


@dataclass(frozen=True, slots=True)
class Taken:
    """The floor and the service, medians; reports that were answered, and those on record."""

    floor: Figures
    service: Figures
    answered: int
    kept: int

    @property
    def ratio(self) -> float:
        """The service in floors."""
        return self.service.per_second / self.floor.per_second


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="Length of one volley.")
@click.option("--connections", default=32, show_default=True, help="Requests under way at once.")
@click.option("--rounds", default=3, show_default=True, help="Volleys at each server.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def callbacks(seconds: float, connections: int, rounds: int, *, as_json: bool) -> None:
    """Status callbacks: requests per second and CPU, beside a signature check alone."""
    try:
        result = measure(seconds, connections, rounds)
    except (EngineError, LoadError, ServerError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goal = Goal("Assent / signature check", result.ratio, _WANTED)
    if as_json:
        click.echo(json.dumps(asdict(result) | {"goal": asdict(goal) | {"met": goal.met}}))
    else:
        for title, figures in ((SIGNED.title, result.floor), (SERVICE.title, result.service)):
            cpu = "n/a" if figures.server_cpu is None else f"{figures.server_cpu:,.0f} µs"
            click.echo(
                f"{title:<26}{figures.per_second:>9,.0f}/s   p99 {figures.p99:6.1f} ms   CPU {cpu}"
            )
        state = "met" if goal.met else "MISSED"
        click.echo(f"{goal.name:<26}{goal.value:9.2f}     target at least {_WANTED:g}: {state}")
        click.echo(f"{result.answered:,} answered, {result.kept:,} on record")
    if result.answered != result.kept:
        raise SystemExit(1)


def measure(seconds: float, connections: int, rounds: int) -> Taken:
    """The whole bench. Raises EngineError, LoadError or ServerError."""
    with private.postgres() as (server, home), started(home, server, (SIGNED, SERVICE)) as servers:
        floor = Range(servers[SIGNED.name], 1, server.pid, reports=INBOUND_PATH)
        service = Range(servers[SERVICE.name], 1, server.pid, reports=STATUS_PATH)
        for aim in (floor, service):
            aim.warm_up(connections)
        floors, services = [], []
        for number in range(1, rounds + 1):
            floors.append(floor.volley(connections, seconds))
            services.append(service.volley(connections, seconds))
            told = f"{floors[-1].per_second:,.0f} and {services[-1].per_second:,.0f} requests/s"
            click.echo(f"Round {number} of {rounds}: {told}", err=True)
        with psycopg.connect(service.server.database_url) as connection:
            ((kept,),) = connection.execute(_KEPT, (service.taken,)).fetchall()
    return Taken(medians(floors), medians(services), len(service.taken), kept)
