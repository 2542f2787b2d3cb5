"""Placements by the API and at the shell: made, changed, retired, and which one works."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from bot.commands.placements import placement
from keywords.placements import checks
from tests.bot.api.conftest import ANNA, Client, fields

WINDOW = {
    "label": "Store 12, window",
    "store": "12",
    "wording": {"en": {"headline": "20% off", "offer": "Today only"}, "es": {"headline": "Únete"}},
}


@pytest.fixture
def run(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Run ``assent placement …`` against the test's database; the exit code is checked."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path / "home"))

    def invoke(*arguments: str, code: int = 0) -> Result:
        result = CliRunner().invoke(placement, arguments)
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_a_placement_is_made_and_shown(client: Client) -> None:
    """With the text that people send there, and where its page and its poster are."""
    made = client.post("programs/deals/placements", WINDOW, 201)

    code = made["code"]
    assert checks(code)
    assert made["text"] == f"JOIN {code}"
    assert made["landing"] == f"/q/{code}"
    assert made["poster"] == f"/join/deals/poster.pdf?placement={code}"
    assert made["wording"]["es"] == {"headline": "Únete", "offer": None}
    assert (made["channel"], made["retired_at"], made["scans"]) == ("poster", None, 0)
    assert client.get(f"programs/deals/placements/{code.lower()}") == made
    audit = client.get("audit")["items"]
    assert [(a["act"], a["subject"]) for a in audit] == [("placement.created", f"placement:{code}")]


def test_which_poster_works_is_seen_in_the_list(client: Client, text: Callable[..., str]) -> None:
    """Asked and confirmed are counted from the ledger."""
    window, door, other = (
        client.post("programs/deals/placements", WINDOW | {"label": label}, 201)["code"]
        for label in ("window", "door", "counter")
    )
    text(f"JOIN {window}", "YES")
    text(f"JOIN {door}", phone="+14155550124")

    found = {i["code"]: i for i in client.get("programs/deals/placements")["items"]}

    assert {c: (i["asked"], i["confirmed"]) for c, i in found.items()} == {
        window: (1, 1),
        door: (1, 0),
        other: (0, 0),
    }
    entries = client.get(f"subscribers/{ANNA}/consent")["items"]
    assert [entry["method"] for entry in entries] == ["qr_code", "sms_keyword"]
    assert entries[0]["evidence"]["placement"]["label"] == "window"


def test_the_list_has_pages(client: Client) -> None:
    """By code, whatever the order they were made in."""
    codes = sorted(
        client.post("programs/deals/placements", {"label": str(n)}, 201)["code"] for n in range(5)
    )

    first = client.get("programs/deals/placements?limit=3")
    second = client.get(f"programs/deals/placements?limit=3&cursor={first['next']}")

    assert [i["code"] for i in first["items"] + second["items"]] == codes
    assert second["next"] is None


def test_a_placement_is_changed_and_retired_and_taken_up_again(client: Client) -> None:
    """Fields that are left out stay as they are."""
    code = client.post("programs/deals/placements", WINDOW, 201)["code"]
    path = f"programs/deals/placements/{code}"

    changed = client.patch(path, {"label": "Store 12, door", "store": None, "retired": True})
    again = client.patch(path, {"retired": False, "channel": "link", "wording": {}})

    assert (changed["label"], changed["store"], changed["channel"]) == (
        "Store 12, door",
        None,
        "poster",
    )
    assert changed["retired_at"] is not None
    assert changed["wording"]["en"]["headline"] == "20% off"
    assert (again["retired_at"], again["channel"], again["wording"]) == (None, "link", {})


@pytest.mark.parametrize(
    ("body", "named"),
    [
        ({}, "label"),
        ({"label": ""}, "label"),
        ({"label": "x", "code": "K7P2"}, "code"),
        ({"label": "x", "channel": "tv"}, "channel"),
        ({"label": "x", "wording": {"de": {"headline": "x"}}}, "wording.de.[key]"),
        ({"label": "x", "wording": {"en": {"headline": "20% off 🎉"}}}, "wording.en.headline"),
        ({"label": "x", "wording": {"en": {"offer": "日本"}}}, "wording.en.offer"),
        ({"label": "x", "wording": {"en": {"headline": "x" * 91}}}, "wording.en.headline"),
        ({"label": "x", "wording": {"en": {"headline": "  "}}}, "wording.en.headline"),
    ],
)
def test_what_cannot_be_printed_is_refused(client: Client, body: Any, named: str) -> None:
    """When the placement is saved, not when the poster is printed."""
    assert named in fields(client.post("programs/deals/placements", body, 422))
    assert client.get("programs/deals/placements")["items"] == []


def test_another_programs_placement_is_not_found(client: Client) -> None:
    """A code belongs to one program."""
    code = client.post("programs/deals/placements", WINDOW, 201)["code"]

    client.get(f"programs/coffee/placements/{code}", 404)
    client.get("programs/none/placements", 404)
    client.patch("programs/deals/placements/A2A2", {}, 404)


def test_placements_at_the_shell(run: Callable[..., Result], client: Client) -> None:
    """``CODE=$(assent placement add deals "Store 12, window")`` works."""
    code = run("add", "deals", "Store 12, window", "--headline", "20% off").stdout.strip()
    as_json = json.loads(run("add", "deals", "Profile", "--channel", "link", "--json").stdout)
    run("retire", code)

    assert client.get(f"programs/deals/placements/{code}")["wording"] == {
        "en": {"headline": "20% off", "offer": None}
    }
    assert as_json["channel"] == "link"
    assert "Store 12, window  (retired)" in run("list", "deals").stdout
    listed = json.loads(run("list", "deals", "--json").stdout)
    assert sorted(item["label"] for item in listed) == ["Profile", "Store 12, window"]


def test_a_poster_is_written_to_a_file(
    run: Callable[..., Result], client: Client, tmp_path: Path
) -> None:
    """In the kind that the file's name says."""
    code = run("add", "deals", "Store 12, window").stdout.strip()
    pdf, svg = tmp_path / "window.pdf", tmp_path / "window.SVG"

    run("poster", code.lower(), str(pdf), "--size", "card", "--marks")
    run("poster", code, str(svg), "--language", "es", "--mode", "landing")

    assert pdf.read_bytes().startswith(b"%PDF-")
    assert "Escanea" in svg.read_text()
    run("poster", code, str(tmp_path / "window.gif"), code=2)
    run("poster", "A2A2", str(pdf), code=1)
    run("retire", code)
    run("poster", code, str(pdf), code=1)


@pytest.mark.parametrize(
    "arguments",
    [
        ("add", "none", "x"),
        ("add", "deals", ""),
        ("add", "deals", "x", "--headline", "🎉"),
        ("list", "none"),
        ("retire", "A2A2"),
    ],
)
def test_the_shell_says_no_with_1(
    run: Callable[..., Result], client: Client, arguments: Any
) -> None:
    """One sentence, and nothing is written."""
    assert "Error: " in run(*arguments, code=1).output
