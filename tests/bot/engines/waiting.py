"""Waiting for what other processes do."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bot.engines.orphans import program_of

ROOT = Path(__file__).resolve().parents[3]


def eventually(true: Callable[[], bool], seconds: float = 20.0) -> bool:
    """Does it become true within this time?"""
    deadline = time.monotonic() + seconds
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def gone(pid: int) -> bool:
    """Has this process ended? A zombie has."""
    return program_of(pid) == ""
