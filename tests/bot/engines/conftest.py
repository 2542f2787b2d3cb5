"""A home that PostgreSQL's own user can reach, and a parent to kill."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.bot.engines.waiting import ROOT

Parent = tuple[subprocess.Popen[str], list[int]]


@pytest.fixture
def home() -> Iterator[Path]:
    """A short, private ASSENT_HOME that other users may pass through."""
    folder = Path(tempfile.mkdtemp(prefix="assent-home-"))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def parent(home: Path) -> Iterator[Callable[[str], Parent]]:
    """Starts ``tests.bot.engines.parent`` and answers it with the ids of what it started."""
    started: list[subprocess.Popen[str]] = []

    def start(kind: str) -> Parent:
        command = [sys.executable, "-m", "tests.bot.engines.parent", str(home), kind]
        process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
        started.append(process)
        assert process.stdout is not None
        lines = iter(process.stdout.readline, "ready\n")
        return process, [int(line) for line in lines]

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()
