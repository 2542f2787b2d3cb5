"""``assent bench memory``: does a send worker grow with the texts it sends?

The campaign worker of ``bench send``, against a carrier that answers at once. What the process
holds is looked at about once a second. A process grows at first, while caches and pools fill; so
the growth is the slope of a straight line through the later half, told for a million texts.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import linear_regression

import click

from bot.bench.report import Goal
from bot.bench.senders import Order, Sample
from bot.bench.sending_stage import stage
from bot.engines.errors import EngineError

LARGEST_MB = 150.0
GROWTH_MB = 5.0
_LINES = 12
_FEWEST = 2


@dataclass(frozen=True, slots=True)
class Growth:
    """The samples, in the order in which they were taken."""

    samples: Sequence[Sample]

    @property
    def largest(self) -> float:
        """The most that was held, in megabytes."""
        return max(sample.megabytes for sample in self.samples)

    @property
    def per_million(self) -> float:
        """Megabytes that the later half would add over a million texts; 0 for too few samples."""
        later = {sample.texts / 1e6: sample.megabytes for sample in self.samples[self._half :]}
        if len(later) < _FEWEST:
            return 0.0
        return linear_regression(list(later), list(later.values())).slope

    @property
    def _half(self) -> int:
        return len(self.samples) // 2


@click.command()
@click.option("--texts", default=200_000, show_default=True, help="Texts that are sent.")
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def memory(texts: int, *, as_json: bool) -> None:
    """Memory of a send worker over many texts; a million take a quarter of an hour."""
    try:
        with stage(texts + 1) as made, made.carrier(0.0) as port:
            found = made.run(port, Order("growth", texts))
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    grown = Growth([Sample(**sample) for sample in found])
    goals = [
        Goal("MB held at most", grown.largest, LARGEST_MB, at_least=False),
        Goal("MB more for a million texts", grown.per_million, GROWTH_MB, at_least=False),
    ]
    if as_json:
        told = {"texts": texts, "goals": [asdict(g) | {"met": g.met} for g in goals]}
        click.echo(json.dumps(told | {"samples": found}))
        return
    for sample in grown.samples[:: max(1, len(grown.samples) // _LINES)]:
        click.echo(f"{sample.texts:>12,} texts{sample.seconds:8.0f} s{sample.megabytes:8.1f} MB")
    for goal in goals:
        state = "met" if goal.met else "MISSED"
        click.echo(f"{goal.name:<34}{goal.value:8.2f}   target below {goal.target:g}: {state}")
