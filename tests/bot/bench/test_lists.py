"""The bench of imports: the list that it makes, and one small run from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.bench import list_file, list_floor
from bot.bench.lists import lists


def test_the_list_is_the_same_each_time_and_nearly_all_of_its_numbers_are_in_use(
    tmp_path: Path,
) -> None:
    """Otherwise the floor would refuse at once what should cost it something."""
    list_file.write(tmp_path / "one.csv", 3000)
    list_file.write(tmp_path / "two.csv", 3000)

    rows, valid = list_floor.count(tmp_path / "one.csv")

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert rows == 3000
    assert 2900 < valid < 3000


@pytest.mark.timeout(120)
def test_a_small_list_is_imported_and_every_row_is_accounted_for() -> None:
    """Pending, held and refused add up; the costs of all three parts are told."""
    run = CliRunner().invoke(lists, ["--rows", "2000", "--json"])

    assert run.exit_code == 0, run.output
    result = json.loads(run.stdout)
    outcome = result["outcome"]
    assert outcome["rows"] == 2000
    assert outcome["asked"] + outcome["held"] + outcome["refused"] == 2000
    assert outcome["asked"] > 1500
    assert outcome["held"] > 0
    assert result["floor_cpu"] > 0
    assert result["import_cpu"] > 0
    assert result["megabytes"] > 0


def test_the_floor_is_a_process_of_its_own(tmp_path: Path) -> None:
    """It loads nothing of ours but itself, or it would be no floor."""
    list_file.write(tmp_path / "one.csv", 10)

    command = (sys.executable, "-P", "-m", "bot.bench.list_floor", str(tmp_path / "one.csv"))
    answer = subprocess.run(command, check=True, capture_output=True, text=True)

    assert answer.stdout.split()[0] == "10"
