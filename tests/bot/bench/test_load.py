"""What the load generator takes for an answer."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from bot.bench.apps.constant import ANSWER
from bot.bench.load import complete, fault
from bot.bench.processes import cpu_seconds
from bot.bench.texts import Kind
from bot.twiml import SILENCE


def answer(body: bytes, status: str = "200 OK") -> bytes:
    """An HTTP answer as granian writes it."""
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


@pytest.mark.parametrize("cut", range(1, len(answer(b"<?xml?>")), 7))
def test_an_answer_is_complete_with_its_last_byte(cut: int) -> None:
    """Wherever the network cuts it."""
    whole = answer(b"<?xml?>")

    assert not complete(whole[:-cut])
    assert complete(whole)


def test_an_answer_without_a_length_is_an_error() -> None:
    """Rather than a wait for ever."""
    with pytest.raises(ConnectionError, match="Content-Length"):
        complete(b"HTTP/1.1 200 OK\r\n\r\n")


@pytest.mark.parametrize(
    ("kind", "data", "expected"),
    [
        (Kind.JOIN, answer(ANSWER), None),
        (Kind.CHAT, answer(SILENCE), None),
        (Kind.STOP, answer(ANSWER), None),
        (Kind.STOP, answer(SILENCE), "a STOP without an answer"),
        (Kind.JOIN, answer(b"hello"), "no TwiML"),
        (Kind.JOIN, answer(ANSWER, "403 Forbidden"), "HTTP/1.1 403 Forbidden"),
        (Kind.JOIN, answer(b"", "503 Service Unavailable"), "HTTP/1.1 503 Service Unavailable"),
    ],
    ids=["reply", "silence", "stop", "silent stop", "no twiml", "forbidden", "away"],
)
def test_only_twiml_with_200_counts(kind: Kind, data: bytes, expected: str | None) -> None:
    """A refusal is quick; counted as an answer it would be the best figure of all."""
    assert fault(kind, data) == expected


@pytest.mark.skipif(sys.platform != "linux", reason="CPU is read from /proc")
def test_the_cpu_of_a_process_counts_its_children_alive_and_gone() -> None:
    """A server's workers, and a database's backends that have ended, are in the figure."""
    burn = "import time\nwhile time.process_time() < 0.3: pass\n"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {burn!r}])\ninput()"
    before = cpu_seconds(os.getpid())
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        while (spent := cpu_seconds(process.pid)) is not None and spent < 0.3:
            assert process.poll() is None
        ours = cpu_seconds(os.getpid())
        process.communicate(b"\n")

    assert before is not None
    assert ours is not None
    assert ours - before >= 0.3


def test_the_cpu_of_a_process_that_never_was_is_nothing() -> None:
    """Pids above the kernel's limit belong to nobody."""
    assert cpu_seconds(2**30) in (0.0, None)
