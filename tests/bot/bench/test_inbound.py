"""The bench from end to end, as small as it can be."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from bot.bench.inbound import inbound


@pytest.mark.faults
@pytest.mark.timeout(240)
def test_a_tiny_bench_measures_all_four_and_finds_every_text_after_a_crash() -> None:
    """One round of a second over four connections, PostgreSQL killed at the end."""
    small = ["--seconds", "1", "--connections", "4", "--people", "200", "--rounds", "1", "--json"]

    run = CliRunner().invoke(inbound, small)

    assert run.exit_code == 0, run.output
    result = json.loads(run.stdout)
    assert set(result["servers"]) == {"constant", "signed", "service", "orm"}
    assert all(server["per_second"] > 0 for server in result["servers"].values())
    assert set(result["service_by_connections"]) == {"1", "4"}
    assert all(kept["complete"] and kept["answered"] > 0 for kept in result["kept"].values())
    rates = {name: server["per_second"] for name, server in result["servers"].items()}
    assert rates["constant"] > rates["service"] > rates["orm"]
