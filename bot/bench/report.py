"""How the result of ``assent bench inbound`` is told: to people, and to scripts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from bot.bench.figures import Figures
from bot.bench.measure import Result
from bot.bench.servers import CONSTANT, CONTESTANTS, ORM, SERVICE, SIGNED

_HEAD = ("", "requests/s", "p50 ms", "p99 ms", "STOP p99", "CPU µs", "PostgreSQL µs")


@dataclass(frozen=True, slots=True)
class Goal:
    """A figure and what it should be. ``at_least`` is False where less is better."""

    name: str
    value: float
    target: float
    at_least: bool = True

    @property
    def met(self) -> bool:
        """Whether the figure is as good as it should be."""
        return self.value >= self.target if self.at_least else self.value < self.target


def goals(result: Result) -> list[Goal]:
    """The targets of docs/performance.md, with what this run came to."""
    got = result.by_contestant
    service = got[SERVICE.name]
    rate = service.per_second
    return [
        Goal("Assent / signature check", rate / got[SIGNED.name].per_second, 0.40),
        Goal("Assent / ORM, a commit each", rate / got[ORM.name].per_second, 6.0),
        Goal("p99 of a STOP in ms", service.stop_p99, 100.0, at_least=False),
    ]


def as_json(result: Result) -> str:
    """Everything, for a script."""
    return json.dumps(
        {
            "plan": asdict(result.plan),
            "servers": {name: asdict(f) for name, f in result.by_contestant.items()},
            "service_by_connections": {n: asdict(f) for n, f in result.by_connections.items()},
            "goals": [asdict(goal) | {"met": goal.met} for goal in goals(result)],
            "kept": {name: asdict(k) | {"complete": k.complete} for name, k in result.kept.items()},
        },
        indent=2,
    )


def as_text(result: Result) -> str:
    """A table, the ratios with their targets, the latencies, and what was kept."""
    return "\n".join(_lines(result))


def _lines(result: Result) -> Iterator[str]:
    got = result.by_contestant
    yield _row(_HEAD)
    for contestant in CONTESTANTS:
        yield _row((contestant.title, *_cells(got[contestant.name])))
    yield ""
    for goal in goals(result):
        aim = f"target {'at least' if goal.at_least else 'below'} {goal.target:g}"
        yield f"{goal.name:<30}{goal.value:>8.2f}   {aim}: {'met' if goal.met else 'MISSED'}"
    share = got[SERVICE.name].per_second / got[CONSTANT.name].per_second
    yield f"{'Assent / constant answer':<30}{share:>8.2f}"
    few = ", ".join(f"{f.p99:.1f} ms at {n}" for n, f in sorted(result.by_connections.items()))
    yield f"p99 of Assent by connections: {few}"
    for name, kept in result.kept.items():
        state = "each there exactly once" if kept.complete else f"BUT {asdict(kept)}"
        yield f"{name}: {kept.answered:,} texts answered, PostgreSQL killed, {state}"


def _cells(figures: Figures) -> tuple[str, ...]:
    return (
        f"{figures.per_second:,.0f}",
        f"{figures.p50:.1f}",
        f"{figures.p99:.1f}",
        f"{figures.stop_p99:.1f}",
        _cpu(figures.server_cpu),
        _cpu(figures.database_cpu),
    )


def _cpu(microseconds: float | None) -> str:
    return "n/a" if microseconds is None else f"{microseconds:,.0f}"


def _row(cells: tuple[str, ...]) -> str:
    first, *rest = cells
    return f"{first:<28}" + "".join(f"{cell:>14}" for cell in rest)
