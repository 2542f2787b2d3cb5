"""The bench of reports runs, small; its figures are those of the rows."""

from __future__ import annotations

import json

from click.testing import CliRunner

from bot.bench.results import report


def test_reports_are_measured_and_true() -> None:
    """A few thousand events; what counts here is that sums and rows agree."""
    result = CliRunner().invoke(report, ["--events", "20000", "--rounds", "2", "--json"])
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout.splitlines()[-1])
    assert told["agree"]
    assert told["fresh"]
    assert told["counts"]["clickers"] > 0
    assert told["floor_ms"] > 0
