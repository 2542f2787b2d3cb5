"""``assent bench clicks``: what it costs to tell a person's tap from a machine's look.

Three figures from one run, in CPU of this process. The **floor** does what cannot be left out and
judges nothing: for each hit it takes the label out of a table of all agents that come, and keeps
it with the hit. **A day's traffic** is a realistic mix, in which most agents were seen before.
**Strangers** are the same kinds of agent, none of them twice, with nothing remembered: the worst
that can come, and what the first hits after a start cost.
"""

from __future__ import annotations

import gc
import json
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Final

import click

from bot.bench import hits_mix
from worker.policy.hits import HUMAN, Hit, agent_rule, classify

TARGET_US: Final = 20.0
_STRANGERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class ClicksReport:
    """Microseconds of CPU for each hit; ``agents`` is how many different ones the mix had."""

    hits: int
    agents: int
    rounds: int
    floor_us: float
    mix_us: float
    strangers_us: float
    human: float
    labels: Mapping[str, int]

    @property
    def met(self) -> bool:
        """Whether even strangers cost less than the target."""
        return self.mix_us < TARGET_US and self.strangers_us < TARGET_US


@click.command()
@click.option("--hits", "count", type=click.IntRange(1_000), default=200_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="Print the figures as JSON.")
def clicks(count: int, rounds: int, *, as_json: bool) -> None:
    """Measure how hits on links are told apart, beside a bare look-up of the same hits."""
    report = measure(count, rounds)
    if as_json:
        click.echo(json.dumps(asdict(report) | {"met": report.met}, indent=2))
        return
    click.echo(render(report))


def measure(count: int, rounds: int) -> ClicksReport:
    """Judge ``count`` hits, ``rounds`` times each way; the figures are medians."""
    mix = hits_mix.hits(list(hits_mix.agents(count)))
    strangers = hits_mix.hits(hits_mix.distinct(min(count, _STRANGERS)))
    table = {hit.agent: str(agent_rule(hit.agent) or HUMAN) for hit in mix}
    figures: dict[str, list[float]] = {"floor": [], "mix": [], "strangers": []}
    for _ in range(rounds):
        figures["floor"].append(_each(mix, lambda hit: table[hit.agent]))
        agent_rule.cache_clear()
        figures["mix"].append(_each(mix, classify))
        agent_rule.cache_clear()
        figures["strangers"].append(_each(strangers, classify))
    labels = Counter(classify(hit) for hit in mix)
    return ClicksReport(
        hits=count,
        agents=len(table),
        rounds=rounds,
        floor_us=median(figures["floor"]),
        mix_us=median(figures["mix"]),
        strangers_us=median(figures["strangers"]),
        human=labels[HUMAN] / count,
        labels=dict(labels.most_common()),
    )


def render(report: ClicksReport) -> str:
    """The figures for a person, with the target beside them."""
    people = f"{report.human:.0%} of them people's"
    lines = [
        f"{report.hits:,} hits, {report.agents:,} agents, {people}; {report.rounds} rounds",
        _row("floor: a bare look-up", report.floor_us, report),
        _row("a day’s traffic", report.mix_us, report),
        _row("strangers, none twice", report.strangers_us, report),
        f"target below {TARGET_US:g} µs each, for both: {'met' if report.met else 'MISSED'}",
    ]
    return "\n".join(lines)


def _row(name: str, microseconds: float, report: ClicksReport) -> str:
    return f"{name:<24}{microseconds:>8.2f} µs{microseconds / report.floor_us:>8.1f} x the floor"


def _each(hits: Sequence[Hit], judge: Callable[[Hit], str]) -> float:
    """Microseconds of CPU for each hit, its label kept."""
    gc.collect()
    kept: list[tuple[Hit, str]] = []
    keep = kept.append
    started = time.process_time()
    for hit in hits:
        keep((hit, judge(hit)))
    return (time.process_time() - started) / len(hits) * 1e6
