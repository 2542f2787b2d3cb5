"""``assent bench redirect``: short links whose clicks are durable, beside a constant Flask 302.

Two servers under granian with the same settings, in turn: a Flask view that always answers the
same redirect (the floor), and the service, which finds the destination, writes the click to its
log on the disk and only then answers. Once with many links, the first tap of each of which asks
the database, and once with a single link that everybody taps.

At the end the service is killed with SIGKILL in the middle of a volley, the log is drained into
PostgreSQL as the ticker does it, and every click that was ever answered must be there, once.
"""

from __future__ import annotations

import json
import os
import signal
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

import click
import psycopg

from bot.bench import private
from bot.bench.figures import Figures, medians
from bot.bench.processes import family
from bot.bench.report import Goal
from bot.bench.servers import SERVICE, Contestant, Server, ServerError, started
from bot.bench.taps import DESTINATION, PROXIES
from bot.bench.volleys import LoadError, Range
from bot.engines.errors import EngineError
from storage.database import connect
from worker.clicks import ClickDrain
from worker.policy import click_ids

_WANTED: Final = 0.7
_LINKS: Final = {"many links": 20_000, "one hot link": 1}
MOVED: Final = Contestant("moved", "Flask, constant 302", "bot.bench.apps.moved:app")
TAPPED: Final = replace(SERVICE, environ=(("TRUSTED_PROXIES", str(PROXIES)),))
_CAMPAIGN: Final = """
WITH made AS (
    INSERT INTO campaigns (name, program, sender, state, created_by, launched_at)
    VALUES ('bench', 'deals', '54321', 'running', 'bench', now()) RETURNING id
), led AS (
    INSERT INTO links (campaign_id, number, variant, destination)
    SELECT id, 0, 0, %(destination)s FROM made
)
INSERT INTO recipients (campaign_id, subscriber_id, variant, state, claimed_at, settled_at)
SELECT made.id, s.id, 0, 'accepted', now(), now() - interval '1 hour'
FROM made, (SELECT id FROM subscribers ORDER BY id LIMIT %(links)s) s
"""
_KEPT: Final = "SELECT count(*) FROM clicks WHERE id = ANY(%s)"
_ALL: Final = "SELECT count(*) FROM clicks"


@dataclass(frozen=True, slots=True)
class Pair:
    """The floor and the service with so many links, medians."""

    floor: Figures
    service: Figures

    @property
    def ratio(self) -> float:
        """The service's requests per second in floors."""
        return self.service.per_second / self.floor.per_second

    @property
    def cpu_ratio(self) -> float | None:
        """The floor's CPU for a request in the service's; above 1 the service costs less."""
        floor, service = self.floor.server_cpu, self.service.server_cpu
        return floor / service if floor is not None and service else None


@dataclass(frozen=True, slots=True)
class Tapped:
    """Figures by kind of load; clicks that were answered, those on record, and all that are there.

    ``killed`` of them were answered in the volley in which the service was killed; ``drain_micros``
    is what it took to read a click from the log into its table.
    """

    pairs: dict[str, Pair]
    answered: int
    killed: int
    kept: int
    stored: int
    drain_micros: float


