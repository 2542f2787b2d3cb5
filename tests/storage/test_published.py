"""The directory of checkpoints: whole files, once, never another history."""

from __future__ import annotations

import stat
import threading
from pathlib import Path
from uuid import uuid4

import pytest

from keywords.checkpoint import Checkpoint, open_note, origin_of
from storage.published import AnotherHistory, file_name, newest_size, publish, published
from storage.settings import SettingsError
from storage.signing import KEY_NAME, LedgerKey, known_key


def test_a_checkpoint_is_one_file_named_after_its_size(tmp_path: Path) -> None:
    """Names sort by size, and the newest is found again."""
    folder = tmp_path / "checkpoints"
    for size in (5, 40, 1_000_000_000_000_000):
        assert publish(folder, size, f"note {size} —\n")

    assert [each.note for each in published(folder)] == [
        f"note {size} —\n" for size in (5, 40, 1_000_000_000_000_000)
    ]
    assert newest_size(folder) == 1_000_000_000_000_000
    assert (folder / file_name(5)).read_text(encoding="utf-8") == "note 5 —\n"


def test_a_published_checkpoint_is_never_overwritten(tmp_path: Path) -> None:
    """The same again is fine; another text of that size is another history."""
    publish(tmp_path, 5, "one\n")

    assert not publish(tmp_path, 5, "one\n")
    with pytest.raises(AnotherHistory):
        publish(tmp_path, 5, "two\n")
    assert [each.note for each in published(tmp_path)] == ["one\n"]
    assert len(list(tmp_path.iterdir())) == 1


def test_of_many_at_once_one_writes(tmp_path: Path) -> None:
    """Two processes that publish the same checkpoint leave one whole file."""
    wrote: list[bool] = []
    threads = [
        threading.Thread(target=lambda: wrote.append(publish(tmp_path, 7, "note\n")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(wrote) == [False] * 7 + [True]
    assert [each.note for each in published(tmp_path)] == ["note\n"]


def test_what_is_no_checkpoint_is_shown_and_not_counted(tmp_path: Path) -> None:
    """A stray file is reported by the verification, and does not stop publishing."""
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / ".000000000009.checkpoint.abc").write_text("draft")
    (tmp_path / "000000000003.checkpoint").write_bytes(b"\xff\xfe")

    assert newest_size(tmp_path) == 3
    assert newest_size(tmp_path / "missing") == 0
    assert [each.file.name for each in published(tmp_path)] == [
        "000000000003.checkpoint",
        "notes.txt",
    ]


def test_the_key_is_made_once_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    """A restart signs with the same key."""
    log, other = uuid4(), uuid4()
    checkpoint = Checkpoint(origin_of(log), 0, bytes(32))
    assert known_key(tmp_path, log) is None

    note, text = LedgerKey(tmp_path).sign(checkpoint)
    key = LedgerKey(tmp_path).verifier_key(log)

    assert text == str(key) == str(known_key(tmp_path, log))
    assert open_note(note, [key]) == checkpoint
    assert key.id != LedgerKey(tmp_path).verifier_key(other).id
    file = tmp_path / "secrets" / KEY_NAME
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["not base64!", "AAAA"], ids=["other", "short"])
def test_a_damaged_key_is_named(tmp_path: Path, text: str) -> None:
    """It is never replaced silently: verifiers would not know the new one."""
    LedgerKey(tmp_path)
    file = tmp_path / "secrets" / KEY_NAME
    file.write_text(text)

    with pytest.raises(SettingsError, match="not a signing key"):
        LedgerKey(tmp_path)
    assert file.read_text() == text
