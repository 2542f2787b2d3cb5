"""The carrier's memory: it survives a kill, forgets the oldest, and holds under many threads."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.simulator.store import TextStore
from bot.simulator.texts import Direction, Status, Text, from_record, new_sid, to_record

if TYPE_CHECKING:
    from pathlib import Path

NOW = datetime(2026, 11, 23, 22, 40, 0, 123_000, tzinfo=UTC)
PHONE, OTHER, SENDER = "+14155550123", "+13055550117", "54321"


def _text(body: str = "Hi", *, phone: str = PHONE, sid: str | None = None) -> Text:
    return Text(
        sid=sid or new_sid(),
        direction=Direction.API,
        sender=SENDER,
        to=phone,
        body=body,
        at=NOW,
        status=Status.QUEUED,
        updated_at=NOW,
    )


def test_texts_and_statuses_survive_a_restart(tmp_path: Path) -> None:
    """Nothing is written at the end: what was kept is there although the first never closed."""
    first = TextStore(tmp_path)
    kept = _text("Line\nbreak, \x00, ñ, 🎉")
    first.add(kept)
    first.move(kept.sid, Status.UNDELIVERED, 30003, NOW + timedelta(seconds=1))

    second = TextStore(tmp_path)

    assert second.everything() == first.everything()
    assert second.get(kept.sid) == kept.moved(Status.UNDELIVERED, 30003, NOW + timedelta(seconds=1))
    first.close()
    second.close()


def test_the_log_is_for_its_owner_only(tmp_path: Path) -> None:
    """0600, also after it was compacted."""
    folder = tmp_path / "simulator"
    store = TextStore(folder)
    path = folder / "texts.jsonl"
    first = stat.S_IMODE(path.stat().st_mode)
    text = _text()
    store.add(text)
    store.move(text.sid, Status.SENT, None, NOW)
    store.close()
    TextStore(folder).close()

    assert (first, stat.S_IMODE(path.stat().st_mode)) == (0o600, 0o600)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len(path.read_bytes().splitlines()) == 1


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(b'{"text":{"sid":"SM', id="cut-short"),
        pytest.param(b"\xff\xfe\n", id="no-utf-8"),
        pytest.param(b"7\n", id="a-number"),
        pytest.param(b'{"text":{"sid":"x"}}\n', id="another-form"),
        pytest.param(b'{"sid":"SM0","status":"sent","code":null,"at":"x"}\n', id="unknown-text"),
    ],
)
def test_a_damaged_line_costs_that_line_only(tmp_path: Path, damage: bytes) -> None:
    """Texts before it and after it are read, now and at the next start."""
    before, after = _text("before"), _text("after")
    store = TextStore(tmp_path)
    store.add(before)
    store.close()
    with (tmp_path / "texts.jsonl").open("ab") as log:
        log.write(damage)
    store = TextStore(tmp_path)
    store.add(after)
    store.close()

    last = TextStore(tmp_path)
    assert last.everything() == [before, after]
    last.close()


def test_only_the_newest_texts_are_kept(tmp_path: Path) -> None:
    """At twice the limit the oldest go, from memory, from their phones and from the log."""
    store = TextStore(tmp_path, limit=10)
    texts = [_text(f"{n}", phone=OTHER if n == 0 else PHONE) for n in range(21)]
    for text in texts:
        store.add(text)

    assert store.everything() == texts[11:]
    assert store.of_phone(OTHER) == []
    assert OTHER not in store.phones()
    store.close()
    again = TextStore(tmp_path, limit=10)
    assert again.everything() == texts[11:]
    again.close()


def test_a_sid_is_kept_once() -> None:
    """A second text with a known SID changes nothing."""
    store = TextStore(None)

    assert store.add(_text("first", sid="SM1"))
    assert not store.add(_text("second", sid="SM1"))
    assert [text.body for text in store.of_phone(PHONE)] == ["first"]


def test_moving_a_forgotten_text_is_nothing() -> None:
    """A callback's thread may come after the text was forgotten."""
    assert TextStore(None).move("SM1", Status.SENT, None, NOW) is None


def test_many_threads_lose_no_text(tmp_path: Path) -> None:
    """Eight threads write at once; memory and log agree."""
    store = TextStore(tmp_path)

    def write(thread: int) -> None:
        for n in range(50):
            text = _text(f"{thread}.{n}")
            store.add(text)
            store.move(text.sid, Status.DELIVERED, None, NOW)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(write, range(8)))
    again = TextStore(tmp_path)

    assert len(store.of_phone(PHONE)) == 400
    assert {text.sid: text for text in again.everything()} == {
        text.sid: text for text in store.everything()
    }
    assert again.unfinished() == []
    store.close()
    again.close()


@given(
    body=st.text(st.characters(exclude_categories=["Cs"])),
    code=st.none() | st.integers(10_000, 99_999),
    media=st.lists(st.text(st.characters(exclude_categories=["Cs"]), min_size=1)),
    validity=st.none() | st.integers(1, 36_000),
)
def test_a_record_reads_back_as_it_was_written(
    body: str, code: int | None, media: list[str], validity: int | None
) -> None:
    """The log's form loses nothing."""
    text = Text(
        sid=new_sid(),
        direction=Direction.INBOUND,
        sender=PHONE,
        to=SENDER,
        body=body,
        at=NOW,
        status=Status.RECEIVED,
        updated_at=NOW,
        error_code=code,
        media=tuple(media),
        validity=validity,
        send_at=NOW,
    )

    assert from_record(to_record(text)) == text


def test_a_restart_below_the_limit_forgets_nothing(tmp_path: Path) -> None:
    """The log is shortened at start, since each status was a line; every text stays."""
    store = TextStore(tmp_path, limit=10)
    for n in range(7):
        text = _text(f"{n}")
        store.add(text)
        store.move(text.sid, Status.DELIVERED, None, NOW)
    kept = store.everything()
    store.close()

    again = TextStore(tmp_path, limit=10)
    assert again.everything() == kept
    again.close()


def test_a_store_without_a_folder_also_forgets_the_oldest() -> None:
    """Memory is bounded with and without a log."""
    store = TextStore(None, limit=3)
    for n in range(7):
        store.add(_text(f"{n}"))

    assert [text.body for text in store.everything()] == ["4", "5", "6"]
