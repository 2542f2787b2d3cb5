"""The bench's arithmetic: percentiles, medians over rounds, and what they are compared with."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from bot.bench.load import Volley
from bot.bench.texts import Kind


@dataclass(frozen=True, slots=True)
class Figures:
    """One server at one number of connections. Times in milliseconds, CPU in microseconds.

    CPU is None where the system does not tell it.
    """

    per_second: float
    p50: float
    p99: float
    stop_p99: float
    server_cpu: float | None = None
    database_cpu: float | None = None


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest of ``values`` that ``share`` of them do not exceed (nearest rank); NaN of none.

    ``share`` is above 0 and at most 1.
    """
    if not values:
        return math.nan
    return sorted(values)[math.ceil(share * len(values)) - 1]


def figures(volley: Volley, server_cpu: float | None, database_cpu: float | None) -> Figures:
    """What one round came to; the CPU arguments are seconds for the whole of it."""
    every = [latency for latencies in volley.latencies.values() for latency in latencies]
    return Figures(
        per_second=len(every) / volley.elapsed,
        p50=percentile(every, 0.5) * 1e3,
        p99=percentile(every, 0.99) * 1e3,
        stop_p99=percentile(volley.latencies[Kind.STOP], 0.99) * 1e3,
        server_cpu=_each(server_cpu, len(every)),
        database_cpu=_each(database_cpu, len(every)),
    )


def medians(rounds: Sequence[Figures]) -> Figures:
    """Each figure's median over the rounds."""
    cpu = [r.server_cpu for r in rounds if r.server_cpu is not None]
    database = [r.database_cpu for r in rounds if r.database_cpu is not None]
    return Figures(
        per_second=median(r.per_second for r in rounds),
        p50=median(r.p50 for r in rounds),
        p99=median(r.p99 for r in rounds),
        stop_p99=median(r.stop_p99 for r in rounds),
        server_cpu=median(cpu) if cpu else None,
        database_cpu=median(database) if database else None,
    )


def _each(seconds: float | None, count: int) -> float | None:
    return None if seconds is None or not count else seconds / count * 1e6
