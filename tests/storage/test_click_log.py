"""What the redirect has answered is in the log, and what is in the log reaches the table."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from storage.click_log import FOLDER, ClickLog, ClickLogReader, LoggedHit
from tests.source import ROOT

HIT = LoggedHit(7, 1, 0, 1_700_000_000_000, "GET", "Mozilla/5.0 ü", "192.0.2.0/24", "00ff", {})


def hit(key: int) -> LoggedHit:
    """A hit with this id."""
    return LoggedHit(key, 1, 0, 1_700_000_000_000, "GET", "x\n\u2028", "", "", {"purpose": "y"})


def read(reader: ClickLogReader) -> list[int]:
    """The ids that are new."""
    return [each.id for batch in reader.batches() for each in batch]


def files(home: Path) -> list[Path]:
    """The logs that are there."""
    return sorted((home / FOLDER).glob("*"))


def test_hits_are_read_back_while_the_writer_lives_on(tmp_path: Path) -> None:
    """Each once for a reader; the file stays until its writer lets go of it."""
    log, reader = ClickLog(tmp_path), ClickLogReader(tmp_path)
    assert read(reader) == []
    log.append([HIT, hit(8)])
    assert [each for batch in ClickLogReader(tmp_path).batches() for each in batch] == [HIT, hit(8)]
    assert read(reader) == [7, 8]
    log.append([hit(9)])
    assert read(reader) == [9]
    assert len(files(tmp_path)) == 1

    log.close()

    assert read(reader) == []
    assert files(tmp_path) == []


def test_what_could_not_be_stored_is_given_again(tmp_path: Path) -> None:
    """The database was away: the same reader, and a file whose writer is gone, still have it."""
    log, reader = ClickLog(tmp_path), ClickLogReader(tmp_path)
    log.append([hit(1), hit(2)])
    log.close()

    for batch in reader.batches():
        assert [each.id for each in batch] == [1, 2]
        break

    assert len(files(tmp_path)) == 1
    assert read(reader) == [1, 2]
    assert files(tmp_path) == []


def test_two_writers_do_not_meet(tmp_path: Path) -> None:
    """Each web process has a file of its own."""
    first, second = ClickLog(tmp_path), ClickLog(tmp_path)
    first.append([hit(1)])
    second.append([hit(2)])

    assert sorted(read(ClickLogReader(tmp_path))) == [1, 2]
    first.close()
    second.close()


def test_a_writer_that_was_killed_loses_nothing_it_answered(tmp_path: Path) -> None:
    """kill -9 between two writes: what was appended is there, a cut line is passed over."""
    code = (
        "import sys, time; from pathlib import Path; from storage.click_log import *;"
        "log = ClickLog(Path(sys.argv[1]));"
        "log.append([LoggedHit(n, 1, 0, 0, 'GET', '', '', '', {}) for n in range(100)]);"
        "print('written', flush=True); time.sleep(60)"
    )
    writer = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"written\n"
    os.kill(writer.pid, signal.SIGKILL)
    writer.wait()
    writer.stdout.close()
    (path,) = files(tmp_path)
    with path.open("ab") as file:
        file.write(b'[100,1,0,0,"GE')

    reader = ClickLogReader(tmp_path)

    assert read(reader) == list(range(100))
    assert files(tmp_path) == []


def test_a_line_that_is_no_hit_is_passed_over(tmp_path: Path) -> None:
    """A disk that returned rubbish must not hold up all clicks after it."""
    (tmp_path / FOLDER).mkdir()
    path = tmp_path / FOLDER / "1-x.log"
    path.write_bytes(b"rubbish\n[1]\n" + hit(3).line() + b"\xff\xfe\n")

    assert read(ClickLogReader(tmp_path)) == [3]
    assert files(tmp_path) == []
