"""Reports by the API: figures with their meaning, files without formulas, honest answers."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from storage.database import connect
from storage.keys import Scope
from storage.settings import Settings
from tests.bot.api.conftest import Client, Database, make_key
from tests.bot.api.test_optins import TILL
from tests.worker.results.story import PEOPLE, Story
from tests.worker.scene import Scene


@pytest.fixture
def story(database: Database, database_url: str, settings: Settings) -> Iterator[Story]:
    """A sale to eight people; see the module of that name."""
    with connect(database_url, "test") as connection:
        yield Story(Scene(connection), settings).tell()


@pytest.fixture
def reader(client: Client, database: Database) -> Client:
    """A client that may only read."""
    return Client(client.app, make_key(database, Scope.READ))


def figure(part: dict[str, Any], key: str, of: str | None = None) -> dict[str, Any]:
    """One figure of a part."""
    (found,) = [each for each in part["figures"] if (each["key"], each["of"]) == (key, of)]
    assert isinstance(found, dict)
    return found


def rows(client: Client, path: str) -> list[dict[str, str]]:
    """The lines of a CSV file."""
    response = client.send("GET", path)
    assert response.status_code == 200
    assert response.content_type == "text/csv; charset=utf-8"
    return list(csv.DictReader(io.StringIO(response.get_data(as_text=True))))


def test_a_report_says_what_its_figures_are_made_of(story: Story, reader: Client) -> None:
    """Value, numerator, denominator and limits; the definitions come along."""
    found = reader.get(f"campaigns/{story.campaign}/report")

    ctr = figure(found["total"], "ctr")
    assert (ctr["value"], ctr["numerator"], ctr["denominator"]) == (0.5, 2, 4)
    assert ctr["low"] < 0.5 < ctr["high"]
    meaning = found["definitions"]["figures"]["ctr"]
    assert meaning["denominator"] == "delivered"
    assert "machines are not people" in meaning["definition"]
    keys = {each["key"] for each in found["total"]["figures"]}
    assert keys <= found["definitions"]["figures"].keys()
    assert "open_rate" not in keys
    assert "do not report reads" in found["definitions"]["figures"]["open_rate"]["definition"]


def test_a_report_shows_raw_beside_human_and_bases_apart(story: Story, reader: Client) -> None:
    """Nothing is added up that should not be."""
    found = reader.get(f"campaigns/{story.campaign}/report")

    assert found["total"]["clicks"] == {"raw": 5, "human": 3, "clickers": 2}
    assert [(s["basis"], s["currency"], s["net_minor"]) for s in found["total"]["sales"]] == [
        ("click", "USD", 1_500),
        ("coupon", "USD", 1_000),
    ]
    texts = found["total"]["texts"]
    assert texts["planned"] == 8
    assert texts["refused"] == {"policy.capped": 1}
    assert texts["rejected"] == {"hard": 1}
    assert texts["undelivered"] == {"soft": 1}
    assert (texts["accepted"], texts["delivered"], texts["unconfirmed"]) == (6, 4, 1)
    assert [part["variant"] for part in found["variants"]] == ["A", "B"]
    assert [part["method"] for part in found["methods"]] == ["sms_keyword", "web_form"]
    assert [link["variant"] for link in found["links"]] == ["A", "B"]
    assert found["time_to_click"]["people"] == 2


def test_roi_needs_a_margin(story: Story, reader: Client) -> None:
    """Without one there is only ROAS."""
    path = f"campaigns/{story.campaign}/report"

    assert "roi" not in {each["key"] for each in reader.get(path)["total"]["figures"]}
    found = reader.get(f"{path}?margin=0.4")
    assert figure(found["total"], "roi", "click.USD")["numerator"] == 6_000_000 - 50_000
    reader.get(f"{path}?margin=40", 422)


def test_the_overview_comes_in_pages_with_the_total_of_all(story: Story, reader: Client) -> None:
    """Newest first; the total is not that of the page."""
    second = Story(story.scene, story.settings)
    second.plan(name="Empty", settings={})

    first = reader.get("reports/campaigns?limit=1")
    rest = reader.get(f"reports/campaigns?limit=1&cursor={first['next']}")

    assert [line["label"] for line in first["items"] + rest["items"]] == ["Empty", "=Sale"]
    assert rest["next"] is None
    assert first["total"] == rest["total"]
    assert figure(first["total"], "ctr")["numerator"] == 2
    assert rest["items"][0]["campaign"]["id"] == story.campaign


@pytest.mark.parametrize(
    ("query", "labels"),
    [
        pytest.param("by=program", ["deals"], id="program"),
        pytest.param("by=segment", [""], id="segment"),
        pytest.param("by=method", ["sms_keyword", "web_form"], id="method"),
        pytest.param("program=coffee", [], id="another program"),
        pytest.param("since=2020-01-01", ["=Sale"], id="since"),
        pytest.param("until=2020-01-01", [], id="until"),
    ],
)
def test_the_overview_is_by_what_was_asked(
    story: Story, reader: Client, query: str, labels: list[str]
) -> None:
    """Programs, segments, ways of joining; or some campaigns only."""
    found = reader.get(f"reports/campaigns?{query}")

    assert [line["label"] for line in found["items"]] == labels


@pytest.mark.parametrize(
    "path",
    [
        "reports/campaigns?since=2026-02-31",
        "reports/campaigns?by=weekday",
        "reports/campaigns?margin=2",
        "reports/growth?since=2026-03-01&until=2026-02-01",
        "reports/growth?since=2000-01-01",
        "reports/cohorts?months=99",
        "reports/campaigns/1/lift?days=0",
    ],
)
def test_a_question_that_makes_no_sense_is_refused(reader: Client, path: str) -> None:
    """With the field that is wrong."""
    assert reader.get(path, 422)["errors"]


def test_files_hold_the_figures_and_no_formula(story: Story, reader: Client) -> None:
    """The campaign is called "=Sale"; a spreadsheet must not calculate it."""
    lines = rows(reader, f"campaigns/{story.campaign}/report.csv?margin=0.4")
    overview = rows(reader, "reports/campaigns.csv")

    for found in (lines, overview):
        assert {line["label"] for line in found if line["part"] == "campaign"} == {"'=Sale"}
        assert not [
            cell
            for line in found
            for cell in line.values()
            if cell.startswith(("=", "+", "@")) or (cell.startswith("-") and not _number(cell))
        ]
    (ctr,) = [each for each in lines if (each["part"], each["figure"]) == ("campaign", "ctr")]
    assert (ctr["value"], ctr["numerator"], ctr["denominator"]) == ("0.5", "2", "4")
    assert ctr["definition"]
    (links,) = {each["label"] for each in lines if each["part"] == "link"}
    assert links == "https://acme.example/sale"
    assert {each["of"] for each in lines if each["figure"] == "time_to_click"} == {
        "25%",
        "50%",
        "75%",
    }


def _number(cell: str) -> bool:
    return cell.removeprefix("-").replace(".", "", 1).isdecimal()


def test_a_campaign_over_time(story: Story, reader: Client) -> None:
    """By hour or by day, as JSON and as a file; the sums are those of the report."""
    found = reader.get(f"reports/campaigns/{story.campaign}/timeline?by=day")
    lines = rows(reader, f"reports/campaigns/{story.campaign}/timeline.csv")

    assert sum(item["accepted"] for item in found["items"]) == 6
    assert sum(item["clicks"]["raw"] for item in found["items"]) == 5
    assert sum(int(line["accepted"] or 0) for line in lines) == 6
    assert sum(int(line["orders"] or 0) for line in lines) == 3


def test_lift_says_when_nobody_can_tell(story: Story, reader: Client) -> None:
    """No holdout, and too few people for the texts."""
    found = reader.get(f"reports/campaigns/{story.campaign}/lift?days=7")

    assert found["holdout"] is None
    (clicking,) = found["clicking"]
    assert (clicking["first"]["name"], clicking["second"]["name"]) == ("B", "A")
    assert clicking["verdict"] == "too_few"
    assert clicking["sentence"].startswith("Cannot tell yet")
    assert clicking["low"] <= 0 <= clicking["high"]


def test_growth_by_the_way_of_joining(
    client: Client, reader: Client, text: Callable[..., str]
) -> None:
    """An opt-in at the till counts for the till, though the yes came by text."""
    client.post("opt-ins", TILL | {"phone": PEOPLE[0]})
    text("YES", phone=PEOPLE[0])
    text("JOIN", "YES", phone=PEOPLE[1])
    text("STOP", phone=PEOPLE[1])

    found = reader.get("reports/growth?program=deals&by=month")
    lines = rows(reader, "reports/growth.csv?by=month")
    cohorts = reader.get("reports/cohorts")

    assert {m["method"]: (m["confirmed"], m["left"]) for m in found["methods"]} == {
        "point_of_sale": (1, 0),
        "sms_keyword": (1, 1),
    }
    assert (found["start"], found["end"]) == (0, 1)
    assert found["completion"]["value"] == 1.0
    assert {q["method"]: q["confirmed"] for q in found["questions"]} == {
        "point_of_sale": 1,
        "sms_keyword": 1,
    }
    assert {(line["method"], line["net"]) for line in lines} == {
        ("point_of_sale", "1"),
        ("sms_keyword", "0"),
    }
    assert {c["method"]: c["months"][0]["retained"]["numerator"] for c in cohorts["items"]} == {
        "point_of_sale": 1,
        "sms_keyword": 0,
    }
    assert len(rows(reader, "reports/cohorts.csv")) == 2


@pytest.mark.parametrize("path", ["campaigns/999/report", "reports/campaigns/x/lift"])
def test_there_is_no_report_of_what_is_not_there(reader: Client, path: str) -> None:
    """404, not zeros."""
    reader.get(path, 404)