@click.command()
@click.option("--seconds", default=3.0, show_default=True, help="Length of one volley.")
@click.option("--connections", default=32, show_default=True, help="Requests under way at once.")
@click.option("--rounds", default=3, show_default=True, help="Volleys at each server.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def redirect(seconds: float, connections: int, rounds: int, *, as_json: bool) -> None:
    """Short links: redirects per second and CPU, beside a constant Flask 302."""
    try:
        result = measure(seconds, connections, rounds)
    except (EngineError, LoadError, ServerError) as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    goals = [Goal(f"Assent / constant, {k}", p.ratio, _WANTED) for k, p in result.pairs.items()]
    if as_json:
        told = [asdict(goal) | {"met": goal.met} for goal in goals]
        click.echo(json.dumps(asdict(result) | {"goals": told}))
    else:
        _show(result, goals)
    if result.answered != result.kept:
        raise SystemExit(1)


def measure(seconds: float, connections: int, rounds: int) -> Tapped:
    """The whole bench. Raises EngineError, LoadError or ServerError."""
    with private.postgres() as (engine, home), started(home, engine, (MOVED, TAPPED)) as servers:
        moved, service = servers[MOVED.name], servers[TAPPED.name]
        with psycopg.connect(service.database_url, autocommit=True) as connection:
            values = {"destination": DESTINATION, "links": max(_LINKS.values())}
            connection.execute(_CAMPAIGN, values)
        found: dict[str, list[Pair]] = {kind: [] for kind in _LINKS}
        ranges = {
            kind: [Range(server, 1, engine.pid, taps=links) for server in (moved, service)]
            for kind, links in _LINKS.items()
        }
        for aims in ranges.values():
            for aim in aims:
                aim.warm_up(connections)
        for number in range(1, rounds + 1):
            for kind, (floor, ours) in ranges.items():
                pair = Pair(floor.volley(connections, seconds), ours.volley(connections, seconds))
                found[kind].append(pair)
                told = (
                    f"{pair.floor.per_second:,.0f} and {pair.service.per_second:,.0f} redirects/s"
                )
                click.echo(f"Round {number} of {rounds}, {kind}: {told}", err=True)
        last = Range(service, 1, engine.pid, taps=max(_LINKS.values()))
        click.echo("Killing the service (SIGKILL) in the middle of a volley …", err=True)
        _kill_under_fire(service, last, connections, seconds)
        answered = [one for aims in ranges.values() for one in aims[1].taken]
        return _drained(
            home,
            service.database_url,
            {kind: _middle(pairs) for kind, pairs in found.items()},
            answered,
            last.taken,
        )


def _middle(pairs: list[Pair]) -> Pair:
    return Pair(medians([p.floor for p in pairs]), medians([p.service for p in pairs]))


def _kill_under_fire(service: Server, aim: Range, connections: int, seconds: float) -> None:
    def kill() -> None:
        # The first is the parent, so that nobody starts the others again.
        for pid in family(service.process.pid):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    aim.last_volley(connections, seconds, kill)


def _drained(
    home: Path, url: str, pairs: dict[str, Pair], answered: list[str], killed: list[str]
) -> Tapped:
    """Read the log as the ticker does, and look for each click."""
    begun = time.perf_counter()
    with connect(url, "bench") as connection:
        ClickDrain(home).run(connection)
        took = time.perf_counter() - begun
        ids = sorted({click_ids.read(one) or 0 for one in answered + killed})
        ((kept,),) = connection.execute(_KEPT, (ids,)).fetchall()
        ((stored,),) = connection.execute(_ALL).fetchall()
    total = len(answered) + len(killed)
    return Tapped(pairs, total, len(killed), kept, stored, took / max(stored, 1) * 1e6)


def _show(result: Tapped, goals: list[Goal]) -> None:
    for kind, pair in result.pairs.items():
        click.echo(kind)
        for title, figures in ((MOVED.title, pair.floor), (TAPPED.title, pair.service)):
            click.echo(
                f"  {title:<26}{figures.per_second:>9,.0f}/s   p50 {figures.p50:5.1f} ms"
                f"   p99 {figures.p99:6.1f} ms   CPU {_cpu(figures.server_cpu)}"
                f" + PostgreSQL {_cpu(figures.database_cpu)}"
            )
        if pair.cpu_ratio is not None:
            click.echo(f"  CPU, constant / Assent    {pair.cpu_ratio:9.2f}")
    for goal in goals:
        state = "met" if goal.met else "MISSED"
        click.echo(f"{goal.name:<34}{goal.value:6.2f}   target at least {_WANTED:g}: {state}")
    click.echo(
        f"{result.answered:,} clicks answered, {result.killed:,} of them before the kill;"
        f" {result.kept:,} on record; read from the log in {result.drain_micros:,.0f} µs each"
    )


def _cpu(microseconds: float | None) -> str:
    return "n/a" if microseconds is None else f"{microseconds:,.0f} µs"
