"""``assent suppression`` and ``assent export`` at the shell."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands.exporting import export
from bot.commands.suppressions import suppression
from tests.bot.api.conftest import ANNA, Client
from tests.bot.api.test_commands import Run, run

__all__ = ["run"]
Texts = Callable[..., str]
MESSY = "Name;Handynummer;Note\nAda;(415) 555-0123;x\nBo;+33 6 12 34 56 78;\n;12;\n\n"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "cp1252"])
def test_a_list_of_any_shape_is_taken_in(
    run: Run, text: Texts, client: Client, tmp_path: Path, encoding: str
) -> None:
    """The column is found, rows without a number are named, and subscribers are opted out."""
    text("JOIN", "YES")
    file = tmp_path / "stop.csv"
    file.write_bytes(MESSY.encode(encoding))

    result = run(suppression, "import", str(file), "--json", code=1)

    counts = json.loads(result.stdout)
    assert counts == {"rows": 3, "added": 2, "opted_out": 1, "refused": 1}
    assert "row 3: phone_too_short" in result.stderr
    assert client.get(f"subscribers/{ANNA}")["subscriptions"][0]["state"] == "unsubscribed"
    assert client.get("audit")["items"][0]["detail"] == counts


@pytest.mark.parametrize(
    "content", ["4155550123\n", "phone\n4155550123\n", "Ada,415-555-0123\nBo,212-555-0199\n"]
)
def test_the_column_of_numbers_is_found_without_a_heading_too(
    run: Run, tmp_path: Path, content: str
) -> None:
    """One column, or one in which the first cell is a number."""
    file = tmp_path / "stop.txt"
    file.write_text(content)

    assert "0 rows had no number" in run(suppression, "import", str(file)).stdout


@pytest.mark.parametrize(
    "content", ["", "PK\x03\x04", "a,b\n1,2\n", "4155550123,4155550124\n"], ids=range(4)
)
def test_a_file_without_a_column_of_numbers_is_refused(
    run: Run, tmp_path: Path, content: str
) -> None:
    """Nothing is guessed."""
    file = tmp_path / "list.csv"
    file.write_text(content)

    run(suppression, "import", str(file), code=2)


def test_the_list_is_given_out_as_hashes_or_asked_about(run: Run, tmp_path: Path) -> None:
    """Hashes with dates and reasons; or which numbers of a file are on the list."""
    file = tmp_path / "stop.csv"
    file.write_text("phone\n4155550123\n")
    run(suppression, "import", str(file))
    out = tmp_path / "out.csv"

    run(suppression, "export", "--out", str(out))
    ours = list(csv.DictReader(io.StringIO(out.read_text())))
    file.write_text("phone\n4155550124\n4155550123\n")
    run(suppression, "export", "--numbers", str(file), "--out", str(out))
    (known,) = csv.DictReader(io.StringIO(out.read_text()))

    assert [row["reason"] for row in ours] == ["imported"]
    assert ours[0]["source"] == "file:stop.csv"
    assert (known["phone"], known["digest"]) == (ANNA, ours[0]["digest"])


def test_a_person_is_exported_to_a_file_of_ones_own(run: Run, text: Texts, tmp_path: Path) -> None:
    """JSON, or a zip with a table for each section; nobody else may read either."""
    text("JOIN", "YES", "=1+1")
    out = tmp_path / "ada.zip"

    said = run(export, ANNA, "--out", str(out), "--reason", "asked by letter").stdout

    assert said.startswith("Written: ")
    assert out.stat().st_mode & 0o777 == 0o600
    with zipfile.ZipFile(out) as archive:
        whole = json.loads(archive.read("person.json"))
        rows = list(
            csv.DictReader(io.StringIO(archive.read("inbound_texts.csv").decode("utf-8-sig")))
        )
    assert whole["phone"] == ANNA
    assert [row["body"] for row in rows] == ["JOIN", "YES", "'=1+1"]
    assert rows[0]["address"] == ANNA, "a number is no formula"
    document = tmp_path / "ada.json"
    run(export, ANNA, "--out", str(document), "--reason", "x")
    assert json.loads(document.read_text())["ref"] == whole["ref"]
    run(export, "+14155550124", "--out", str(document), "--reason", "x", code=1)
    run(export, ANNA, "--out", str(tmp_path / "ada.doc"), "--reason", "x", code=2)
