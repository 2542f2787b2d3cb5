"""Imports by the API: said what it is, the file, a worker that carries it out, the report."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from bot.api import imports
from storage.database import Connection, connect
from storage.keys import Scope
from storage.settings import Settings
from tests.bot.api.conftest import Client, Database, fields, make_app, make_key
from worker.importing.foreman import Foreman, file_of

FILE = (
    b"Mobile,Opt-in date,Source,Consent text\n"
    b"4155550101,2025-03-04,Fair,Yes to deals\n"
    b"4155550102,3/4/2025,Fair,Yes to deals\n"
    b"4155550103,,,\n"
    b"4155550101,2025-03-04,Fair,Yes to deals\n"
)
PATIENCE_S = 30.0


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A look into the database."""
    with connect(database_url, "test") as made:
        yield made


@pytest.fixture
def work(
    settings: Settings, database: Database, database_url: str, connection: Connection
) -> Iterator[Callable[[], None]]:
    """Let a worker of this home carry out what there is."""
    foreman = Foreman(replace(settings, home=database.home, database_url=database_url))

    def until_done() -> None:
        deadline = time.monotonic() + PATIENCE_S
        while foreman.look(connection):
            assert time.monotonic() < deadline
            time.sleep(0.05)

    yield until_done
    foreman.close()


def put(client: Client, number: int, data: bytes, status: int = 200, **over: Any) -> Any:
    """Send the file of an import; the JSON of the answer."""
    sent = {"content_type": "text/csv"} | over
    return client._json(client.send("PUT", f"imports/{number}/file", data=data, **sent), status)


def begun(client: Client, **said: Any) -> int:
    """A new import; its number."""
    return int(client.post("imports", {"program": "deals"} | said, 201)["id"])


def test_a_list_is_brought_in_by_a_worker(
    client: Client, work: Callable[[], None], database: Database
) -> None:
    """From the first POST to the report, with the acts in the audit log."""
    number = begun(client, file_name="fair.csv")
    assert client.get(f"imports/{number}")["state"] == "waiting"

    sent = put(client, number, FILE)
    assert (sent["state"], sent["file_bytes"]) == ("queued", len(FILE))
    assert {column["heading"]: column["role"] for column in sent["columns"]} == {
        "Mobile": "phone",
        "Opt-in date": "date",
        "Source": "source",
        "Consent text": "disclosure",
    }
    work()

    done = client.get(f"imports/{number}")
    assert (done["state"], done["rows"], done["share_read"]) == ("finished", 4, 1.0)
    assert (done["asked"], done["held"], done["refused"]) == (1, 1, 2)
    assert done["codes"] == {"date_ambiguous": 1, "duplicate": 1, "source_missing": 1}
    report = client.send("GET", f"imports/{number}/report")
    assert report.content_type.startswith("text/csv")
    rows = list(csv.DictReader(report.get_data(as_text=True).splitlines()))
    assert [(row["row"], row["code"]) for row in rows] == [
        ("3", "date_ambiguous"),
        ("4", "source_missing"),
        ("5", "duplicate"),
    ]
    state = client.get("subscribers/+14155550101")["subscriptions"][0]["state"]
    assert state == "pending"
    entry = client.get("subscribers/+14155550103/consent")["items"][0]
    assert (entry["change"], entry["actor"]) == ("import_asserted", "key:boss")
    acts = [a["act"] for a in client.get("audit")["items"] if a["subject"] == f"import:{number}"]
    assert acts == ["import.finished", "import.started", "import.file", "import.created"]
    assert not file_of(database.home, number).exists()


def test_a_dry_run_tells_and_writes_nothing_about_anybody(
    client: Client, work: Callable[[], None], connection: Connection
) -> None:
    """Its own record is all that it leaves."""
    number = begun(client, dry_run=True)
    put(client, number, FILE)
    work()

    done = client.get(f"imports/{number}")
    assert (done["state"], done["asked"], done["held"], done["refused"]) == ("finished", 1, 1, 2)
    assert "duplicate" in client.send("GET", f"imports/{number}/report").get_data(as_text=True)
    for table in ("subscribers", "consent_events", "disclosures", "waiting_questions"):
        rows = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
        assert rows == [(0,)], table


def test_the_same_file_is_refused_the_second_time(client: Client, work: Callable[[], None]) -> None:
    """Unless it is said to be meant; a trial may come as often as anybody likes."""
    put(client, begun(client), FILE)
    work()

    put(client, begun(client), FILE, 409)
    put(client, begun(client, dry_run=True), FILE)
    put(client, begun(client, again=True), FILE)
    work()
    newest = client.get("imports")["items"][0]
    assert newest["codes"]["asked_already"] == 2


def test_an_import_whose_worker_died_is_taken_up(
    client: Client, work: Callable[[], None], connection: Connection
) -> None:
    """By the next one that sees it silent; nobody is entered twice."""
    number = begun(client)
    put(client, number, FILE)
    connection.execute("UPDATE imports SET state = 'running', started_at = assent_now()")
    work()
    assert client.get(f"imports/{number}")["state"] == "running"

    connection.execute("UPDATE import_parts SET touched_at = touched_at - interval '31 seconds'")
    work()
    assert client.get(f"imports/{number}")["state"] == "finished"


