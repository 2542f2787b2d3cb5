"""What one process of an import is told, and how it ends."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from enum import IntEnum
from typing import Any


class Ending(IntEnum):
    """How a process of an import ends: its exit code."""

    DONE = 0
    STOPPED = 3  # asked to, or canceled, or somebody else has gone on
    IMPOSSIBLE = 4  # it said why on its last line
    AGAIN = 75  # the database went away: start it again, it goes on where it was committed


@dataclass(frozen=True, slots=True)
class Orders:
    """What one process is told. ``number`` is the import's, 0 for a trial that leaves no trace.

    ``since`` is when the import was asked for, which is what dates are compared with; ``told`` a
    file for the findings of a trial without a trace; ``parent`` the process to end with.
    """

    database_url: str
    pepper: str
    path: str
    task: Mapping[str, Any]
    number: int
    file: str
    actor: str
    since: str
    part: int
    dry_run: bool = False
    told: str | None = None
    parent: int = 0

    def as_json(self) -> bytes:
        """As they are written to the process."""
        return json.dumps(asdict(self)).encode()


def read_orders(data: bytes) -> Orders:
    """The orders that :meth:`Orders.as_json` wrote."""
    return Orders(**json.loads(data))
