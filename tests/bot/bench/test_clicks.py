"""The bench of clicks judges hits as they come, and says what it did."""

from __future__ import annotations

import json

from click.testing import CliRunner

from bot.bench import hits_mix
from bot.bench.clicks import TARGET_US, ClicksReport, measure, render
from bot.commands import main
from worker.policy.hits import agent_rule


def test_the_mix_has_people_and_machines_in_their_shares() -> None:
    """A few agents make many hits; it is the same mix each time."""
    given = list(hits_mix.agents(2_000))

    assert given == list(hits_mix.agents(2_000))
    assert len(set(given)) < len(given) * 3 / 4
    human = sum(agent_rule(agent) is None for agent in given) / len(given)
    assert 0.65 < human < 0.85
    assert {hit.method for hit in hits_mix.hits(given)} == {"GET", "HEAD"}


def test_strangers_never_come_twice() -> None:
    """Else what is remembered would be measured."""
    given = hits_mix.distinct(5_000)

    assert len(given) == len(set(given)) == 5_000


def test_every_agent_of_a_person_is_a_persons() -> None:
    """They are put together here, so a mistake would measure the wrong way."""
    assert all(agent_rule(agent) is None for agent in hits_mix.people()[:500])


def test_the_report_counts_every_hit() -> None:
    """Labels add up to the hits; figures are there, whatever the machine."""
    report = measure(1_000, 1)

    assert sum(report.labels.values()) == report.hits == 1_000
    assert min(report.floor_us, report.mix_us, report.strangers_us) > 0


def test_a_missed_target_is_said() -> None:
    """In words for people and as a flag for scripts."""
    slow = ClicksReport(1_000, 10, 1, 1.0, 2.0, TARGET_US + 1, 0.7, {})

    assert "MISSED" in render(slow)
    assert not slow.met
    answer = CliRunner().invoke(main, ["bench", "clicks", "--hits", "1000", "--json"])
    assert json.loads(answer.output)["hits"] == 1_000
