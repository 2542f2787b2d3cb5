"""One child process that ends when we end, however we end.

On Linux the kernel tells the child (PR_SET_PDEATHSIG). It does so when the *thread* that started
the child ends, so children are started from the main thread. Elsewhere a small shell holds the
other end of a pipe, and passes the signal on when the pipe closes.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Final

_PR_SET_PDEATHSIG: Final = 1
_KEPT: Final = ("PATH", "LD_LIBRARY_PATH", "TMPDIR")
_LOG_LIMIT: Final = 10 * 1024 * 1024
_TETHER: Final = 'read -r _; kill -s "$1" "$2" 2>/dev/null'
KERNEL_TELLS: Final = sys.platform == "linux"


@dataclass(frozen=True, slots=True)
class Account:
    """The user and group a child runs as."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """How a child is started and ended.

    ``end`` asks it to stop in good order, and is what it gets when we die. ``log`` is a file that
    its output is added to; None leaves it on ours. ``stdin`` is written to it once.
    """

    argv: Sequence[str]
    end: signal.Signals = signal.SIGTERM
    environ: Mapping[str, str] | None = None
    account: Account | None = None
    cwd: Path | None = None
    log: Path | None = None
    stdin: bytes = field(default=b"", repr=False)


class Process:
    """A started child. ``kernel_tells`` chooses how it learns of our death."""

    def __init__(self, launch: Launch, *, kernel_tells: bool = KERNEL_TELLS) -> None:
        """Start it. Raises OSError when the program cannot be run."""
        self._end = launch.end
        self._tether: subprocess.Popen[bytes] | None = None
        self._child = _spawn(launch, kernel_tells=kernel_tells)
        if not kernel_tells:
            self._tether = _tie(self.pid, launch.end)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._child.pid

    def exit_code(self) -> int | None:
        """None while it runs; negative when a signal ended it."""
        return self._child.poll()

    def wait(self) -> int:
        """Until it has ended by itself: its exit code."""
        code = self._child.wait()
        self._untie()
        return code

    def stop(self, patience: float, *, then: Sequence[signal.Signals] = ()) -> None:
        """Ask it to end, then with each signal of ``then``, then kill it; wait until it is gone.

        ``patience`` is in seconds, for each signal.
        """
        for wish in (self._end, *then):
            if self.exit_code() is not None:
                break
            self._child.send_signal(wish)
            if self._gone_within(patience):
                break
        else:
            self._child.kill()
        self._child.wait()
        self._untie()

    def _gone_within(self, seconds: float) -> bool:
        try:
            self._child.wait(seconds)
        except subprocess.TimeoutExpired:
            return False
        return True

    def _untie(self) -> None:
        """End the tether before the pid can belong to someone else."""
        if self._tether is not None:
            self._tether.kill()
            self._tether.wait()
            if self._tether.stdin is not None:
                self._tether.stdin.close()
            self._tether = None


def bare_environment() -> dict[str, str]:
    """What a server needs of our environment: none of our secrets, and no PGPORT or PGDATA."""
    kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
    return {**kept, "LC_ALL": "C"}


def _spawn(launch: Launch, *, kernel_tells: bool) -> subprocess.Popen[bytes]:
    output: IO[bytes] | None = _open_log(launch.log) if launch.log else None
    account = launch.account
    try:
        child = subprocess.Popen(
            launch.argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT if output else None,
            env=launch.environ,
            cwd=launch.cwd,
            # Ctrl-C reaches every process of the terminal's group; the order of stopping is ours.
            start_new_session=True,
            user=account.uid if account else None,
            group=account.gid if account else None,
            extra_groups=[] if account else None,
            # It calls prctl and getppid only; neither takes a lock another thread could hold.
            preexec_fn=_die_with_parent(launch.end) if kernel_tells else None,  # noqa: PLW1509
        )
    finally:
        if output is not None:
            output.close()
    assert child.stdin is not None
    try:
        with child.stdin:
            child.stdin.write(launch.stdin)
    except BrokenPipeError:
        pass  # it ended at once: its exit code says so
    return child


def _die_with_parent(wish: signal.Signals) -> Callable[[], None]:
    """What the child runs before its program. Everything is looked up before the fork."""
    prctl = ctypes.CDLL(None).prctl
    parent = os.getpid()

    def run() -> None:
        prctl(_PR_SET_PDEATHSIG, int(wish))
        if os.getppid() != parent:
            os._exit(1)

    return run


def _tie(pid: int, wish: signal.Signals) -> subprocess.Popen[bytes]:
    name = wish.name.removeprefix("SIG")
    return subprocess.Popen(
        ["/bin/sh", "-c", _TETHER, "sh", name, str(pid)],
        stdin=subprocess.PIPE,
        start_new_session=True,
    )


def _open_log(file: Path) -> IO[bytes]:
    """The log to append to; one that has grown large is set aside, replacing the one before."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if file.exists() and file.stat().st_size > _LOG_LIMIT:
        file.replace(file.with_name(f"{file.name}.1"))
    return file.open("ab")


class Engine:
    """What the embedded servers share: one process each, or none."""

    def __init__(self) -> None:
        self._process: Process | None = None

    @property
    def pid(self) -> int:
        """The server's process id; it must be running."""
        assert self._process is not None
        return self._process.pid

    def alive(self) -> bool:
        """Has it been started, and not ended since?"""
        return self._process is not None and self._process.exit_code() is None
