"""``assent report`` and ``assent clicks``, as people and scripts use them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bot.commands.clicks import clicks
from bot.commands.report import report
from storage.database import connect
from storage.settings import Settings
from tests.bot.api.conftest import Database
from tests.worker.results import direct
from tests.worker.results.story import Story
from tests.worker.scene import Scene

Run = Callable[..., Result]


@pytest.fixture
def story(database: Database, database_url: str, settings: Settings) -> Iterator[Story]:
    """A sale to eight people."""
    with connect(database_url, "test") as connection:
        yield Story(Scene(connection), settings).tell()


@pytest.fixture
def run(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command against the test's database."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path / "home"))
    return lambda *arguments: CliRunner().invoke(report, arguments)


def test_a_campaign_in_words_and_as_json(story: Story, run: Run) -> None:
    """Each rate with what it is made of."""
    said = run(str(story.campaign), "--margin", "0.4")
    told = json.loads(run(str(story.campaign), "--json").stdout)

    assert said.exit_code == 0, said.output
    assert "=Sale" in said.output
    assert any(
        line.split() == ["Click", "rate", "(CTR)", "50.00%", "2", "/", "4"]
        for line in said.output.splitlines()
    )
    assert "15.00 USD" in said.output
    assert told["total"]["clicks"] == {"raw": 5, "human": 3, "clickers": 2}


def test_all_campaigns(story: Story, run: Run) -> None:
    """By any part; as JSON it is what the API answers."""
    said = run("--by", "method")
    told = json.loads(run("--by", "program", "--json").stdout)

    assert {"sms_keyword", "web_form"} <= set(said.output.splitlines())
    assert [line["label"] for line in told["items"]] == ["deals"]


def test_there_is_no_such_campaign(story: Story, run: Run) -> None:
    """The answer is no."""
    found = run("999")

    assert found.exit_code == 1
    assert "no such campaign" in found.output


def test_hits_are_classified_again(story: Story, run: Run) -> None:
    """Labels of older rules go, campaigns are counted anew, and the audit log says who did it."""
    story.scene.connection.execute("UPDATE clicks SET label = 'agent.mistaken'")
    days = ["--since", f"{story.now():%Y-%m-%d}", "--until", f"{story.now(86_400):%Y-%m-%d}"]

    told = CliRunner().invoke(clicks, ["classify", *days, "--json"])

    assert told.exit_code == 0, told.output
    assert sum(json.loads(told.stdout)["changed"].values()) == 5
    direct.agree(story.scene.connection)
    found = json.loads(run(str(story.campaign), "--json").stdout)
    assert found["total"]["clicks"] == {"raw": 5, "human": 3, "clickers": 2}
    acts = story.scene.connection.execute("SELECT act FROM audit_log").fetchall()
    assert ("clicks.classified",) in acts
