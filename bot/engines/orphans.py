"""Servers that outlived the process that started them, found by the id they left in a file."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

_STEP_S: Final = 0.05


def recorded_pid(file: Path) -> int | None:
    """The process id on the first line of ``file``; None without a usable one."""
    try:
        first = file.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except FileNotFoundError:
        return None
    return int(first) if first.isascii() and first.isdecimal() and int(first) > 1 else None


def program_of(pid: int) -> str:
    """The base name of the program that a process runs; empty when there is no such process."""
    stat = Path(f"/proc/{pid}/stat")
    if Path("/proc/self/stat").exists():
        try:
            text = stat.read_text(encoding="utf-8", errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            return ""
        name, _, rest = text.partition("(")[2].rpartition(")")
        return "" if rest.split()[0] == "Z" else name
    found = subprocess.run(
        ["ps", "-o", "comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return Path(found.stdout.strip()).name


def stop(pid: int, program: str, wishes: tuple[signal.Signals, ...], patience: float) -> None:
    """End process ``pid`` if it runs ``program``: each signal in turn, ``patience`` seconds each.

    A process id may since belong to anyone, so nothing is sent to another program. Raises
    PermissionError when the process is another user's.
    """
    for wish in wishes:
        deadline = time.monotonic() + patience
        if not program_of(pid).startswith(program):
            return
        try:
            os.kill(pid, wish)
        except ProcessLookupError:
            return
        while program_of(pid).startswith(program) and time.monotonic() < deadline:
            time.sleep(_STEP_S)
