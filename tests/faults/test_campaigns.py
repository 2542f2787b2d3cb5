"""Campaigns that are hurt while they run, in short; ``make faults`` runs the long versions."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from tests.faults import scenarios
from tests.faults.conftest import NewStage

pytestmark = [
    pytest.mark.faults,
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc"),
    pytest.mark.xdist_group("faults"),
]


def test_killed_workers_text_nobody_twice(new_stage: NewStage, chance: random.Random) -> None:
    """Everybody ends in one state, the sums match, and no one is texted twice."""
    report = scenarios.kill_workers(new_stage(0.05), chance, people=200, kills=8, rate=40)
    assert report.breaches == []
    assert report.twice == 0
    assert sum(report.states.values()) == 200


def test_a_stop_in_mid_campaign_is_the_end(new_stage: NewStage, chance: random.Random) -> None:
    """Without a crash no text is accepted after the STOP was recorded."""
    report = scenarios.stop_in_mid_campaign(new_stage(0.1), chance, people=150, leaving=40, rate=40)
    assert report.breaches == []
    assert report.late == []


def test_a_stop_beside_crashes_is_late_by_one_call_at_most(
    new_stage: NewStage, chance: random.Random
) -> None:
    """What was on the wire as its worker died may be late, and each is flagged."""
    report = scenarios.stop_in_mid_campaign(
        new_stage(0.1), chance, people=150, leaving=40, rate=40, kills=6
    )
    assert report.breaches == []
    assert report.raced == len(report.late)
