"""Exports, erasure, holds and the suppression list by the API."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from apiflask import APIFlask

from keywords.checkpoint import read_key
from keywords.receipt import opened
from storage.database import connect
from storage.holdings import HOLDINGS
from storage.keys import Scope
from tests.bot.api.conftest import ANNA, Client, Database, fields, make_key
from tests.storage.canaries import PLAIN, WORDS, dump, place

Texts = Callable[..., str]
BEN = "+14155550124"


@pytest.fixture
def officer(app: APIFlask, database: Database) -> Client:
    """A client for compliance alone."""
    return Client(app, make_key(database, Scope.COMPLIANCE, name="officer"))


def acts(client: Client) -> list[tuple[str, Any]]:
    """What the audit log says, newest first."""
    return [(item["act"], item["detail"]) for item in client.get("audit")["items"]]


def test_an_export_holds_all_that_is_held(
    officer: Client, client: Client, text: Texts, database: Database, database_url: str
) -> None:
    """Each table with something of the person is a section with rows; the act is noted."""
    text("JOIN", "YES", WORDS)
    with connect(database_url, "test") as connection:
        key = connection.execute("SELECT id FROM subscribers").fetchall()[0][0]
        place(connection, key)

    export = officer.post("exports", {"phone": "+1 (415) 555-0123", "reason": "GDPR Art. 15"})

    readable = {holding.table for holding in HOLDINGS if holding.read}
    assert export["sections"].keys() == readable
    filled = {name for name, rows in export["sections"].items() if rows}
    assert readable - filled == {"erasures"}
    assert set(PLAIN) - filled == {"idempotent_answers"}
    assert export["phone"] == ANNA
    assert export["suppressed"] is None
    events = export["sections"]["consent_events"]
    assert [e["evidence"]["text"]["body"] for e in events] == ["JOIN", "YES"]
    assert {WORDS} <= {t["body"] for t in export["sections"]["inbound_texts"]}
    assert acts(client)[0][0] == "subscriber.exported"
    assert acts(client)[0][1]["reason"] == "GDPR Art. 15"
    again = officer.get(f"subscribers/{ANNA}/export", query_string={"reason": "once more"})
    assert again["sections"] == export["sections"]


def test_an_export_needs_a_reason_its_scope_and_somebody(
    officer: Client, app: APIFlask, database: Database
) -> None:
    """Nobody reads all about a person by the way."""
    assert fields(officer.post("exports", {"phone": ANNA}, 422)) == {"reason"}
    officer.get(f"subscribers/{ANNA}/export", 422)
    officer.post("exports", {"phone": ANNA, "reason": "x"}, 404)
    assert fields(officer.post("exports", {"phone": "12", "reason": "x"}, 422)) == {"phone"}
    reader = Client(app, make_key(database, Scope.READ, Scope.INBOX, Scope.OPTIN, name="r"))
    for path in ("exports", f"subscribers/{ANNA}/erase", f"subscribers/{ANNA}/hold"):
        reader.post(path, {"phone": ANNA, "reason": "x"}, 403)


def test_an_erasure_is_answered_with_its_receipt(
    officer: Client, client: Client, text: Texts, database: Database, database_url: str
) -> None:
    """Nothing is left of the person, of the request, or of answers that were kept for it."""
    text("JOIN", "YES")
    body = {"phone": ANNA, "reason": "x"}
    officer.post("exports", body, headers={"Idempotency-Key": "export-1"})

    erased = officer.post(f"subscribers/{ANNA}/erase", {"reason": f"a letter of {ANNA}"})

    assert erased["outcome"] == "erased"
    key = read_key(erased["receipt"]["verifier_key"])
    assert opened(_text(erased["receipt"]), [key])["subject"] == erased["ref"]
    assert erased["cleared"]["idempotent_answers"] == 1
    found = officer.get(f"erasures/{erased['ref']}")
    assert found["receipt"] == erased["receipt"]
    with connect(database_url, "test") as connection:
        assert not [name for name, rows in dump(connection).items() if "4155550123" in rows]
    client.get(f"subscribers/{ANNA}", 404)
    assert officer.post(f"subscribers/{ANNA}/erase", {"reason": "x"})["outcome"] == "nothing"
    assert acts(client)[0] == (
        "subscriber.erased",
        acts(client)[0][1] | {"outcome": "nothing", "ground": "request"},
    )


def test_the_same_erasure_may_be_sent_twice(officer: Client, text: Texts) -> None:
    """The answer that was kept for its key is the answer again: it names nobody."""
    text("JOIN")
    headers = {"Idempotency-Key": "erase-1"}

    first = officer.post(f"subscribers/{ANNA}/erase", {"reason": "x"}, headers=headers)

    assert officer.post(f"subscribers/{ANNA}/erase", {"reason": "x"}, headers=headers) == first


def test_erasures_that_never_were_are_not_found(officer: Client) -> None:
    """By a reference that is none, or nobody's."""
    officer.get("erasures/x", 404)
    officer.get("erasures/00000000-0000-4000-8000-000000000000", 404)


