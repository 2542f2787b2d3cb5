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
    PUT_BACK = "put_back"


SENTENCES: Final = {
    Doubt.MOVED: "The database was restored, copied or failed over: it is not where it was.",
    Doubt.OLDER_EPOCH: "The database is of an earlier life than this home remembers.",
    Doubt.WENT_BACK: "The database has forgotten work that this home remembers.",
    Doubt.UNKNOWN_HOME: "This home does not know the database, and nobody else has used it lately.",
    Doubt.ANOTHER_MACHINE: "This home has woken up on another machine: it may be a clone.",
    Doubt.PUT_BACK: "This home was copied, or put back from a backup, perhaps with its database.",
}


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a home remembers of its database. ``machine`` is "" where a machine has no identity.

    ``born`` is when the home's own mark was made on its disk, in seconds since 1970; 0 where nobody
    knows.
    """

    epoch: int
    place: str
    log: int
    machine: str = ""
    born: int = 0


@dataclass(frozen=True, slots=True)
class Seen:
    """What the database says of itself; see ``storage.instance.Instance``."""

    epoch: int
    place: str | None
    here: str
    log: int
    unseen: timedelta | None


def doubt(seen: Seen, remembered: Remembered | None, machine: str, born: int = 0) -> Doubt | None:
    """Why nothing must be sent before somebody has confirmed; None when all is well.

    ``machine`` is the identity of this machine, ``born`` that of this home (see ``Remembered``).
    A database that nobody has worked with yet is new, and nothing speaks against it.
    """
    if remembered is None:
        return _by_itself(seen)
    if remembered.epoch > seen.epoch:
        return Doubt.OLDER_EPOCH
    if seen.place != seen.here:
        return Doubt.WENT_BACK if seen.place is None else Doubt.MOVED
    if remembered.epoch < seen.epoch:
        return None  # somebody has confirmed since, elsewhere
    return _since(seen, remembered, machine, born)


def _by_itself(seen: Seen) -> Doubt | None:
    """For a home that remembers nothing."""
    if seen.place is None:
        return None
    if seen.place != seen.here:
        return Doubt.MOVED
    unknown = seen.unseen is None or seen.unseen > JOINS_WITHIN
    return Doubt.UNKNOWN_HOME if unknown else None


def _since(seen: Seen, remembered: Remembered, machine: str, born: int) -> Doubt | None:
    """For a home that remembers the same epoch."""
    if remembered.place != seen.here:
        return Doubt.MOVED
    if remembered.log > seen.log:
        return Doubt.WENT_BACK
    if machine and remembered.machine and machine != remembered.machine:
        return Doubt.ANOTHER_MACHINE
    # Files and database together look as they did: only the mark tells that they are copies.
    if born and remembered.born and born != remembered.born:
        return Doubt.PUT_BACK
    return None
