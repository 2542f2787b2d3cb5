"""``assent bench ledger``: how fast a ledger is verified, sealed and proven, beside its floor.

The floor is SHA-256 over the same bytes, in the same run: no verification can take less. Our
process and PostgreSQL are kept on one core, and what counts is the CPU that both took together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import click

from bot.bench.ledger_measure import Cost, Result, measure
from bot.engines.errors import EngineError

TARGET_S: Final = 10.0
STRETCH_S: Final = 5.0
_MILLION: Final = 1_000_000


@click.command()
@click.option("--entries", default=_MILLION, show_default=True, type=click.IntRange(min=100))
@click.option("--json", "as_json", is_flag=True, help="Print figures for a script.")
def ledger(entries: int, *, as_json: bool) -> None:
    """Verify, seal and prove a ledger of a million entries; beside SHA-256 of the same bytes."""
    try:
        result = measure(entries, lambda line: click.echo(line, err=True))
    except EngineError as error:
        click.echo(str(error), err=True)
        raise SystemExit(2) from error
    if as_json:
        click.echo(json.dumps(result.as_json() | {"goals": goals(result)}, indent=2))
    else:
        click.echo("\n".join(lines(result)))
    if result.faults:
        raise SystemExit(1)


def goals(result: Result) -> dict[str, float | bool | None]:
    """The target of docs/performance.md, for a million entries on one core."""
    million = _per_million(result)
    return {
        "seconds_per_million": million,
        "target": TARGET_S,
        "met": None if million is None else million <= TARGET_S,
        "stretch": STRETCH_S,
        "times_the_floor": None if million is None else _cpu(result.verify) / result.floor,
    }


def lines(result: Result) -> Iterator[str]:
    """The figures for a person."""
    cores = "on one core" if result.one_core else "on all cores"
    yield (
        f"{result.entries:,} entries of {result.people:,} people,"
        f" {result.megabytes:,.0f} MB hashed, {result.checkpoints:,} checkpoints, {cores}"
    )
    yield f"{'SHA-256 of the same bytes':<28}{result.floor:>8.2f} s of CPU"
    yield f"{'assent ledger verify':<28}{_said(result.verify)}"
    million = _per_million(result)
    if million is not None:
        met = "met" if million <= TARGET_S else "MISSED"
        yield f"{'for a million entries':<28}{million:>8.2f} s   target at most {TARGET_S:g}: {met}"
        yield f"{'times the floor':<28}{_cpu(result.verify) / result.floor:>8.1f}"
    rate = result.entries / result.sealing.elapsed
    yield f"{'sealing':<28}{rate:>8,.0f} entries/s;{_said(result.sealing)}"
    yield f"{'an inclusion proof':<28}{result.inclusion_ms:>8.2f} ms, checked"
    yield f"{'a consistency proof':<28}{result.consistency_ms:>8.2f} ms, checked"
    yield f"{'faults found':<28}{result.faults:>8}"


def _said(cost: Cost) -> str:
    if cost.cpu is None:
        return f"{cost.elapsed:>8.2f} s by the clock"
    return (
        f"{cost.cpu:>8.2f} s of CPU ({cost.ours:.2f} ours, {cost.postgresql:.2f} PostgreSQL's),"
        f" {cost.elapsed:.2f} s by the clock"
    )


def _cpu(cost: Cost) -> float:
    return cost.elapsed if cost.cpu is None else cost.cpu


def _per_million(result: Result) -> float | None:
    if not result.entries:
        return None
    return _cpu(result.verify) / result.entries * _MILLION
