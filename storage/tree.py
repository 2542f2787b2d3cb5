"""The Merkle tree as it is stored: every leaf, and the hash of every full subtree of 256.

A leaf's index is given once and never again; rows are only ever added. Of the nodes above the
leaves only those at levels 8, 16, 24, … are kept (a 256th of the leaves, the tiles of other logs),
because whatever lies between is made of at most 256 of them: any proof reads a few short ranges.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final
from uuid import UUID

from sqlalchemy.orm import Mapped, mapped_column

from keywords.merkle import Frontier, Span, Subtree, leaf_hash, root, subtrees
from storage.base import Base
from storage.database import Connection

TILE_LEVELS: Final = 8
_READ: Final = """
WITH ranges AS (
    SELECT * FROM unnest(%(levels)s::bigint[], %(firsts)s::bigint[], %(ends)s::bigint[])
    AS r (level, first, last)
)
SELECT 0, l.leaf, l.hash FROM ranges r JOIN ledger_leaves l
    ON r.level = 0 AND l.leaf >= r.first AND l.leaf < r.last
UNION ALL
SELECT n.level, n.place, n.hash FROM ranges r JOIN ledger_nodes n
    ON n.level = r.level AND n.place >= r.first AND n.place < r.last
"""


class LeafRow(Base):
    """One leaf: which entry it stands for, and its data, the hash of that entry."""

    __tablename__ = "ledger_leaves"

    leaf: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    event: Mapped[UUID] = mapped_column(unique=True)
    hash: Mapped[bytes]


class NodeRow(Base):
    """The hash of a full subtree, at a level that is a multiple of eight."""

    __tablename__ = "ledger_nodes"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes]


class TornTree(LookupError):
    """A leaf or subtree that should be stored is not there: the tree was tampered with."""


def is_kept(subtree: Subtree) -> bool:
    """Whether the hash of a subtree above the leaves has a row of its own."""
    return subtree.level > 0 and subtree.level % TILE_LEVELS == 0


def read_subtrees(connection: Connection, wanted: Iterable[Subtree]) -> Mapping[Subtree, bytes]:
    """The hashes of these full subtrees, in one round trip. Raises TornTree."""
    ranges = {subtree: _range(subtree) for subtree in wanted}
    rows = connection.execute(
        _READ,
        {
            "levels": [level for level, _ in ranges.values()],
            "firsts": [span.start for _, span in ranges.values()],
            "ends": [span.end for _, span in ranges.values()],
        },
    )
    stored = {
        Subtree(level, place): value if level else leaf_hash(value) for level, place, value in rows
    }
    try:
        return {
            subtree: root(stored[Subtree(level, place)] for place in range(*span))
            for subtree, (level, span) in ranges.items()
        }
    except KeyError as error:
        raise TornTree(str(error)) from None


def frontier(connection: Connection, size: int) -> Frontier:
    """The tree of the first ``size`` leaves, ready to grow. Raises TornTree."""
    peaks = list(subtrees(Span(0, size)))
    stored = read_subtrees(connection, peaks)
    return Frontier(size, [stored[peak] for peak in peaks])


def _range(subtree: Subtree) -> tuple[int, Span]:
    """The stored level below a subtree, and which of its hashes the subtree is made of."""
    above = subtree.level % TILE_LEVELS
    first = subtree.place << above
    return subtree.level - above, Span(first, first + (1 << above))
