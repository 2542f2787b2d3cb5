"""The run of ``assent bench inbound``: four servers in turn, then a look at what was kept."""

from __future__ import annotations

import os
import signal
import tempfile
import time
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

import psycopg

from bot.bench.figures import Figures, medians
from bot.bench.servers import CONTESTANTS, SERVICE, started
from bot.bench.volleys import Range
from bot.engines.postgres import EmbeddedPostgres

FEW: Final = (1, 4)
_PRESENT: Final = """
SELECT count(*), count(DISTINCT i.message_sid)
FROM unnest(%s::text[]) AS answered (sid) JOIN inbound_texts i ON i.message_sid = answered.sid
"""
_REPLIES: Final = """
SELECT count(*) FROM (
    SELECT in_reply_to FROM messages WHERE state = 'answered'
    GROUP BY in_reply_to HAVING count(*) > 1
) AS twice
"""
Say = Callable[[str], None]
Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how hard: ``seconds`` is one volley at one server."""

    seconds: float
    connections: int
    people: int
    rounds: int


@dataclass(frozen=True, slots=True)
class Kept:
    """What the database holds of the texts that one server answered with 2xx.

    ``found`` counts rows, ``distinct`` MessageSids among them, ``replied_twice`` texts with more
    than one reply on record. All is well when found = distinct = answered and nothing is twice.
    """

    answered: int
    found: int
    distinct: int
    replied_twice: int

    @property
    def complete(self) -> bool:
        """Whether each text is there exactly once."""
        return self.answered == self.found == self.distinct and not self.replied_twice


@dataclass(frozen=True, slots=True)
class Result:
    """Medians by contestant at full load, Assent's by number of connections, what was kept."""

    plan: Plan
    by_contestant: dict[str, Figures]
    by_connections: dict[int, Figures]
    kept: dict[str, Kept]


def measure(plan: Plan, say: Say) -> Result:
    """The whole bench, on a PostgreSQL and servers of its own.

    Raises EngineError, LoadError or ServerError when something cannot run.
    """
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # PostgreSQL runs as another user when we are root
        postgres = EmbeddedPostgres(home)
        say("Starting PostgreSQL and the servers …")
        postgres.start()
        try:
            with started(home, postgres) as servers:
                ranges = {
                    name: Range(server, plan.people, postgres.pid)
                    for name, server in servers.items()
                }
                everyone, few = _rounds(plan, ranges, say)
            say("Killing PostgreSQL (SIGKILL), and looking for every text that was answered …")
            _crash(postgres)
            kept = {r.server.contestant.name: _kept(r) for r in ranges.values() if r.taken}
        finally:
            postgres.stop()
    return Result(plan, everyone, few, kept)


def _rounds(
    plan: Plan, ranges: dict[str, Range], say: Say
) -> tuple[dict[str, Figures], dict[int, Figures]]:
    """Volleys at each in turn, so that what else the machine does falls on all alike."""
    for aim in ranges.values():
        aim.warm_up(plan.connections)
    full: dict[str, list[Figures]] = {c.name: [] for c in CONTESTANTS}
    few: dict[int, list[Figures]] = {connections: [] for connections in FEW}
    for number in range(1, plan.rounds + 1):
        for name, aim in ranges.items():
            full[name].append(aim.volley(plan.connections, plan.seconds))
            title, rate = aim.server.contestant.title, full[name][-1].per_second
            say(f"Round {number} of {plan.rounds}: {title}, {rate:,.0f} requests/s")
        for connections in FEW:
            few[connections].append(ranges[SERVICE.name].volley(connections, plan.seconds / 2))
    everyone = _middle(full)
    return everyone, _middle(few) | {plan.connections: everyone[SERVICE.name]}


def _middle(rounds: Mapping[Key, Sequence[Figures]]) -> dict[Key, Figures]:
    return {key: medians(values) for key, values in rounds.items()}


def _crash(postgres: EmbeddedPostgres) -> None:
    """End the server without warning and start it again: what it had not made durable is gone."""
    os.kill(postgres.pid, signal.SIGKILL)
    while postgres.alive():  # asking also buries it: PostgreSQL takes a zombie for a living server
        time.sleep(0.02)
    postgres.start()


def _kept(aim: Range) -> Kept:
    with psycopg.connect(aim.server.database_url) as connection:
        ((found, distinct),) = connection.execute(_PRESENT, (aim.taken,)).fetchall()
        ((twice,),) = connection.execute(_REPLIES).fetchall()
    return Kept(len(aim.taken), found, distinct, twice)
