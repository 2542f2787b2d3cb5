"""The bench of imports: the list that it makes, and one small run from end to end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.bench import list_floor, messy_list
from bot.bench.lists import lists


def test_the_list_is_the_same_each_time_and_nearly_all_of_its_numbers_are_in_use(
    tmp_path: Path,
) -> None:
    """Otherwise the floor would refuse at once what should cost it something."""
    made = messy_list.write(tmp_path / "one.csv", 3000)
    messy_list.write(tmp_path / "two.csv", 3000)

    floor = list_floor.count(tmp_path / "one.csv")

    assert (tmp_path / "one.csv").read_bytes() == (tmp_path / "two.csv").read_bytes()
    assert made.rows == made.expected.total() == 3000
    # A mark that is never closed hides a few rows from a plain script.
    assert 2900 < floor.rows <= 3000
    assert 2800 < floor.valid < floor.rows
    assert floor.numbers > floor.writing > 0


def test_a_list_has_rows_of_every_kind(tmp_path: Path) -> None:
    """Those who are known are named, so that they can be made known beforehand."""
    made = messy_list.write(tmp_path / "one.csv", 20_000)

    assert made.expected["suppressed"] == len(made.suppressed) > 0
    assert made.expected["left_before"] == len(made.left) > 0
    assert made.expected["already_subscribed"] == len(made.subscribed) > 0
    assert {
        *("asked", "source_missing", "duplicate", "date_ambiguous", "date_in_future"),
        *("phone_empty", "phone_not_valid", "row_nul", "row_too_many_cells", "row_quoting"),
        *("phone_country", "phone_line_type"),
    } <= set(made.expected)


@pytest.mark.timeout(120)
def test_a_small_list_is_imported_and_every_row_comes_to_what_it_must() -> None:
    """Pending, held and refused add up; the costs of all three parts are told."""
    run = CliRunner().invoke(lists, ["--rows", "2000", "--json"])

    assert run.exit_code == 0, run.output
    result = json.loads(run.stdout)
    outcome = result["outcome"]
    assert outcome["rows"] == 2000
    assert outcome["asked"] + outcome["held"] + outcome["refused"] == 2000
    assert outcome["asked"] > 1500
    assert outcome["held"] > 0
    assert result["wrong"] == 0
    assert result["floor"]["rows"] > 1900
    assert result["import_cpu"] > 0
    assert result["megabytes"] > 0


def test_the_floor_is_a_process_of_its_own(tmp_path: Path) -> None:
    """It loads nothing of ours but itself, or it would be no floor."""
    messy_list.write(tmp_path / "one.csv", 10)

    command = (sys.executable, "-P", "-m", "bot.bench.list_floor", str(tmp_path / "one.csv"))
    answer = subprocess.run(command, check=True, capture_output=True, text=True)

    assert json.loads(answer.stdout)["rows"] == 10
