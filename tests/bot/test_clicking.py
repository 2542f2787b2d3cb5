"""A hit is on the disk, with what tells people from machines, before its visitor is sent on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.clicking import ClickRecorder, cropped
from bot.links import Hit
from storage.click_log import FOLDER, ClickLogReader, LoggedHit
from worker.policy import click_ids

SALE = "https://acme.example/sale?size=9#top"
ENVIRON = {
    "REMOTE_ADDR": "198.51.100.7",
    "HTTP_USER_AGENT": "Mozilla/5.0 (iPhone)",
    "HTTP_SEC_PURPOSE": "prefetch",
    "HTTP_COOKIE": "secret=1",
    "HTTP_REFERER": "https://elsewhere.example/",
}
HIT = Hit(7, 1, SALE, datetime(2026, 11, 24, 12, tzinfo=UTC), "GET", ENVIRON)


@pytest.fixture
def recorder(tmp_path: Path) -> Iterator[ClickRecorder]:
    """A recorder with a folder of its own."""
    made = ClickRecorder(tmp_path, "a pepper")
    yield made
    made.close()


def logged(home: Path) -> list[LoggedHit]:
    """All that is in the log."""
    return [hit for batch in ClickLogReader(home).batches() for hit in batch]


def test_what_is_kept_tells_people_from_machines_and_no_more(
    recorder: ClickRecorder, tmp_path: Path
) -> None:
    """No cookie, no referrer, no whole address."""
    address = recorder(HIT)

    (kept,) = logged(tmp_path)
    assert click_ids.of_address(address) == (kept.id,)
    assert address.startswith("https://acme.example/sale?size=9&assent_click=")
    assert (kept.recipient_id, kept.link_number, kept.method) == (7, 1, "GET")
    assert kept.agent == "Mozilla/5.0 (iPhone)"
    assert kept.headers == {"sec-purpose": "prefetch"}
    assert kept.address == "198.51.100.0/24"
    (file,) = (tmp_path / FOLDER).glob("*")
    written = file.read_text(encoding="utf-8")
    for secret in ("198.51.100.7", "secret", "elsewhere"):
        assert secret not in written


def test_one_machine_has_one_key_and_another_agent_another(
    recorder: ClickRecorder, tmp_path: Path
) -> None:
    """The key finds one machine on many codes; without the pepper nobody can guess it back."""
    recorder(HIT)
    recorder(replace(HIT, recipient_id=8))
    recorder(replace(HIT, environ=ENVIRON | {"HTTP_USER_AGENT": "curl/8"}))
    first, second, other = logged(tmp_path)

    assert first.address_key == second.address_key != other.address_key
    with_other = ClickRecorder(tmp_path / "other", "another pepper")
    with_other(HIT)
    with_other.close()
    assert logged(tmp_path / "other")[0].address_key != first.address_key


def test_threads_share_writes_and_lose_nothing(recorder: ClickRecorder, tmp_path: Path) -> None:
    """Each gets an id of its own, and each id is on the disk when its address is answered."""
    found: list[int] = []

    def tap() -> None:
        for _ in range(50):
            found.extend(click_ids.of_address(recorder(HIT)))

    threads = [threading.Thread(target=tap) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(hit.id for hit in logged(tmp_path)) == sorted(found)
    assert len(set(found)) == 400


def test_two_hits_of_one_millisecond_never_share_an_id(
    recorder: ClickRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table takes an id once, so the second of two would be lost."""
    drawn = iter([7, 7, 7, 9])
    monkeypatch.setattr("bot.clicking._chance", lambda: next(drawn))

    (first,), (second,) = (click_ids.of_address(recorder(HIT)) for _ in range(2))

    assert second - first == 9 - 7
    assert [hit.id for hit in logged(tmp_path)] == [first, second]


def test_a_disk_that_is_away_stops_nobody(tmp_path: Path) -> None:
    """The visitor goes where the text said, uncounted."""
    (tmp_path / FOLDER).write_text("not a folder", encoding="utf-8")
    recorder = ClickRecorder(tmp_path, "a pepper")

    assert recorder(HIT) == SALE


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("198.51.100.7", "198.51.100.0/24"),
        ("2001:db8:1:2::5", "2001:db8:1::/48"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_cropped(address: str, expected: str) -> None:
    """A network of many people, of either kind."""
    assert cropped(address) == expected
