"""Counts that no table has, on their way from each process to one that all of them add to.

A process counts in memory and adds what is new every few seconds, in one statement, so any number
of processes can count the same thing; a process that is killed takes a few seconds of counting
with it. What tables do have is never counted here, but read from them (``storage.metrics``).
"""

from __future__ import annotations

import json
import threading
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from sqlalchemy import Double
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection

# Upper ends of the buckets of durations, in seconds.
BOUNDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
COUNT, SUM, INFINITY = "", "sum", "inf"
_BUCKETS: Final = (*(f"{bound:g}" for bound in BOUNDS), INFINITY)


class MeterRow(Base):
    """One number that only grows. ``labels`` is a JSON array of texts.

    ``part`` is "" for a counter; of durations it is "sum" (in seconds) or the upper end of a
    bucket, which holds what is above the bucket below it.
    """

    __tablename__ = "meters"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    name: Mapped[str] = mapped_column(primary_key=True)
    labels: Mapped[str] = mapped_column(primary_key=True)
    part: Mapped[str] = mapped_column(primary_key=True)
    n: Mapped[float] = mapped_column(Double)


@dataclass(frozen=True, slots=True)
class Reading:
    """One number as the table has it."""

    name: str
    labels: tuple[str, ...]
    part: str
    n: float


_ADD: Final = """
INSERT INTO meters AS m (name, labels, part, n)
SELECT name, labels, part, n FROM json_to_recordset(%s::json)
    AS r (name text, labels text, part text, n float8)
ORDER BY name, labels, part
ON CONFLICT (name, labels, part) DO UPDATE SET n = m.n + excluded.n
"""
_READ: Final = "SELECT name, labels, part, n FROM meters ORDER BY name, labels, part"

Key = tuple[str, tuple[str, ...], str]


class Meters:
    """What one process has counted and not handed in yet. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: dict[Key, float] = {}

    def add(self, name: str, labels: tuple[str, ...] = (), n: float = 1.0) -> None:
        """Count ``n`` more."""
        with self._lock:
            self._plus((name, labels, COUNT), n)

    def observe(self, name: str, seconds: float, labels: tuple[str, ...] = ()) -> None:
        """Count something that took so long."""
        bucket = _BUCKETS[bisect_left(BOUNDS, seconds)]
        with self._lock:
            self._plus((name, labels, bucket), 1.0)
            self._plus((name, labels, SUM), seconds)

    def hand_in(self, connection: Connection) -> int:
        """Add what is new to the table, in a statement that commits by itself; how many numbers.

        What could not be added is kept for the next time. Raises ``psycopg.Error``.
        """
        with self._lock:
            taken, self._counts = self._counts, {}
        if not taken:
            return 0
        try:
            add(connection, taken)
        except BaseException:
            with self._lock:
                for key, n in taken.items():
                    self._plus(key, n)
            raise
        return len(taken)

    def _plus(self, key: Key, n: float) -> None:
        self._counts[key] = self._counts.get(key, 0.0) + n


def add(connection: Connection, counts: Mapping[Key, float]) -> None:
    """Add numbers to the table."""
    rows = [
        {"name": name, "labels": json.dumps(labels), "part": part, "n": n}
        for (name, labels, part), n in counts.items()
    ]
    connection.execute(_ADD, (json.dumps(rows),))


def read(connection: Connection) -> Iterable[Reading]:
    """All numbers there are."""
    for name, labels, part, n in connection.execute(_READ):
        yield Reading(name, tuple(json.loads(labels)), part, n)
