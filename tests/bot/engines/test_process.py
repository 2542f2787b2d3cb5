"""A child ends when its parent does, and in the way it was asked to."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.engines import orphans
from bot.engines.process import KERNEL_TELLS, Launch, Process, bare_environment
from tests.bot.engines.conftest import Parent
from tests.bot.engines.waiting import eventually, gone

STUBBORN = "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
# A shell that runs the tests in the background has them ignore SIGINT, which children inherit.
HEEDS_INT = "signal.signal(signal.SIGINT, signal.default_int_handler); "
WAYS = [
    pytest.param(
        "kernel", marks=pytest.mark.skipif(not KERNEL_TELLS, reason="Linux has PDEATHSIG")
    ),
    "tether",
]


@pytest.mark.parametrize("way", WAYS)
def test_a_killed_parent_takes_its_child_along(parent: Callable[[str], Parent], way: str) -> None:
    """By the kernel's word on Linux, by a closed pipe anywhere."""
    process, [child] = parent(way)
    assert not gone(child)
    process.kill()
    assert eventually(lambda: gone(child))


@pytest.mark.parametrize("kernel_tells", [KERNEL_TELLS, False], ids=["usual", "tether"])
def test_stopping_a_child_ends_it(*, kernel_tells: bool) -> None:
    """It gets its signal, and its exit says so."""
    child = Process(Launch(argv=["sleep", "60"]), kernel_tells=kernel_tells)
    assert child.exit_code() is None
    child.stop(5)
    assert child.exit_code() == -signal.SIGTERM


def test_a_stubborn_child_gets_the_next_signal(tmp_path: Path) -> None:
    """The signals of ``then`` come one after the other."""
    child = start(tmp_path, STUBBORN + HEEDS_INT)
    child.stop(2, then=(signal.SIGINT,))
    assert child.exit_code() not in (None, -signal.SIGKILL, -signal.SIGTERM)


def test_a_child_that_heeds_nothing_is_killed(tmp_path: Path) -> None:
    """Stopping ends, whatever the child does."""
    child = start(tmp_path, STUBBORN)
    child.stop(0.2)
    assert child.exit_code() == -signal.SIGKILL


def start(folder: Path, code: str) -> Process:
    """A Python child that has set itself up when this returns."""
    ready = folder / "ready"
    code += f"open({str(ready)!r}, 'w').close(); time.sleep(60)"
    child = Process(Launch(argv=[sys.executable, "-c", code]))
    assert eventually(ready.exists)
    return child


def test_its_output_goes_to_its_log(tmp_path: Path) -> None:
    """Both streams, added to what is there."""
    log = tmp_path / "log" / "child.log"
    for word in ("one", "two"):
        launch = Launch(argv=["/bin/sh", "-c", f"echo {word}; echo {word} >&2"], log=log)
        assert Process(launch).wait() == 0
    assert log.read_text().split() == ["one", "one", "two", "two"]


def test_a_large_log_is_set_aside(tmp_path: Path) -> None:
    """A log does not grow for ever."""
    log = tmp_path / "child.log"
    with log.open("wb") as out:
        out.truncate(11 * 1024 * 1024)
    assert Process(Launch(argv=["true"], log=log)).wait() == 0
    assert log.stat().st_size == 0
    assert (tmp_path / "child.log.1").exists()


def test_what_it_is_told_comes_in_on_stdin(tmp_path: Path) -> None:
    """And a child that never reads it is no error."""
    log = tmp_path / "log"
    assert Process(Launch(argv=["cat"], log=log, stdin=b"told")).wait() == 0
    assert log.read_bytes() == b"told"
    assert Process(Launch(argv=["true"], stdin=b"x" * 1_000_000)).wait() == 0


def test_a_server_gets_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor settings of other PostgreSQL clients."""
    monkeypatch.setenv("TWILIO_AUTH_TOKEN", "secret")
    monkeypatch.setenv("PGDATA", "/elsewhere")
    assert set(bare_environment()) <= {"PATH", "LD_LIBRARY_PATH", "TMPDIR", "LC_ALL"}


@pytest.mark.parametrize(
    ("content", "expected"),
    [("123\n/data\n", 123), ("", None), ("x", None), ("1", None), ("-5", None), ("٥", None)],
)
def test_a_process_id_is_read_from_the_first_line(
    tmp_path: Path, content: str, expected: int | None
) -> None:
    """What is not one, and init's, is none."""
    (tmp_path / "pid").write_text(content)
    assert orphans.recorded_pid(tmp_path / "pid") == expected


def test_another_program_is_never_signalled() -> None:
    """A process id may since belong to anyone."""
    child = Process(Launch(argv=["sleep", "60"]))
    try:
        orphans.stop(child.pid, "postgres", (signal.SIGKILL,), 0.2)
        time.sleep(0.1)
        assert child.exit_code() is None
        orphans.stop(child.pid, "sleep", (signal.SIGKILL,), 5)
        assert eventually(lambda: child.exit_code() == -signal.SIGKILL)
    finally:
        child.stop(1)


def test_our_own_program_is_known() -> None:
    """And nobody's is empty."""
    assert orphans.program_of(os.getpid())
    assert orphans.program_of(2**22 + 1) == ""
