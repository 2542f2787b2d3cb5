"""A list brings somebody in, they are erased, and no later list brings them back."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from bot.commands.imports import import_
from bot.commands.ledger import ledger
from bot.commands.rights import erase
from bot.demo import load_if_empty
from storage.database import connect
from tests.storage.canaries import dump

PHONE = "+14155552671"
LIST = (
    "Mobile;First Name;Opt-in date;Source;Consent text\n"
    "(415) 555-2671;Zebulon;2026-03-04;Summer fair;Yes to deals\n"
    "+1 212 555 0124;Ben;2026-03-04;Summer fair;Yes to deals\n"
)


def test_an_erased_number_is_refused_by_every_later_import(
    database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a reason in the report; neither database nor home hold the number afterwards."""
    load_if_empty(database_url)
    home = tmp_path / "home"
    monkeypatch.setenv("DATABASE_URL", database_url)
    monkeypatch.setenv("ASSENT_HOME", str(home))
    file = tmp_path / "people.csv"
    file.write_text(LIST)

    def told(*arguments: str) -> dict[str, int]:
        result = CliRunner().invoke(
            import_, [str(file), "--program", "deals", "--json", *arguments]
        )
        return dict(json.loads(result.stdout))

    first = told()
    erased = CliRunner().invoke(erase, [PHONE, "--reason", "a letter"])
    again = told("--again")

    assert (first["asked"], erased.exit_code) == (2, 0)
    assert again["asked"] == 0
    with connect(database_url, "test") as connection:
        whole = "\n".join(dump(connection).values())
        rows = connection.execute("SELECT code FROM import_findings").fetchall()
    assert "5552671" not in whole
    assert "Zebulon" not in whole
    assert ("suppressed",) in rows
    files = [path for path in home.rglob("*") if path.is_file()]
    assert not [path for path in files if b"5552671" in path.read_bytes()]
    assert CliRunner().invoke(ledger, ["verify"]).exit_code == 0
