"""``assent bench plan``: a campaign to a million people, beside a bare INSERT … SELECT.

The floor writes the same rows (campaign, subscriber, variant, state, moment) into a plain table
with the same key. Both are measured in turn, in one run, on the same PostgreSQL.
"""

from __future__ import annotations

import json
import resource
import time
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

import click
import psycopg

from bot.bench import private
from bot.bench.report import Goal
from bot.engines.errors import EngineError
from storage.database import connect
from storage.settings import Settings
from worker.campaigns.planning import plan_chunk

_FLOOR_TABLE: Final = """
CREATE TABLE floor (campaign_id bigint, subscriber_id bigint, variant smallint,
    state text, not_before timestamptz, PRIMARY KEY (campaign_id, subscriber_id))
"""
_FLOOR: Final = """
INSERT INTO floor SELECT 1, subscriber_id, 0, 'planned', now() FROM subscriptions
WHERE program = 'deals' AND state = 'subscribed'
"""
_WANTED: Final = 4.0


@dataclass(frozen=True, slots=True)
class Planned:
    """Seconds of the floor and of the plan, medians; megabytes that planning added at its peak."""

    people: int
    floor: float
    plan: float
    megabytes: float

    @property
    def ratio(self) -> float:
        """The plan in floors."""
        return self.plan / self.floor


@click.command()
@click.option("--people", default=1_000_000, show_default=True, help="Recipients of a campaign.")
@click.option("--rounds", default=3, show_default=True, help="Campaigns that are planned.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def plan(people: int, rounds: int, *, as_json: bool) -> None:
    """Planning: seconds for a campaign, beside a bare INSERT … SELECT of the same rows."""
    try:
        result = measure(people, rounds)
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goal = Goal("plan / bare INSERT", result.ratio, _WANTED, at_least=False)
    if as_json:
        click.echo(json.dumps({**asdict(result), "goal": asdict(goal) | {"met": goal.met}}))
        return
    click.echo(f"{result.people:,} recipients, with variants and link codes")
    click.echo(f"bare INSERT … SELECT with key  {result.floor:6.2f} s")
    click.echo(f"planned                        {result.plan:6.2f} s")
    click.echo(f"memory of the planner          {result.megabytes:+6.1f} MB")
    state = "met" if goal.met else "MISSED"
    click.echo(f"{goal.name:<30} {goal.value:6.2f}     target below {_WANTED:g}: {state}")


def measure(people: int, rounds: int) -> Planned:
    """Plan ``rounds`` campaigns to ``people``, with the floor before each of them."""
    floors, plans = [], []
    with private.postgres() as (server, home):
        click.echo(f"Making {people:,} subscribers …", err=True)
        private.shop(server.url, people, profiles=False)
        settings = Settings.from_environment({"ASSENT_HOME": str(home), "DATABASE_URL": server.url})
        before = _megabytes()
        for number in range(1, rounds + 1):
            floors.append(_floor(server.url))
            plans.append(_plan(server.url, settings, people))
            click.echo(
                f"Round {number} of {rounds}: bare {floors[-1]:.2f} s, planned {plans[-1]:.2f} s",
                err=True,
            )
    return Planned(people, median(floors), median(plans), _megabytes() - before)


def _floor(url: str) -> float:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_FLOOR_TABLE)
        connection.execute("CHECKPOINT")
        started = time.perf_counter()
        connection.execute(_FLOOR)
        took = time.perf_counter() - started
        connection.execute("DROP TABLE floor")
    return took


def _plan(url: str, settings: Settings, people: int) -> float:
    number = private.launch(url)
    with connect(url, "bench plan") as connection:
        started = time.perf_counter()
        while plan_chunk(connection, settings, number) is not None:
            pass
        took = time.perf_counter() - started
        ((count,),) = connection.execute("SELECT count(*) FROM recipients").fetchall()
        assert count == people, count
        connection.execute("DELETE FROM campaigns")
    with psycopg.connect(url, autocommit=True) as owner:
        owner.execute("TRUNCATE recipients, tallies, hour_tallies")
        owner.execute("CHECKPOINT")
    return took


def _megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
