"""Evidence and receipts by the API and at the shell: who may have them, and that it is noted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.commands import main
from storage.database import connect
from storage.keys import Scope
from storage.sealing import waiting
from storage.settings import Settings
from tests.bot.api.conftest import ANNA, Client, Database, make_app, make_key
from tests.bot.api.test_commands import Run, run
from tests.bot.evidence.history import BEN, unpacked, verified
from tests.worker.test_main import wait_for

__all__ = ["run"]
Say = Callable[..., str]


@pytest.fixture
def lawyer(database: Database) -> Client:
    """A client with the scope that evidence takes, and no other."""
    return Client(make_app(database), make_key(database, Scope.COMPLIANCE, name="legal"))


def test_a_zip_comes_by_the_api_and_is_noted(
    lawyer: Client, client: Client, text: Say, tmp_path: Path
) -> None:
    """With the reason in it; nothing about the person in the audit log or the file's name."""
    text("JOIN", "YES")

    answer = lawyer.send("GET", f"subscribers/{ANNA}/evidence?reason=subpoena%2012/26")

    assert answer.status_code == 200
    assert answer.content_type == "application/zip"
    assert ANNA[1:] not in answer.headers["Content-Disposition"]
    told = json.loads(unpacked(answer.get_data())["evidence.json"])
    assert told["made"]["reason"] == "subpoena 12/26"
    assert told["made"]["by"] == "key:legal"
    (act,) = [a for a in client.get("audit")["items"] if a["act"] == "evidence.exported"]
    assert act["detail"]["reason"] == "subpoena 12/26"
    assert ANNA not in json.dumps(act)
    said = verified(answer.get_data(), tmp_path).said
    assert "2 ledger entries, each whole and after the one before it" in said


def test_without_a_reason_there_is_none(lawyer: Client, text: Say) -> None:
    """And none for somebody who was never seen."""
    text("JOIN")

    lawyer.get(f"subscribers/{ANNA}/evidence", 422)
    lawyer.get(f"subscribers/{BEN}/evidence?reason=x", 404)


def test_a_receipt_is_short_enough_for_a_text(lawyer: Client, text: Say) -> None:
    """One text, one JSON-LD, one page; 404 before there is a consent."""
    text("JOIN")
    lawyer.get(f"subscribers/{ANNA}/receipts/deals", 404)
    text("YES")

    told = lawyer.get(f"subscribers/{ANNA}/receipts/deals")

    assert told["text"].startswith("Acme Outfitters: you agreed to Deals on ")
    assert "Reply STOP to end" in told["text"]
    assert len(told["text"]) <= 160
    assert told["text"].isascii()
    record = told["receipt"]["dpv:hasRecordOfActivity"]
    assert told["receipt"]["@type"] == "dpv:ConsentReceipt"
    assert record["dpv:hasConsentStatus"] == "dpv:ConsentGiven"
    assert [e["@type"] for e in record["dct:hasPart"]] == [
        "dpv:ConsentRequested",
        "dpv:ConsentGiven",
    ]
    (notice,) = [n for n in record["dpv:hasNotice"] if n["@type"] == "dpv:ConsentNotice"]
    words = hashlib.sha256(notice["dct:description"].encode()).hexdigest()
    assert notice["dct:identifier"] == f"sha256:{words}"
    assert notice["dct:description"] in told["html"].replace("&amp;", "&")
    assert "dpv:hasJurisdiction" in record["assent:notRecorded"]


def test_a_receipt_says_that_it_was_ended(lawyer: Client, text: Say) -> None:
    """Honest after a STOP."""
    text("JOIN", "YES", "STOP")

    told = lawyer.get(f"subscribers/{ANNA}/receipts/deals")

    assert "You have ended it since." in told["text"]
    record = told["receipt"]["dpv:hasRecordOfActivity"]
    assert record["dpv:hasConsentStatus"] == "dpv:ConsentWithdrawn"


def test_the_command_writes_a_zip_that_holds(
    run: Run, text: Say, tmp_path: Path, database_url: str
) -> None:
    """Sealed first, so that everything is proven; checked with the key that was printed before."""
    text("JOIN", phone=BEN)
    text("JOIN", "YES")
    out = tmp_path / "anna.zip"
    export = ("evidence", "export", ANNA, "--out", str(out), "--reason", "a letter")

    def proven() -> bool:
        run(main, "ledger", "checkpoint")
        with connect(database_url, "test") as connection:
            return not waiting(connection, 1).entries

    assert wait_for(proven)
    key = run(main, "ledger", "checkpoint", "--verifier-key").stdout.strip()
    run(main, *export)

    verdict = verified(out.read_bytes(), tmp_path / "x", "--key", key)
    assert verdict.code == 0, verdict.said


@pytest.mark.parametrize("form", ["text", "json", "html"])
def test_the_command_prints_a_receipt(run: Run, text: Say, form: str) -> None:
    """In each form."""
    text("JOIN", "YES")

    said = run(main, "evidence", "receipt", ANNA, "deals", "--as", form).stdout

    begins = {"text": "Acme Outfitters: you agreed", "json": "{", "html": "<!doctype html>"}
    assert said.startswith(begins[form])
    run(main, "evidence", "receipt", ANNA, "coffee", code=1)


def test_of_nobody_there_is_no_evidence(run: Run, tmp_path: Path, settings: Settings) -> None:
    """The answer is no, and no file is written."""
    out = tmp_path / "ben.zip"

    result = run(main, "evidence", "export", BEN, "--out", str(out), "--reason", "x", code=1)

    assert "Nothing is held about this number." in result.stderr
    assert not out.exists()
