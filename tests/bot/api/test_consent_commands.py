"""``assent opt-in`` and ``opt-out``: by hand, with a reason and evidence, and always on record."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands.consent import LARGEST_FILE, opt_in, opt_out
from tests.bot.api.conftest import ANNA, Client
from tests.bot.api.test_commands import Run, run

__all__ = ["run"]
TextIn = Callable[..., str]
BASICS = ("--program", "deals", "--reason", "She called")


def test_an_entry_by_hand_waits_for_yes(run: Run, client: Client) -> None:
    """Pending, with who, why and what in the evidence, and the act in the audit log."""
    result = run(opt_in, ANNA, *BASICS, "--evidence", "Call of 24 Nov.", "--language", "es")
    assert "asked to confirm by text" in result.output

    entry = client.get(f"subscribers/{ANNA}/consent")["items"][-1]
    assert (entry["change"], entry["method"]) == ("optin_requested", "operator")
    assert entry["actor"].startswith("operator:")
    assert entry["evidence"]["reason"] == "She called"
    assert entry["evidence"]["document"] == "Call of 24 Nov."
    assert "Responde SI" in entry["evidence"]["asked"]["text"]
    audit = client.get("audit")["items"][0]
    assert (audit["act"], audit["detail"]["answer"]) == ("optin.claimed", "asked")
    again = run(opt_in, ANNA, *BASICS, "--evidence", "x", "--json")
    assert json.loads(again.stdout)["answer"] == "waiting"


def test_a_file_is_kept_whole_with_the_evidence(run: Run, client: Client, tmp_path: Path) -> None:
    """A scan is about one person, so it lies where an erasure reaches it."""
    scan = tmp_path / "form.pdf"
    scan.write_bytes(b"%PDF-1.7 \x00\xff")
    run(opt_in, ANNA, *BASICS, "--evidence", str(scan))
    evidence = client.get(f"subscribers/{ANNA}/consent")["items"][0]["evidence"]
    assert base64.b64decode(evidence["file"]["base64"]) == scan.read_bytes()
    assert evidence["document"] == f"file {evidence['file']['sha256']}"
    scan.write_bytes(bytes(LARGEST_FILE + 1))
    run(opt_in, ANNA, *BASICS, "--evidence", str(scan), code=2)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        pytest.param(("12", *BASICS, "--evidence", "x"), 1, "phone:", id="no number"),
        pytest.param(
            (ANNA, "--program", "none", "--reason", "x", "--evidence", "x"),
            1,
            "program:",
            id="no program",
        ),
        pytest.param(
            ("+447400123456", *BASICS, "--evidence", "x"), 1, "this country", id="not served"
        ),
        pytest.param((ANNA, *BASICS), 2, "--evidence", id="no evidence"),
        pytest.param((ANNA, *BASICS, "--evidence", " "), 2, "--evidence", id="empty evidence"),
        pytest.param((ANNA, "--program", "deals", "--evidence", "x"), 2, "--reason", id="no why"),
    ],
)
def test_an_entry_that_shows_nothing_is_refused(
    run: Run, arguments: tuple[str, ...], code: int, words: str
) -> None:
    """With the field that is wrong."""
    assert words in run(opt_in, *arguments, code=code).stderr


def test_who_left_is_not_brought_back_by_hand(run: Run, client: Client, text: TextIn) -> None:
    """The answer is no; they can text the keyword themselves."""
    text("JOIN", "YES", "STOP")
    result = run(opt_in, ANNA, *BASICS, "--evidence", "x", code=1)
    assert "text the keyword themselves" in result.output
    assert client.get(f"subscribers/{ANNA}")["subscriptions"][0]["state"] == "unsubscribed"


def test_a_refusal_is_entered_at_once(run: Run, client: Client, text: TextIn) -> None:
    """One program or everything; who heard it and how is evidence."""
    text("JOIN", "YES", "COFFEE", "YES")
    assert (
        "Ended: coffee."
        in run(
            opt_out,
            ANNA,
            "--reason",
            "wrote a letter",
            "--program",
            "coffee",
            "--evidence",
            "Enough!",
        ).output
    )
    assert "Ended: deals." in run(opt_out, "+1 415-555-0123", "--reason", "again").output
    assert "they had left before" in run(opt_out, ANNA, "--reason", "again").output
    states = {s["program"]: s["state"] for s in client.get(f"subscribers/{ANNA}")["subscriptions"]}
    assert states == {"deals": "unsubscribed", "coffee": "unsubscribed"}
    entries = client.get(f"subscribers/{ANNA}/consent")["items"]
    assert entries[-2]["evidence"]["document"] == "Enough!"
    assert entries[-2]["evidence"]["operator"]["reason"] == "wrote a letter"
    run(opt_out, "12", "--reason", "x", code=2)
    run(opt_out, ANNA, "--reason", "x", "--program", "none", code=1)
