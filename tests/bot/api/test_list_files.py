"""A CSV file of numbers for a list: who is on it, and what is in the way of each row."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from storage.database import connect
from storage.keys import Scope
from storage.suppression import SuppressionReason, phone_digest, suppress
from tests.bot.api.conftest import ANNA, Client, Database, fields, make_key

BEN, CARL, DORA, EVE = "+12125550124", "+13125550125", "+14155552671", "+14155552672"
FILE = (
    "Name;Mobile Phone\r\n"
    "Anna;(415) 555-0123\r\n"
    "Ben;212-555-0124\r\n"
    ";\r\n"
    f"Anna again;{ANNA}\r\n"
    "Carl;+1 312 555 0125\r\n"
    "Nobody;12\r\n"
    f"Dora;{DORA}\r\n"
    f"Eve;{EVE}\r\n"
)


@pytest.fixture
def known(text: Callable[..., str], database: Database, database_url: str) -> None:
    """Anna gets the program, Ben has left, Carl never answered, Eve is suppressed; Dora is new."""
    text("JOIN", "YES")
    text("JOIN", "YES", "STOP", phone=BEN)
    text("JOIN", phone=CARL)
    with connect(database_url, "test") as connection:
        digest = phone_digest(database.phone_pepper, EVE)
        suppress(connection, [digest], SuppressionReason.OBJECTION, "file")


@pytest.fixture
def number(client: Client) -> int:
    """An empty list."""
    return int(client.post("lists", {"name": "VIP", "phones": []}, 201)["id"])


def send(client: Client, path: str, data: str | bytes, status: int = 200, **over: Any) -> Any:
    """POST a file; the JSON of the answer."""
    sent = {"content_type": "text/csv", "data": data} | over
    return client._json(client.send("POST", path, **sent), status)


@pytest.mark.usefixtures("known")
def test_each_row_has_its_reason(client: Client, number: int) -> None:
    """By the row of the spreadsheet and the codes of a campaign's report; nobody is made up."""
    made = send(client, f"lists/{number}/file?program=deals", FILE)
    assert (made["rows"], made["added"], made["clear"]) == (7, 3, 1)
    assert [(row["row"], row["code"]) for row in made["items"]] == [
        (3, "policy.unsubscribed"),
        (5, "duplicate"),
        (6, "policy.pending"),
        (7, "phone_too_short"),
        (8, "policy.never_agreed"),
        (9, "policy.suppressed"),
    ]
    assert made["counts"]["duplicate"] == 1
    assert made["items"][1]["reason"] == "The number is in row 2 already."
    listed = made["list"]
    assert (listed["rows"], listed["invalid"], listed["unknown"]) == (7, 2, 2)
    client.get(f"subscribers/{DORA}", 404)


@pytest.mark.usefixtures("known")
def test_a_list_includes_and_excludes(client: Client, number: int) -> None:
    """The same file says whom a campaign is for, or whom it is not for."""
    send(client, f"lists/{number}/file", FILE)
    vip = {"field": "list", "op": "is", "value": "VIP"}
    counts = client.post("segments/count", {"program": "deals", "condition": vip})
    assert (counts["people"], counts["subscribed"], counts["unsubscribed"]) == (3, 1, 1)
    without = {"program": "deals", "condition": {}, "exclude": vip}
    assert client.post("segments/count", without)["people"] == 0


@pytest.mark.usefixtures("known")
def test_a_check_tells_all_and_changes_nothing(client: Client, number: int) -> None:
    """As CSV, with a line for each row that leads to no text."""
    response = client.send("POST", "lists/check?program=deals", data=FILE, content_type="text/csv")
    lines = response.get_data(as_text=True).splitlines()
    assert response.status_code == 200
    assert lines[0] == "row,code,reason"
    assert lines[1] == "3,policy.unsubscribed,The person has unsubscribed."
    assert len(lines) == 7
    assert client.get("lists")["items"][0]["rows"] == 0


def test_without_a_program_nothing_is_said_of_consent(
    client: Client, number: int, text: Callable[..., str]
) -> None:
    """Only of numbers, of the suppression list, and of people nobody knows."""
    text("JOIN", "YES", "STOP")
    made = send(client, f"lists/{number}/file", f"{ANNA}\n{BEN}\n")
    assert (made["clear"], made["counts"]) == (1, {"policy.never_agreed": 1})


def test_the_same_file_with_the_same_key_counts_once(client: Client, number: int) -> None:
    """A repeat gets the first answer again; another file needs another key."""
    key: dict[str, Any] = {"headers": {"Idempotency-Key": "vip-1"}}
    first = send(client, f"lists/{number}/file", f"{ANNA}\n", **key)
    assert send(client, f"lists/{number}/file", f"{ANNA}\n", **key) == first
    assert client.get("lists")["items"][0]["rows"] == 1
    send(client, f"lists/{number}/file", f"{BEN}\n", 422, **key)
    send(client, f"lists/{number}/file?country=FR", f"{ANNA}\n", 422, **key)


@pytest.mark.parametrize(
    ("path", "data", "status"),
    [
        pytest.param("lists/{}/file", b"PK\x03\x04", 422, id="a spreadsheet"),
        pytest.param("lists/{}/file", b"name,city\nAnna,Rome\n", 422, id="no column of numbers"),
        pytest.param("lists/{}/file", b"", 422, id="nothing"),
        pytest.param("lists/{}/file?program=none", b"1\n", 422, id="no such program"),
        pytest.param("lists/{}/file?country=us", b"1\n", 422, id="no country"),
        pytest.param("lists/77/file", b"1\n", 404, id="no such list"),
    ],
)
def test_what_cannot_be_read_is_refused(
    client: Client, number: int, path: str, data: bytes, status: int
) -> None:
    """With a sentence, and nothing is added."""
    send(client, path.format(number), data, status)
    assert client.get("lists")["items"][0]["rows"] == 0


def test_a_file_has_an_end(client: Client, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """More rows than a call may take are refused as a whole."""
    monkeypatch.setattr("bot.api.list_files.MOST_ROWS", 2)
    problem = send(client, f"lists/{number}/file", f"{ANNA}\n{BEN}\n{CARL}\n", 422)
    assert fields(problem) == {""}


def test_only_who_makes_campaigns_may_put_files(database: Database, client: Client) -> None:
    """A key for reports may not."""
    reader = Client(client.app, make_key(database, Scope.READ))
    send(reader, "lists/check", f"{ANNA}\n", 403)
