"""The ledger's bench from end to end, small, and how its figures are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from click.testing import CliRunner

from bot.bench.ledger import goals, ledger, lines
from bot.bench.ledger_measure import Cost, Result

RESULT = Result(
    entries=2_000_000,
    people=700_000,
    megabytes=2500.0,
    checkpoints=2000,
    faults=0,
    one_core=True,
    floor=4.0,
    verify=Cost(21.0, 9.0, 11.0),
    sealing=Cost(40.0, 10.0, 20.0),
    inclusion_ms=2.0,
    consistency_ms=1.0,
)


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_a_small_bench_verifies_seals_and_proves() -> None:
    """Every figure is there, and the ledger that was made is a true one."""
    run = CliRunner().invoke(ledger, ["--entries", "1500", "--json"])

    assert run.exit_code == 0, run.output
    result = json.loads(run.stdout)
    assert (result["faults"], result["entries"] >= 1500) == (0, True)
    assert result["checkpoints"] >= 2
    assert 0 < result["floor"] < result["verify"]["elapsed"]
    assert result["sealing"]["elapsed"] > 0
    assert result["inclusion_ms"] > 0
    assert result["consistency_ms"] > 0


@pytest.mark.parametrize(
    ("ours", "server", "met"), [(9.0, 10.9, True), (9.0, 11.1, False)], ids=["met", "missed"]
)
def test_the_goal_counts_both_processes(ours: float, server: float, met: bool) -> None:
    """Ten seconds of CPU for a million entries: PostgreSQL's work is work too."""
    result = replace(RESULT, verify=Cost(50.0, ours, server))
    text = "\n".join(lines(result))

    assert goals(result)["met"] is met
    assert ("MISSED" in text) is not met
    assert goals(result)["times_the_floor"] == pytest.approx((ours + server) / 4)


def test_where_cpu_is_not_told_the_clock_counts() -> None:
    """As on macOS."""
    result = replace(RESULT, one_core=False, verify=Cost(18.0, 9.0, None))

    assert goals(result)["seconds_per_million"] == 9.0
    assert "18.00 s by the clock" in "\n".join(lines(result))
