"""``assent erase`` and ``assent hold``, as somebody at a shell uses them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from apiflask import APIFlask

from bot.commands.ledger import ledger
from bot.commands.rights import erase, hold
from storage.database import connect
from storage.keys import Scope
from tests.bot.api.conftest import ANNA, Client, Database, make_key
from tests.bot.api.test_commands import Run, run
from tests.storage.canaries import dump

__all__ = ["run"]
Texts = Callable[..., str]


def test_an_erasure_at_the_shell(
    run: Run, text: Texts, client: Client, database_url: str, tmp_path: Path
) -> None:
    """A receipt for the person, nothing left in database and home, and a ledger that verifies."""
    text("JOIN", "YES")
    imported = tmp_path / "home" / "imports" / "list.csv"
    imported.parent.mkdir(parents=True)
    imported.write_text("phone\n(415) 555-0123\n")
    receipt = tmp_path / "receipt.json"

    said = run(erase, "(415) 555-0123", "--reason", "a letter", code=2).output
    assert "country code" in said, "a number needs its country"
    said = run(erase, ANNA, "--reason", "a letter", "--receipt", str(receipt)).stdout

    assert said.startswith("Erased: ")
    assert json.loads(receipt.read_text())["statement"]["ground"] == "request"
    assert imported.read_text() == "phone\n\n"
    client.get(f"subscribers/{ANNA}", 404)
    with connect(database_url, "test") as connection:
        assert not any("4155550123" in table for table in dump(connection).values())
    assert "Everything holds" in run(ledger, "verify").stdout
    assert "Nothing is held" in run(erase, ANNA, "--reason", "again").stdout


def test_a_hold_forbids_it_until_it_is_lifted(
    run: Run, text: Texts, client: Client, app: APIFlask, database: Database
) -> None:
    """The person is restricted: exit code 1, and reading takes a scope of its own."""
    text("JOIN", "YES")
    run(hold, "set", ANNA, "--reason", "Doe v. Acme", "--until", "2099-12-31")

    answer = json.loads(run(erase, ANNA, "--reason", "a letter", "--json", code=1).stdout)

    assert answer["outcome"] == "restricted"
    assert answer["held_until"].startswith("2099-12-31T23:59:59")
    reader = Client(app, make_key(database, Scope.READ, name="reader"))
    reader.get(f"subscribers/{ANNA}", 403)
    reader.get(f"subscribers/{ANNA}/messages", 403)
    client.get(f"subscribers/{ANNA}")
    assert run(hold, "lift", ANNA, "--reason", "settled").stdout == "Lifted: 1.\n"
    run(hold, "lift", ANNA, "--reason", "settled", code=1)
    assert run(erase, ANNA, "--reason", "a letter").stdout.startswith("Erased")


def test_a_number_never_seen_cannot_be_held(run: Run) -> None:
    """The answer is no."""
    run(hold, "set", ANNA, "--reason", "x", code=1)
    run(hold, "lift", ANNA, "--reason", "x", code=1)
