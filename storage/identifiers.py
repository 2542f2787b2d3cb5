"""Identifiers that sort by time, so that indexes grow at one end (RFC 9562, version 7)."""

from __future__ import annotations

import os
from datetime import datetime
from uuid import UUID


def uuid7(moment: datetime) -> UUID:
    """A new UUID whose first 48 bits are the milliseconds of ``moment``."""
    milliseconds = int(moment.timestamp() * 1000) & ((1 << 48) - 1)
    rest = int.from_bytes(os.urandom(10), "big")
    high = (milliseconds << 16) | 0x7000 | (rest >> 68)
    low = (0b10 << 62) | (rest & ((1 << 62) - 1))
    return UUID(int=(high << 64) | low)
