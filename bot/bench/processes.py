"""What a tree of processes has cost: CPU seconds from /proc, where there is one."""

from __future__ import annotations

import os
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Final

_PROC: Final = Path("/proc")


@dataclass(frozen=True, slots=True)
class _Process:
    pid: int
    parent: int
    ticks: int


def cpu_seconds(root: int) -> float | None:
    """CPU time of a process and all below it, so far; None where /proc does not tell (macOS).

    Time of children that have ended is in their parents' account.
    """
    if not (_PROC / "self" / "stat").exists():
        return None
    return sum(process.ticks for process in _tree(root)) / os.sysconf("SC_CLK_TCK")


def family(root: int) -> list[int]:
    """A process and all below it; none where /proc does not tell."""
    return [process.pid for process in _tree(root)] if (_PROC / "self" / "stat").exists() else []


def peak_megabytes(pid: int) -> float:
    """The most memory that a process has had since it began its program; 0 where that is not told.

    ``getrusage`` would tell of the program before it too: of whoever started it.
    """
    try:
        status = (_PROC / str(pid) / "status").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return 0.0
    found = (line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(next(found, "0")) / 1024


def _tree(root: int) -> list[_Process]:
    children: dict[int, list[_Process]] = defaultdict(list)
    found = []
    for process in _processes():
        children[process.parent].append(process)
        if process.pid == root:
            found.append(process)
    waiting = [root]
    while waiting:
        below = children[waiting.pop()]
        found += below
        waiting += [process.pid for process in below]
    return found


def _processes() -> list[_Process]:
    found = []
    for folder in _PROC.iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text(encoding="utf-8", errors="replace")
            except (FileNotFoundError, ProcessLookupError):
                continue  # it ended while we looked
            found.append(_parse(int(folder.name), stat))
    return found


def _parse(pid: int, stat: str) -> _Process:
    """The fields after the name, which may hold anything, spaces and brackets too (proc(5))."""
    fields = stat.rpartition(")")[2].split()
    user, system, ended_user, ended_system = map(int, fields[11:15])
    return _Process(pid, int(fields[1]), user + system + ended_user + ended_system)
