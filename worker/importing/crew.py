"""The processes of one import: started, watched, started again, stopped."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from worker.importing.orders import Ending, Orders
from worker.stopping import pause_s

_CODE: Final = Path(__file__).resolve().parents[2]
# A database that restarts is away for seconds. What it had committed by then stays.
_STARTS: Final = 8
_PATIENCE_S: Final = 30.0
MOST_PARTS: Final = 4
# A batch takes some megabytes in large pieces, and gives them back. The C library of GNU returns
# such pieces to the system at once and asks for them again, a thousand times an import; these keep
# them (mallopt(3)). Other libraries do not know the names.
_MEMORY: Final = {"MALLOC_MMAP_THRESHOLD_": "33554432", "MALLOC_TRIM_THRESHOLD_": "67108864"}


def parts() -> int:
    """In how many processes this machine carries out an import: one for each core, up to four."""
    return max(1, min(os.cpu_count() or 1, MOST_PARTS))


@dataclass(slots=True)
class _Worker:
    orders: Orders
    process: subprocess.Popen[bytes] | None = None
    starts: int = 0
    not_before: float = 0.0
    ending: int | None = None
    said: str = field(default="")


class Crew:
    """The processes that carry out one import, all on this machine. They end with this one."""

    def __init__(
        self, orders: Sequence[Orders], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """``orders``, one for each process. ``clock`` counts seconds and never goes back."""
        self._workers = [_Worker(each) for each in orders]
        self._clock = clock

    @property
    def pids(self) -> list[int]:
        """The processes that run."""
        return [w.process.pid for w in self._workers if w.process is not None]

    def working(self) -> bool:
        """Start what is to be started, see what has ended; whether anything is left to do."""
        for worker in self._workers:
            self._look_after(worker)
        return any(worker.ending is None for worker in self._workers)

    def done(self) -> bool:
        """Whether every process has come to its end of the file."""
        return all(worker.ending == Ending.DONE for worker in self._workers)

    def failure(self) -> str | None:
        """The sentence of a process that found it impossible to go on."""
        for worker in self._workers:
            if worker.ending == Ending.IMPOSSIBLE:
                return worker.said or "The file cannot be read."
            if worker.ending not in (None, Ending.DONE, Ending.STOPPED):
                return "A process of the import ended unexpectedly; start the import again."
        return None

    def stop(self) -> None:
        """Ask all to end after the batch at hand, and wait until they have."""
        running = [w.process for w in self._workers if w.process is not None]
        for process in running:
            process.terminate()
        deadline = time.monotonic() + _PATIENCE_S
        for process in running:
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, deadline - time.monotonic()))
            if process.poll() is None:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for worker in self._workers:
            worker.process = None
            worker.ending = Ending.STOPPED if worker.ending is None else worker.ending

    def _look_after(self, worker: _Worker) -> None:
        if worker.process is not None:
            self._see(worker, worker.process)
        elif worker.ending is None and self._clock() >= worker.not_before:
            worker.process = _start(worker.orders)
            worker.starts += 1

    def _see(self, worker: _Worker, process: subprocess.Popen[bytes]) -> None:
        code = process.poll()
        if code is None:
            return
        assert process.stdout is not None
        with process.stdout:
            worker.said = process.stdout.read().decode("utf-8", "replace").strip()
        worker.process = None
        if code == Ending.AGAIN and worker.starts < _STARTS:
            worker.not_before = self._clock() + pause_s(worker.starts)
        else:
            worker.ending = code


def _start(orders: Orders) -> subprocess.Popen[bytes]:
    # -P: a folder called `storage` where the user happens to be is not our package.
    path = os.pathsep.join(filter(None, (str(_CODE), os.environ.get("PYTHONPATH"))))
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "worker.importing.part"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**_MEMORY, **os.environ, "PYTHONPATH": path},
        # Ctrl-C reaches every process of the terminal's group; when to stop is ours to say.
        start_new_session=True,
    )
    assert process.stdin is not None
    with contextlib.suppress(BrokenPipeError), process.stdin:
        process.stdin.write(orders.as_json())
    return process
