"""Check the tree: every entry's leaf, every stored hash, every checkpoint, and what was published.

The roots are computed from the leaves once, in their order, at the size of each checkpoint, those
of the database and those that were published. That the leaves make every one of these roots says
at once that each checkpoint follows from all earlier ones.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final

from keywords.checkpoint import (
    Checkpoint,
    NoteError,
    VerifierKey,
    WrongSignature,
    origin_of,
    read,
    signers,
)
from keywords.ledger import Fault
from storage.checkpoints import after, log_id
from storage.database import Connection
from storage.published import file_name, published
from storage.roots import Roots
from storage.scanning import Scan

# Longer than any transaction of ours takes: what is older and no leaf was kept from becoming one.
_LATE: Final = timedelta(hours=1)
# One alteration early in the ledger changes every later root: so many of a kind are named.
_MOST: Final = 100
_FIRST: Final = -(1 << 63)
_STATE: Final = """
SELECT (SELECT count(*) FROM ledger_leaves), (SELECT coalesce(max(leaf) + 1, 0) FROM ledger_leaves),
       c.size, coalesce(c.floor, 0), c.sealed_at,
       (SELECT count(*) FROM consent_events e WHERE e.seq > coalesce(c.floor, 0)
        AND NOT EXISTS (SELECT FROM ledger_leaves l WHERE l.event = e.event))
FROM (SELECT) one
LEFT JOIN LATERAL (SELECT * FROM ledger_checkpoints ORDER BY size DESC LIMIT 1) c ON true
"""
_NO_LEAF: Final = """
SELECT e.subject, e.n FROM consent_events e
WHERE e.seq > %(from)s AND (e.seq <= %(floor)s OR e.recorded_at < %(sealed_at)s - %(late)s)
  AND NOT EXISTS (SELECT FROM ledger_leaves l WHERE l.event = e.event)
ORDER BY e.subject, e.n LIMIT %(most)s
"""
_OTHERS: Final = """
SELECT e.subject, e.n, l.leaf FROM consent_events e JOIN ledger_leaves l USING (event)
WHERE l.hash <> e.hash ORDER BY l.leaf LIMIT %s
"""
_ORPHANS: Final = """
SELECT l.leaf FROM ledger_leaves l
WHERE NOT EXISTS (SELECT FROM consent_events e WHERE e.event = l.event)
ORDER BY l.leaf LIMIT %s
"""
_HOLES: Final = """
SELECT l.before + 1 FROM (
    SELECT leaf, lag(leaf, 1, -1::bigint) OVER (ORDER BY leaf) AS before FROM ledger_leaves) l
WHERE l.leaf <> l.before + 1 ORDER BY l.leaf LIMIT %s
"""


@dataclass(frozen=True, slots=True)
class TreeFault:
    """One thing that does not hold about leaves and checkpoints, and where."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class Trust:
    """What the check goes by: public keys of the ledger, and directories that were published."""

    keys: tuple[VerifierKey, ...] = ()
    folders: tuple[Path, ...] = ()


@dataclass(slots=True)
class Tree:
    """What was looked at. ``unsealed`` entries are no leaves yet."""

    leaves: int = 0
    checkpoints: int = 0
    published: int = 0
    unsealed: int = 0


@dataclass(frozen=True, slots=True)
class _Signed:
    """A checkpoint with a good signature: where it is, and what it says."""

    where: str
    size: int
    root: bytes


def check_tree(
    connection: Connection, scan: Scan, trust: Trust, found: Tree
) -> Iterator[Fault | TreeFault]:
    """Every fault of leaves, stored hashes and checkpoints. Call inside a snapshot, after a scan.

    Raises OSError when a directory cannot be read.
    """
    ((held, extent, size, floor, sealed_at, waiting),) = connection.execute(_STATE).fetchall()
    found.leaves, found.unsealed = held, scan.unsealed
    if size is not None:
        start = floor if waiting == found.unsealed else _FIRST
        values = {"floor": floor, "sealed_at": sealed_at, "late": _LATE, "from": start}
        values["most"] = _MOST
        for subject, n in connection.execute(_NO_LEAF, values):
            yield Fault(subject, n, "is older than the last checkpoint, and no leaf of it")
    yield from _leaf_faults(connection, scan, held, extent)
    if extent > (size or 0):
        yield TreeFault(f"leaf {size or 0}", "is in no checkpoint: it was not sealed by us")
    # A leaf with a number out of all proportion must not make this count to it.
    reach = min(extent, held + scan.entries)
    origin = origin_of(log_id(connection))
    yield from _Checkpoints(connection, origin, trust, found).faults(reach)


