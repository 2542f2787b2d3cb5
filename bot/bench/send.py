"""``assent bench send``: what a campaign's text costs, beside one call of the SDK as it comes.

Everything is in it: the claim, the fence, the facts, the policy, the text with its own link, the
call over TLS, the settlement and two commits, on a PostgreSQL with every safety on. The carrier is
a stub in a process of its own. The floor is measured before and after, in the same run.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Final

import click

from bot.bench.processes import cpu_seconds
from bot.bench.report import Goal
from bot.bench.senders import Effort, Order
from bot.bench.sending_stage import stage
from bot.engines.errors import EngineError

_SPARE: Final = 1_000
_FLOOR_TEXTS: Final = 400


@dataclass(frozen=True, slots=True)
class Sent:
    """The floor, the service, and microseconds of PostgreSQL's CPU for each text (None: unknown).

    ``floor_micros`` is the mean of two measurements, ``floor_wait`` its milliseconds for a call.
    """

    floor_micros: float
    effort: Effort
    database_micros: float | None

    @property
    def ratio(self) -> float:
        """One text, everything included, in calls of the SDK as it comes."""
        return self.effort.micros / self.floor_micros

    @property
    def per_second(self) -> float:
        """Texts a second by one process."""
        return self.effort.texts / self.effort.seconds


@click.command()
@click.option("--texts", default=10_000, show_default=True, help="Texts that are sent.")
@click.option("--carrier-ms", default=60.0, show_default=True, help="How long a call takes.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def send(texts: int, carrier_ms: float, *, as_json: bool) -> None:
    """Sending: CPU and pace of a campaign's text, beside one call of the SDK as it comes."""
    try:
        result = measure(texts, carrier_ms)
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goals = [
        Goal("CPU of a text / default SDK call", result.ratio, 0.5, at_least=False),
        Goal("texts/s by one process", result.per_second, 1_000),
    ]
    if as_json:
        told = asdict(result) | {"goals": [asdict(g) | {"met": g.met} for g in goals]}
        click.echo(json.dumps(told))
        return
    effort = result.effort
    click.echo(f"one default SDK call              {result.floor_micros:8,.0f} µs of CPU")
    click.echo(f"one text, everything included     {effort.micros:8,.0f} µs of CPU")
    if result.database_micros is not None:
        click.echo(f"    and PostgreSQL beside it      {result.database_micros:8,.0f} µs of CPU")
    share = effort.cpu / effort.seconds
    click.echo(f"{effort.texts:,} texts in {effort.seconds:.1f} s at {share:.0%} of a core")
    click.echo(f"memory grew by {effort.megabytes:.1f} MB")
    for goal in goals:
        aim = f"target {'at least' if goal.at_least else 'below'} {goal.target:g}"
        state = "met" if goal.met else "MISSED"
        click.echo(f"{goal.name:<34}{goal.value:8,.2f}   {aim}: {state}")


def measure(texts: int, carrier_ms: float) -> Sent:
    """The whole bench. Raises EngineError when something cannot run."""
    floor = Order("default_sdk", _FLOOR_TEXTS)
    with (
        stage(texts + _SPARE) as made,
        made.carrier(0.0) as quick,
        made.carrier(carrier_ms) as slow,
    ):
        before = Effort(**made.run(quick, floor))
        spent = cpu_seconds(made.server.pid)
        effort = Effort(**made.run(slow, Order("assent", texts)))
        ended = cpu_seconds(made.server.pid)
        after = Effort(**made.run(quick, floor))
    database = None if spent is None or ended is None else (ended - spent) / texts * 1e6
    return Sent((before.micros + after.micros) / 2, effort, database)