def test_a_hold_restricts_and_shows_in_the_inbox_to_nobody(
    officer: Client, client: Client, text: Texts
) -> None:
    """An erasure under a hold closes the person to everybody but compliance."""
    text("JOIN", "YES", "??")
    assert client.get("inbox")["items"]
    held = officer.post(f"subscribers/{ANNA}/hold", {"reason": "Doe v. Acme"})
    assert (held["held"], held["held_until"]) == (True, None)

    erased = officer.post(f"subscribers/{ANNA}/erase", {"reason": "x"})

    assert erased["outcome"] == "restricted"
    assert officer.get(f"erasures/{erased['ref']}")["done_at"] is None
    assert client.get("inbox")["items"] == []
    assert officer.post("exports", {"phone": ANNA, "reason": "x"})["suppressed"]
    lifted = officer.post(f"subscribers/{ANNA}/hold/lift", {"reason": "settled"})
    assert lifted["held"] is False
    officer.post(f"subscribers/{BEN}/hold", {"reason": "x"}, 404)
    officer.post(f"subscribers/{BEN}/hold/lift", {"reason": "x"}, 404)
    naive = {"reason": "x", "until": "2099-01-01T00:00:00"}
    assert fields(officer.post(f"subscribers/{ANNA}/hold", naive, 422)) == {"until"}


def test_a_list_of_numbers_is_suppressed(officer: Client, client: Client, text: Texts) -> None:
    """Those we know are opted out in their ledger; of the others only hashes are kept."""
    text("JOIN", "YES")
    wanted = {"phones": [ANNA, "+1 415 555 0124"], "source": "old system"}

    assert officer.post("suppressions", wanted) == {"added": 2, "opted_out": 1}

    assert officer.post("suppressions", wanted) == {"added": 0, "opted_out": 0}
    entry = client.get(f"subscribers/{ANNA}/consent")["items"][-1]
    assert (entry["change"], entry["method"], entry["actor"]) == ("optout", "import", "key:officer")
    assert entry["evidence"]["suppression"]["source"] == "old system"
    client.get(f"subscribers/{BEN}", 404)
    checked = officer.post("suppressions/check", {"phones": [BEN, "+12125550199"]})["items"]
    assert [(item["phone"], item["suppressed"]) for item in checked] == [
        (BEN, True),
        ("+12125550199", False),
    ]
    first = officer.get("suppressions?limit=1")
    second = officer.get(f"suppressions?limit=1&cursor={first['next']}")
    assert second["next"] is None
    assert first["items"][0]["digest"] < second["items"][0]["digest"]
    bad = officer.post("suppressions", {"phones": [ANNA, "x"], "source": "y"}, 422)
    assert fields(bad) == {"phones.1"}
    officer.get("suppressions?cursor=x", 422)


def test_nothing_of_a_suppressed_stranger_is_in_the_database(
    officer: Client, database_url: str
) -> None:
    """A hash, which says nothing without the pepper."""
    officer.post("suppressions", {"phones": [BEN], "source": "list"})

    with connect(database_url, "test") as connection:
        assert not [name for name, rows in dump(connection).items() if "4155550124" in rows]


def _text(receipt: Any) -> str:
    return json.dumps(receipt)
