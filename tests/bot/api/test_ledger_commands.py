"""``assent ledger checkpoint`` and ``prove``, and what the API tells of sealing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from bot.commands import ledger_sealing, main
from bot.commands.ledger import ledger
from keywords.checkpoint import open_note, read, read_key
from keywords.merkle import verify_inclusion
from storage.database import connect
from storage.published import folder_of, published
from storage.transaction import atomic
from tests.bot.api.conftest import ANNA, Client
from tests.bot.api.test_commands import Run, run
from tests.worker.test_main import wait_for

__all__ = ["run"]
BEN = "+14155550124"


@pytest.fixture
def checkpoint(run: Run) -> Callable[[int], str]:
    """Seal until a checkpoint has a size; transactions of other tests may have to end first."""

    def seal(size: int) -> str:
        notes: list[str] = []

        def sealed() -> bool:
            notes.append(CliRunner().invoke(ledger, ["checkpoint"]).stdout)
            return notes[-1].split("\n")[1:2] == [str(size)]

        assert wait_for(sealed)
        return notes[-1]

    return seal


def test_a_checkpoint_is_printed_signed_and_published(
    run: Run, text: Callable[..., str], checkpoint: Callable[[int], str], tmp_path: Path
) -> None:
    """The same note on the screen and in the directory, under the key that is printed."""
    text("JOIN", "YES")

    note = checkpoint(2)
    key = read_key(run(ledger, "checkpoint", "--verifier-key").stdout)

    assert open_note(note, [key]).size == 2
    assert [each.note for each in published(folder_of(tmp_path / "home"))] == [note]
    assert checkpoint(2) == note, "nothing new, so the same again"


def test_an_empty_ledger_has_no_checkpoint(run: Run) -> None:
    """The answer is no."""
    assert "no sealed entries yet" in run(ledger, "checkpoint", code=1).stderr


def test_what_cannot_be_sealed_yet_is_counted(
    run: Run, text: Callable[..., str], database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that is still running holds it up; the command does not wait for long."""
    monkeypatch.setattr(ledger_sealing, "_PATIENCE_S", 0.2)
    with connect(database_url, "long") as other, atomic(other):
        other.execute("SELECT pg_current_xact_id()")
        text("JOIN")

        result = run(ledger, "checkpoint", code=1)

    assert "Not sealed yet: 1" in result.stderr
    assert result.stdout == ""


def test_a_ledger_behind_what_was_published_is_not_sealed(
    run: Run, text: Callable[..., str], checkpoint: Callable[[int], str], tmp_path: Path
) -> None:
    """Exit code 2 and a sentence that leads to the runbook."""
    text("JOIN")
    note = checkpoint(1)
    (folder_of(tmp_path / "home") / "000000000009.checkpoint").write_text(note)

    assert "restored from a backup" in run(main, "ledger", "checkpoint", code=2).stderr


def test_a_persons_entries_are_proven_to_a_stranger(
    run: Run, text: Callable[..., str], checkpoint: Callable[[int], str], tmp_path: Path
) -> None:
    """With nothing but SHA-256, base64 and the public key: none of our code but the signature's."""
    text("JOIN", phone=BEN)
    text("JOIN", "YES", "STOP")
    checkpoint(4)
    file = tmp_path / "proof.json"

    shown = json.loads(run(ledger, "prove", ANNA).stdout)
    run(ledger, "prove", ANNA, "--output", str(file))

    assert json.loads(file.read_text()) == shown
    assert [json.loads(e["envelope"])["change"] for e in shown["entries"]] == [
        "optin_requested",
        "optin_confirmed",
        "optout",
    ]
    opened = open_note(shown["checkpoint"], [read_key(shown["verifier_key"])])
    for entry in shown["entries"]:
        chained = b"\x01" + bytes.fromhex(entry["prev"]) + entry["envelope"].encode("ascii")
        assert hashlib.sha256(chained).hexdigest() == entry["hash"]
        leaf = hashlib.sha256(b"\x00" + bytes.fromhex(entry["hash"])).digest()
        assert leaf.hex() == entry["leaf_hash"]
        path = [bytes.fromhex(part) for part in entry["path"]]
        verify_inclusion(leaf, entry["leaf"], opened.size, path, opened.root)


def test_one_entry_is_proven_by_its_event(
    run: Run, text: Callable[..., str], checkpoint: Callable[[int], str], database_url: str
) -> None:
    """As the API and the reports name it."""
    text("JOIN", "YES")
    checkpoint(2)
    with connect(database_url, "test") as connection:
        ((event,),) = connection.execute("SELECT event FROM consent_events WHERE n = 2").fetchall()

    (entry,) = json.loads(run(ledger, "prove", str(event)).stdout)["entries"]

    assert (entry["event"], entry["n"]) == (str(event), 2)


def test_what_is_not_sealed_yet_is_not_proven(
    run: Run, text: Callable[..., str], checkpoint: Callable[[int], str]
) -> None:
    """The answer is no, with what there is."""
    text("JOIN")
    checkpoint(1)
    text("YES")

    result = run(ledger, "prove", ANNA, code=1)
    shown: Any = json.loads(result.stdout)

    assert "Not sealed yet: 1" in result.stderr
    assert (len(shown["entries"]), len(shown["unsealed"])) == (1, 1)


@pytest.mark.parametrize(
    ("which", "code"),
    [(BEN, 1), ("00000000-0000-0000-0000-000000000000", 1), ("somebody", 2)],
    ids=["number", "event", "other"],
)
def test_what_is_unknown_is_not_proven(run: Run, which: str, code: int) -> None:
    """1 for what is not there, 2 for what is neither."""
    run(ledger, "prove", which, code=code)


def test_the_api_tells_how_far_the_ledger_is_sealed(
    client: Client, text: Callable[..., str], checkpoint: Callable[[int], str]
) -> None:
    """Size and root of the newest checkpoint, and what waits since when."""
    text("JOIN")
    before = client.get("ledger")
    note = checkpoint(1)
    text("YES")
    after = client.get("ledger")

    assert (before["size"], before["root"], before["unsealed"]) == (0, None, 1)
    assert (after["size"], after["unsealed"], after["entries"]) == (1, 1, 2)
    assert bytes.fromhex(after["root"]) == read(note).root
    assert 0 <= after["oldest_unsealed_s"] < 60