def test_a_worker_without_the_file_leaves_it_to_one_that_has_it(
    client: Client, work: Callable[[], None], database: Database
) -> None:
    """Machines that share a database need not share their disks."""
    number = begun(client)
    put(client, number, FILE)
    path = file_of(database.home, number)
    elsewhere = path.rename(path.with_suffix(".elsewhere"))
    work()
    assert client.get(f"imports/{number}")["state"] == "queued"

    elsewhere.rename(path)
    work()
    assert client.get(f"imports/{number}")["state"] == "finished"


def test_an_import_can_be_canceled_until_it_is_over(
    client: Client, work: Callable[[], None], database: Database
) -> None:
    """Then its file is cleared away too."""
    number = begun(client)
    put(client, number, FILE)
    assert client.post(f"imports/{number}/cancel", {})["state"] == "canceled"
    client.post(f"imports/{number}/cancel", {}, 409)
    work()

    assert client.get(f"imports/{number}")["rows"] == 0
    assert not file_of(database.home, number).exists()


@pytest.mark.parametrize(
    ("said", "field"),
    [
        pytest.param({"program": "shoes"}, "program", id="unknown program"),
        pytest.param({"country": "Atlantis"}, "country", id="country"),
        pytest.param({"columns": {"shoe": ["X"]}}, "json_data", id="role"),
        pytest.param({"oldest_years": 50}, "oldest_years", id="years"),
        pytest.param({"color": "red"}, "color", id="extra"),
    ],
)
def test_what_is_wrong_is_said_before_the_file_is_sent(
    client: Client, said: dict[str, Any], field: str
) -> None:
    """422 names the field."""
    problem = client.post("imports", {"program": "deals"} | said, 422)

    assert field == "json_data" or any(name.startswith(field) for name in fields(problem))


@pytest.mark.parametrize(
    ("said", "data", "field"),
    [
        pytest.param({"program": None}, FILE, "program", id="no program"),
        pytest.param({}, b"PK\x03\x04", "file", id="spreadsheet"),
        pytest.param({}, b"a,b\n1,2\n", "columns", id="no phone"),
        pytest.param({"columns": {"phone": ["X"]}}, FILE, "columns", id="heading"),
        pytest.param({"date": "2099-01-01"}, FILE, "date", id="future"),
        pytest.param({}, b"", "", id="empty"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_at_once(
    client: Client, database: Database, said: dict[str, Any], data: bytes, field: str
) -> None:
    """422 names what is wrong, and nothing of it stays on the disk."""
    number = begun(client, **said)

    assert fields(put(client, number, data, 422)) == {field}
    assert client.get(f"imports/{number}")["state"] == "waiting"
    assert list((database.home / "imports").iterdir()) == []


def test_a_file_must_come_as_one_and_once(
    client: Client, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not as JSON or a form, not larger than the limit, not a second time."""
    number = begun(client)
    put(client, number, b"{}", 415, content_type="application/json")
    small = [
        (replace(operation, upload=8) if operation.upload else operation, view)
        for operation, view in imports.OPERATIONS
    ]
    monkeypatch.setattr(imports, "OPERATIONS", tuple(small))
    limited = Client(make_app(database), client.key)
    put(limited, number, b"too many bytes", 413)
    put(client, number, FILE)
    put(client, number, FILE, 409)
    client.get("imports/999999", 404)
    client.get("imports/x", 404)
    put(client, 999999, FILE, 404)


def test_a_key_needs_the_scope_of_imports(database: Database, client: Client) -> None:
    """Reading is not enough to bring people in."""
    reader = Client(client.app, make_key(database, Scope.READ))
    reader.get("imports")
    reader.post("imports", {"program": "deals"}, 403)
    Client(client.app, make_key(database, Scope.IMPORT)).post("imports", {"program": "deals"}, 201)


def test_uploads_that_were_given_up_are_cleared_away(
    client: Client,
    database: Database,
    database_url: str,
    connection: Connection,
    settings: Settings,
) -> None:
    """A day later; what is being written at this moment stays, and so does what is waited for."""
    folder = database.home / "imports"
    folder.mkdir(parents=True)
    old, new = folder / ".old", folder / ".new"
    for path in (old, new, folder / "4711.csv"):
        path.write_bytes(b"x")
    long_ago = time.time() - 25 * 3600
    os.utime(old, (long_ago, long_ago))
    number = begun(client)
    connection.execute("UPDATE imports SET created_at = created_at - interval '25 hours'")

    foreman = Foreman(replace(settings, home=database.home, database_url=database_url))
    foreman.look(connection)
    foreman.close()

    assert [path.name for path in folder.iterdir()] == [".new"]
    assert client.get(f"imports/{number}")["state"] == "canceled"
