"""The ticker seals what is due, publishes it, and says so when it cannot."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from keywords.checkpoint import open_note
from storage import checkpoints
from storage.database import Connection, connect
from storage.published import folder_of, published
from storage.settings import Settings
from storage.signing import KEY_NAME, known_key
from tests.storage.test_sealing import bulk
from tests.worker.scene import ANNA, Scene
from tests.worker.test_main import wait_for
from tests.worker.test_ticker import new_ticker
from worker import sealing
from worker.sealing import AGE, ENTRIES, LAG, Ahead, Sealer
from worker.ticker import Ticker

__all__ = ["new_ticker"]
OLD = AGE + timedelta(seconds=1)


@pytest.fixture
def sealer(settings: Settings) -> Sealer:
    """A process's sealer."""
    return Sealer(settings)


def seal(sealer: Sealer, connection: Connection) -> None:
    """Have what is due sealed, when the transactions of other tests let it."""
    assert wait_for(lambda: sealer.seal_due(connection) > 0)


def sizes(settings: Settings) -> list[int]:
    """The sizes that were published."""
    return [int(each.file.stem) for each in published(folder_of(settings.home))]


def test_a_lone_entry_is_sealed_before_a_minute_is_over(
    scene: Scene, sealer: Sealer, settings: Settings
) -> None:
    """Not at once, so that a checkpoint covers more than one where there are more."""
    bulk(scene.connection, 1)
    assert sealer.seal_due(scene.connection) == 0
    bulk(scene.connection, 1, age=OLD)

    seal(sealer, scene.connection)

    assert sizes(settings)[-1] in (1, 2)
    assert sealer.seal_due(scene.connection) == 0


def test_a_thousand_entries_are_sealed_at_once(
    scene: Scene, sealer: Sealer, settings: Settings
) -> None:
    """Whatever their age."""
    bulk(scene.connection, ENTRIES - 1)
    assert sealer.seal_due(scene.connection) == 0
    bulk(scene.connection, 1)

    seal(sealer, scene.connection)

    assert sizes(settings)[0] in (ENTRIES - 1, ENTRIES)


def test_what_is_published_is_what_was_signed(
    scene: Scene, sealer: Sealer, settings: Settings
) -> None:
    """The file, the row and the key of this installation agree."""
    scene.hear(ANNA, "JOIN", "YES")
    assert wait_for(lambda: sealer.seal_now(scene.connection) is not None)

    (note,) = (each.note for each in published(folder_of(settings.home)))
    sealed = checkpoints.newest(scene.connection)
    key = known_key(settings.home, checkpoints.log_id(scene.connection))

    assert sealed is not None
    assert key is not None
    assert note == sealed.note
    assert open_note(note, [key]).root == sealed.root


def test_the_ticker_seals(
    scene: Scene, settings: Settings, new_ticker: Callable[..., Ticker]
) -> None:
    """As part of its round."""
    bulk(scene.connection, 3, age=OLD)
    ticking = new_ticker()

    assert wait_for(lambda: ticking.tick() and folder_of(settings.home).exists())

    assert sizes(settings) == [3]


def test_what_a_crash_left_unpublished_is_published_the_next_time(
    scene: Scene, sealer: Sealer, settings: Settings
) -> None:
    """The commit comes first; a process that died before the file was written left a row."""
    for _ in range(3):
        bulk(scene.connection, 2, age=OLD)
        seal(sealer, scene.connection)
    for file in sorted(folder_of(settings.home).iterdir())[1:]:
        file.unlink()

    Sealer(settings).seal_now(scene.connection)

    assert sizes(settings) == [2, 4, 6]


def test_an_emptied_directory_is_filled_again(
    scene: Scene, sealer: Sealer, settings: Settings
) -> None:
    """The database holds every note."""
    bulk(scene.connection, 2, age=OLD)
    seal(sealer, scene.connection)
    shutil.rmtree(folder_of(settings.home))

    Sealer(settings).seal_now(scene.connection)

    assert sizes(settings) == [2]


def cut_back(database_url: str, size: int) -> None:
    """Take the ledger back to an earlier checkpoint, as a restored backup is."""
    with connect(database_url, "restore", role=None) as owner:
        for table in ("consent_events", "ledger_leaves", "ledger_checkpoints"):
            owner.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        owner.execute(
            "DELETE FROM consent_events e USING ledger_leaves l"
            " WHERE e.event = l.event AND l.leaf >= %s",
            (size,),
        )
        owner.execute("DELETE FROM ledger_leaves WHERE leaf >= %s", (size,))
        owner.execute("DELETE FROM ledger_checkpoints WHERE size > %s", (size,))


