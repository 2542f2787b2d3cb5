"""``assent key``, ``program``, ``sender`` and ``ledger verify``, as scripts use them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from click.testing import CliRunner, Result

from bot.commands.catalogue import program, sender
from bot.commands.keys import key
from bot.commands.ledger import ledger
from storage.database import connect
from storage.keys import Scope
from tests.bot.api.conftest import Client, Database, make_key
from tests.bot.api.test_catalogue import SNEAKERS

Run = Callable[..., Result]


@pytest.fixture
def run(
    database: Database, database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Run:
    """Run a command against the test's database; the exit code is checked."""
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ASSENT_HOME", str(tmp_path / "home"))

    def invoke(command: Any, *arguments: str, code: int = 0, **over: Any) -> Result:
        result = CliRunner().invoke(command, arguments, **over)
        assert result.exit_code == code, result.output
        return result

    return invoke


def test_a_key_is_alone_on_the_last_line_and_opens_the_api(run: Run, app: APIFlask) -> None:
    """``KEY=$(assent key create … | tail -n 1)`` works."""
    result = run(key, "create", "--name", "till", "--scope", "read", "--scope", "inbox")

    token = result.stdout.splitlines()[-1]
    client = Client(app, token)
    client.get("programs")
    client.get("inbox")
    client.get("audit", 403)


def test_a_list_of_scopes_with_commas_is_understood(run: Run, app: APIFlask) -> None:
    """One option is enough."""
    token = run(key, "create", "--name", "x", "--scope", "read,write").stdout.splitlines()[-1]

    Client(app, token).post("senders", {}, 422)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--name", "x", "--scope", "everything"],
        ["--name", "x"],
        ["--scope", "read"],
        ["--name", " ", "--scope", "read"],
        ["--name", "x\n", "--scope", "read"],
        ["--name", "x", "--scope", "read", "--expires", "0"],
    ],
    ids=["scope", "no-scope", "no-name", "blank", "newline", "expired"],
)
def test_a_key_that_cannot_be_made_is_a_usage_error(run: Run, arguments: list[str]) -> None:
    """Exit code 2, and no key."""
    run(key, "create", *arguments, code=2)

    assert json.loads(run(key, "list", "--json").stdout) == []


def test_a_key_is_listed_and_revoked(run: Run, app: APIFlask, database: Database) -> None:
    """By its prefix; a second time the answer is no."""
    token = run(
        key, "create", "--name", "till", "--scope", "admin", "--expires", "30"
    ).stdout.splitlines()[-1]
    client = Client(app, token)
    client.get("ledger")

    (shown,) = json.loads(run(key, "list", "--json").stdout)
    assert (shown["name"], shown["prefix"], shown["state"]) == ("till", token[:10], "live")
    assert shown["expires_at"]
    assert token not in run(key, "list").stdout

    run(key, "revoke", token[:10])
    client.get("ledger", 401)
    run(key, "revoke", token[:10], code=1)
    assert "revoked" in run(key, "list").stdout
    acts = Client(app, make_key(database, Scope.ADMIN)).get("audit")["items"]
    assert [act["act"] for act in acts] == ["key.revoked", "key.created"]
    assert acts[0]["actor"].startswith("shell:")


@pytest.mark.parametrize("form", ["json", "toml"])
def test_a_program_is_saved_from_a_file(run: Run, tmp_path: Path, form: str) -> None:
    """JSON as ``show`` prints it, or TOML; the same file again publishes nothing."""
    words = json.dumps(SNEAKERS) if form == "json" else _toml(SNEAKERS)
    file = tmp_path / f"sneakers.{form}"
    file.write_text(words)

    assert "version 1" in run(program, "save", str(file)).stdout
    assert "version 1" in run(program, "save", "-", input=words).stdout

    shown = json.loads(run(program, "show", "sneakers").stdout)
    assert {name: shown[name] for name in SNEAKERS} == SNEAKERS
    assert "version 1" in run(program, "save", "-", input=json.dumps(shown)).stdout
    assert "sneakers" in run(program, "list").stdout
    assert len(json.loads(run(program, "list", "--json").stdout)) == 4


def _toml(values: dict[str, Any]) -> str:
    frequency = values["frequency"]
    lines = [f"{k} = {json.dumps(v)}" for k, v in values.items() if k != "frequency"]
    return "\n".join(
        [*lines, "[frequency]", *(f"{k} = {json.dumps(v)}" for k, v in frequency.items())]
    )


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (json.dumps(SNEAKERS | {"keywords": ["STOP"]}), 1, "keywords.0: STOP already means stop"),
        (json.dumps(SNEAKERS | {"color": "red"}), 1, "color: Extra inputs"),
        (json.dumps(SNEAKERS | {"sender": "99999"}), 1, "sender: There is no sender"),
        ("{", 2, "neither JSON nor TOML"),
        ("a = ", 2, "neither JSON nor TOML"),
    ],
    ids=["reserved", "extra", "sender", "json", "toml"],
)
def test_a_program_that_breaks_a_rule_is_not_saved(
    run: Run, words: str, code: int, said: str
) -> None:
    """1 names the fields, 2 says that the file could not be read."""
    result = run(program, "save", "-", input=words, code=code)

    assert said in result.stderr
    run(program, "show", "sneakers", code=1)


def test_a_sender_is_saved(run: Run) -> None:
    """Listed afterwards; a rule that is broken is named."""
    given = ["--number", "22222", "--name", "Acme two", "--kind", "short_code"]

    run(sender, "save", *given)
    refused = run(sender, "save", *given[:-1], "long_code", code=1)

    assert "kind: A short code has 3 to 8 digits" in refused.stderr
    assert "22222" in run(sender, "list").stdout
    shown = json.loads(run(sender, "list", "--json").stdout)
    assert [s["name"] for s in shown] == ["Acme two", "Acme Outfitters"]


def test_the_ledger_is_verified(run: Run, text: Callable[..., str], database_url: str) -> None:
    """0 when everything holds; 1 and the name of each fault when not."""
    text("JOIN", "YES")
    assert "Everything holds: 2 entries of 1 people." in run(ledger, "verify").stdout
    assert json.loads(run(ledger, "verify", "--json").stdout) == {
        "ok": True,
        "people": 1,
        "entries": 2,
        "faults": [],
    }
    with connect(database_url, "test", role=None) as owner:
        owner.execute("UPDATE subscriptions SET state = 'unsubscribed'")
        ((ref,),) = owner.execute("SELECT ref FROM subscribers").fetchall()

    said = run(ledger, "verify", code=1).stdout
    report = json.loads(run(ledger, "verify", "--json", code=1).stdout)

    assert f"{ref} entry 2: deals: state is unsubscribed" in said
    assert (report["ok"], report["faults"][0]["n"]) == (False, 2)
