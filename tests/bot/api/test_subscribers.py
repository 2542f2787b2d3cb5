"""Reading one person: state, ledger, texts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from keywords.ledger import chain_hash
from tests.bot.api.conftest import ANNA, Client, fields

Texts = Callable[..., str]


def test_a_subscriber_is_shown_with_every_subscription(client: Client, text: Texts) -> None:
    """The shape that scripts rely on: phone, language, reachability, suspended, subscriptions."""
    text("JOIN", "YES", "WEEKLY", "COFFEE")

    shown = client.get(f"subscribers/{ANNA}")

    known = {name: shown[name] for name in ("phone", "language", "reachability", "suspended")}
    assert known == {
        "phone": ANNA,
        "language": None,
        "reachability": "unknown",
        "suspended": False,
    }
    coffee, deals = shown["subscriptions"]
    assert (deals["program"], deals["state"], deals["method"]) == (
        "deals",
        "subscribed",
        "sms_keyword",
    )
    assert deals["frequency"] == {"count": 1, "period": "week"}
    assert deals["confirmed_at"].endswith("Z")
    assert (coffee["program"], coffee["state"], coffee["frequency"]) == ("coffee", "pending", None)
    assert coffee["expires_at"] > deals["confirmed_at"]


@pytest.mark.parametrize(
    ("written", "status"),
    [
        (ANNA, 200),
        ("%2B14155550123", 200),
        ("%2B1%20(415)%20555-0123", 200),
        ("+14155550124", 404),
        ("+99999999999", 404),
        ("4155550123", 422),
        ("ACME", 422),
        ("+1", 422),
        ("%00", 422),
    ],
    ids=["plus", "escaped", "punctuated", "unseen", "odd", "national", "word", "short", "nul"],
)
def test_a_number_is_found_unseen_or_no_number(
    client: Client, text: Texts, written: str, status: int
) -> None:
    """404 for a number never seen, 422 for what is no number; neither repeats it."""
    text("JOIN")

    for resource in ("", "/consent", "/messages"):
        answer = client.get(f"subscribers/{written}{resource}", status)
        if status == 422:
            assert fields(answer) == {"phone"}
            assert answer["errors"][0]["code"].startswith("phone_")
        if status >= 400:
            assert "555" not in str(answer)


def test_the_ledger_is_shown_oldest_first_with_evidence_and_hashes(
    client: Client, text: Texts
) -> None:
    """Method, times, evidence and the chain of each change, page by page."""
    text("JOIN", "YES", "STOP")

    first = client.get(f"subscribers/{ANNA}/consent?limit=2")
    second = client.get(f"subscribers/{ANNA}/consent?limit=2&cursor={first['next']}")

    entries = first["items"] + second["items"]
    assert second["next"] is None
    assert [e["change"] for e in entries] == ["optin_requested", "optin_confirmed", "optout"]
    assert {e["method"] for e in entries} == {"sms_keyword"}
    assert {e["program"] for e in entries} == {"deals"}
    assert [e["evidence"]["text"]["body"] for e in entries] == ["JOIN", "YES", "STOP"]
    assert [e["prev"] for e in entries] == ["00" * 32, entries[0]["hash"], entries[1]["hash"]]
    assert all(e["occurred_at"] <= e["recorded_at"] for e in entries)
    assert len(chain_hash(b"", b"").hex()) == len(entries[0]["hash"])


def test_evidence_is_null_once_it_was_destroyed(
    client: Client, text: Texts, database_url: str
) -> None:
    """After an erasure the entry stays, and says so."""
    text("JOIN")
    _as_owner(database_url, "DELETE FROM consent_evidence")

    (entry,) = client.get(f"subscribers/{ANNA}/consent")["items"]

    assert (entry["evidence"], entry["change"]) == (None, "optin_requested")


def test_messages_go_both_ways_oldest_first(client: Client, text: Texts) -> None:
    """Each text is followed by its reply, across pages of any size."""
    text("JOIN", "YES", "café ☕")
    whole = client.get(f"subscribers/{ANNA}/messages")

    pages: list[Any] = []
    cursor: str | None = ""
    while cursor is not None:
        page = client.get(f"subscribers/{ANNA}/messages?limit=1&cursor={cursor}")
        pages += page["items"]
        cursor = page["next"]

    assert pages == whole["items"]
    assert [m["direction"] for m in pages] == ["inbound", "outbound"] * 3
    assert [m["body"] for m in pages[::2]] == ["JOIN", "YES", "café ☕"]
    assert pages[0]["reading"]["signal"] == "join"
    assert (pages[0]["state"], pages[1]["state"]) == ("received", "answered")
    assert pages[1]["in_reply_to"] == pages[0]["id"]
    assert (pages[4]["encoding"], pages[4]["sms_segments"]) == ("UCS-2", 1)
    assert pages[1]["sms_segments"] >= 1


def _as_owner(url: str, statement: str) -> None:
    from storage.database import connect

    with connect(url, "test", role=None) as connection:
        connection.execute("ALTER TABLE consent_evidence DISABLE TRIGGER ALL")
        connection.execute(statement)