@pytest.mark.parametrize("restarted", [True, False])
def test_a_database_that_is_behind_what_was_published_is_not_sealed_on(
    scene: Scene,
    sealer: Sealer,
    settings: Settings,
    database_url: str,
    caplog: pytest.LogCaptureFixture,
    *,
    restarted: bool,
) -> None:
    """Two histories of one size must never both be signed; a person has to decide."""
    for _ in range(2):
        bulk(scene.connection, 2, age=OLD)
        seal(sealer, scene.connection)
    cut_back(database_url, 2)
    bulk(scene.connection, 5, age=OLD)
    if restarted:
        sealer = Sealer(settings)

    assert sealer.seal_due(scene.connection) == 0
    with pytest.raises(Ahead, match="4 entries was published, but the database holds 2"):
        sealer.seal_now(scene.connection)

    (record,) = caplog.records
    assert getattr(record, "reason", "").startswith("more checkpoints are published")
    folder_of(settings.home).rename(settings.home / "before-the-restore")
    assert wait_for(lambda: sealer.seal_due(scene.connection) == 5)
    assert sizes(settings) == [2, 7]


def test_another_history_of_a_published_size_is_not_sealed_on(
    scene: Scene, sealer: Sealer, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    """A database in which the published checkpoint stands otherwise is left alone."""
    bulk(scene.connection, 2, age=OLD)
    seal(sealer, scene.connection)
    (folder_of(settings.home) / "000000000002.checkpoint").write_text("another\n")
    bulk(scene.connection, 2, age=OLD)

    assert Sealer(settings).seal_due(scene.connection) == 0
    assert [getattr(record, "kind", "") for record in caplog.records] == ["AnotherHistory"]


def test_a_long_transaction_is_told_once_a_minute(
    scene: Scene,
    sealer: Sealer,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Sealing waits for it, and whoever is on duty hears of it after five minutes."""
    monkeypatch.setattr(sealing, "seal", lambda *_: None)
    bulk(scene.connection, 3, age=LAG + timedelta(seconds=5))

    for _ in range(3):
        sealer.seal_due(scene.connection)

    (record,) = caplog.records
    assert getattr(record, "reason", "") == "the ledger has not been sealed for minutes"
    assert getattr(record, "count", 0) == 3


@pytest.mark.parametrize("trouble", ["key", "folder", "leaf"])
def test_trouble_with_sealing_does_not_stop_the_ticker(
    scene: Scene,
    settings: Settings,
    new_ticker: Callable[..., Ticker],
    caplog: pytest.LogCaptureFixture,
    trouble: str,
) -> None:
    """A bad key, a full disk, a tree with a stranger in it: texts must go out all the same."""
    make_trouble(scene.connection, settings.home, trouble)
    bulk(scene.connection, 2, age=OLD)
    ticking = new_ticker()

    assert wait_for(lambda: ticking.tick() and len(caplog.records) > 0)

    assert {record.getMessage() for record in caplog.records} == {"sealing the ledger is held up"}
    assert str(settings.home) not in caplog.text


def make_trouble(connection: Connection, home: Path, kind: str) -> None:
    """Something that sealing cannot get over."""
    home.mkdir(exist_ok=True)
    if kind == "key":
        (home / "secrets").mkdir()
        (home / "secrets" / KEY_NAME).write_text("damaged")
    elif kind == "folder":
        folder_of(home).write_text("a file where the folder should be")
    else:
        connection.execute(
            "INSERT INTO ledger_leaves VALUES (1, gen_random_uuid(), sha256('stranger'))"
        )


def test_sealers_on_two_hosts_publish_each_what_the_other_sealed(
    scene: Scene, settings: Settings, tmp_path: Path
) -> None:
    """With the same key; each directory has every checkpoint."""
    first = Sealer(settings)
    other: Any = replace(settings, home=tmp_path / "other")
    bulk(scene.connection, 2, age=OLD)
    seal(first, scene.connection)
    shutil.copytree(settings.home / "secrets", other.home / "secrets")
    second = Sealer(other)
    bulk(scene.connection, 2, age=OLD)
    seal(second, scene.connection)
    bulk(scene.connection, 2, age=OLD)
    seal(first, scene.connection)
    second.seal_now(scene.connection)

    assert sizes(settings) == sizes(other) == [2, 4, 6]