def _leaf_faults(
    connection: Connection, scan: Scan, held: int, extent: int
) -> Iterator[Fault | TreeFault]:
    """Leaves that are missing, or that are not those of entries; looked for when counts differ."""
    if scan.torn:
        for subject, n, leaf in connection.execute(_OTHERS, (_MOST,)):
            yield Fault(subject, n, f"leaf {leaf} was made of another entry than this")
    if scan.entries - scan.unsealed != held:
        for (leaf,) in connection.execute(_ORPHANS, (_MOST,)):
            yield TreeFault(f"leaf {leaf}", "the entry that it was made of is missing")
    if held != extent:
        for (leaf,) in connection.execute(_HOLES, (_MOST,)):
            yield TreeFault(f"leaf {leaf}", "is missing")


@dataclass(slots=True)
class _Checkpoints:
    """Reads checkpoints, of the database and of directories, and holds them against the leaves."""

    connection: Connection
    origin: str
    trust: Trust
    found: Tree
    bad: list[TreeFault] = field(default_factory=list)

    def faults(self, extent: int) -> Iterator[TreeFault]:
        """Every fault of checkpoints, and of the hashes that are stored above the leaves."""
        roots = Roots(self.connection, extent)
        sources = [self._of_database(), *map(self._of_folder, self.trust.folders)]
        signed = heapq.merge(*sources, key=attrgetter("size"))
        wrong = 0
        for size, group in groupby(signed, key=attrgetter("size")):
            same = list(group)
            yield from _forks(same)
            if size > extent:
                what = f"{size} entries were sealed, the ledger has {extent}: its tail was cut"
                yield from (TreeFault(each.where, what) for each in same)
                continue
            root = roots.at(size)
            for each in same:
                wrong += each.root != root
                if each.root != root and wrong <= _MOST:
                    yield TreeFault(each.where, "the leaves make another root than was signed")
        roots.finish()
        yield from self.bad
        if wrong > _MOST:
            yield TreeFault("checkpoints", f"{wrong - _MOST} more do not fit the leaves")
        for level, place in roots.altered[:_MOST]:
            yield TreeFault(f"subtree {level}/{place}", "its stored hash is not that of its leaves")

    def _of_database(self) -> Iterator[_Signed]:
        for row in after(self.connection, 0):
            self.found.checkpoints += 1
            where = f"checkpoint {row.size}"
            checkpoint = self._opened(where, row.note)
            if checkpoint is None:
                continue
            if (checkpoint.size, checkpoint.root) != (row.size, row.root):
                self.bad.append(TreeFault(where, "its row says otherwise than what was signed"))
            else:
                yield _Signed(where, row.size, row.root)

    def _of_folder(self, folder: Path) -> Iterator[_Signed]:
        for each in published(folder):
            self.found.published += 1
            checkpoint = self._opened(str(each.file), each.note)
            if checkpoint is None:
                continue
            if each.file.name != file_name(checkpoint.size):
                self.bad.append(TreeFault(str(each.file), "its name does not fit its size"))
            else:
                yield _Signed(str(each.file), checkpoint.size, checkpoint.root)

    def _opened(self, where: str, note: str) -> Checkpoint | None:
        """What a checkpoint says; None, and a fault, when it is not one of this ledger."""
        opened = _opened(note, self.origin, self.trust.keys)
        if isinstance(opened, Checkpoint):
            return opened
        self.bad.append(TreeFault(where, opened))
        return None


@lru_cache(maxsize=16)
def _opened(note: str, origin: str, keys: Sequence[VerifierKey]) -> Checkpoint | str:
    """A checkpoint, or what is wrong with it. What was published is mostly met twice in a row."""
    try:
        checkpoint, by = read(note), signers(note, keys)
    except WrongSignature:
        return "its signature is wrong"
    except NoteError:
        return "is no signed checkpoint"
    if checkpoint.origin != origin:
        return "is a checkpoint of another ledger"
    return checkpoint if by else "is signed by another key"


def _forks(same: Sequence[_Signed]) -> Iterator[TreeFault]:
    """Two signed checkpoints of one size and different roots."""
    for other in same[1:]:
        if other.root != same[0].root:
            what = f"another history of this size was signed as well ({same[0].where})"
            yield TreeFault(other.where, what)
