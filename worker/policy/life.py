"""Is this the database that we worked with before? Pure: what it says, against what we remember."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final

# A home that remembers nothing may join while others work on the database, as on a new host. When
# nobody has for so long, it is more likely that one of the two was restored.
JOINS_WITHIN: Final = timedelta(minutes=10)


class Doubt(StrEnum):
    """Why a database may have forgotten whom it texted."""

    MOVED = "moved"
    OLDER_EPOCH = "older_epoch"
    WENT_BACK = "went_back"
    UNKNOWN_HOME = "unknown_home"
    ANOTHER_MACHINE = "another_machine"


SENTENCES: Final = {
    Doubt.MOVED: "The database was restored, copied or failed over: it is not where it was.",
    Doubt.OLDER_EPOCH: "The database is of an earlier life than this home remembers.",
    Doubt.WENT_BACK: "The database has forgotten work that this home remembers.",
    Doubt.UNKNOWN_HOME: "This home does not know the database, and nobody else has used it lately.",
    Doubt.ANOTHER_MACHINE: "This home has woken up on another machine: it may be a clone.",
}


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a home remembers of its database. ``machine`` is "" where a machine has no identity."""

    epoch: int
    place: str
    log: int
    machine: str = ""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database says of itself; see ``storage.instance.Instance``."""

    epoch: int
    place: str | None
    here: str
    log: int
    unseen: timedelta | None


def doubt(seen: Seen, remembered: Remembered | None, machine: str) -> Doubt | None:
    """Why nothing must be sent before somebody has confirmed; None when all is well.

    ``machine`` is the identity of this machine. A database that nobody has worked with yet is
    new, and nothing speaks against it.
    """
    if remembered is None:
        return _by_itself(seen)
    if remembered.epoch > seen.epoch:
        return Doubt.OLDER_EPOCH
    if seen.place != seen.here:
        return Doubt.WENT_BACK if seen.place is None else Doubt.MOVED
    if remembered.epoch < seen.epoch:
        return None  # somebody has confirmed since, elsewhere
    return _since(seen, remembered, machine)


def _by_itself(seen: Seen) -> Doubt | None:
    """For a home that remembers nothing."""
    if seen.place is None:
        return None
    if seen.place != seen.here:
        return Doubt.MOVED
    unknown = seen.unseen is None or seen.unseen > JOINS_WITHIN
    return Doubt.UNKNOWN_HOME if unknown else None


def _since(seen: Seen, remembered: Remembered, machine: str) -> Doubt | None:
    """For a home that remembers the same epoch."""
    if remembered.place != seen.here:
        return Doubt.MOVED
    if remembered.log > seen.log:
        return Doubt.WENT_BACK
    if machine and remembered.machine and machine != remembered.machine:
        return Doubt.ANOTHER_MACHINE
    return None
