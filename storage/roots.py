"""The root of the stored leaves at any sizes, in one pass; stored subtree hashes on the way."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from keywords.merkle import (
    HASH_BYTES,
    Frontier,
    Span,
    Subtree,
    full_root,
    join,
    leaf_hash,
    leaf_hashes,
    subtrees,
)
from storage.database import Connection
from storage.tree import TILE_LEVELS, is_kept

TILE: Final = 1 << TILE_LEVELS
_TILES: Final = """
SELECT (
    SELECT string_agg(l.hash, ''::bytea ORDER BY l.leaf) FROM ledger_leaves l
    WHERE l.leaf >= t.tile * %(tile)s AND l.leaf < (t.tile + 1) * %(tile)s
) FROM generate_series(0, (%(leaves)s::bigint - 1) / %(tile)s) t (tile) ORDER BY t.tile
"""
_NODES: Final = "SELECT level, place, hash FROM ledger_nodes"
_NOTHING: Final = b""


class Roots:
    """The roots over the first ``leaves`` leaves; ask for larger and larger sizes.

    ``altered`` are stored subtree hashes that the leaves do not make, or that should not be there.
    Call inside a snapshot.
    """

    def __init__(self, connection: Connection, leaves: int) -> None:
        self.altered: list[Subtree] = []
        self._leaves = leaves
        self._stored = {
            Subtree(level, place): value for level, place, value in connection.execute(_NODES)
        }
        self._tiles = _tiles(connection, leaves)
        self._tile: list[bytes] | None = None
        self._whole = Frontier()

    def at(self, size: int) -> bytes:
        """The root of the first ``size`` leaves; of no use where leaves are missing.

        ``size`` is at most ``leaves``, and no smaller than the last one.
        """
        while self._whole.size < size // TILE:
            self._complete()
        tile = self._current() if size % TILE else []
        return join([*self._whole.peaks, *_peaks(tile[: size % TILE])])

    def finish(self) -> None:
        """Look at the rest of the leaves, and at the hashes that nothing was compared with."""
        while self._whole.size < self._leaves // TILE:
            self._complete()
        self.altered += sorted(self._stored)

    def _complete(self) -> None:
        """Take a whole tile of leaves into the tree above."""
        tile = self._current()
        # A tile with a hole in it has no root; any value but the right one will do.
        value = full_root(tile) if len(tile) == TILE else leaf_hash(_NOTHING)
        for subtree, node in self._whole.add(value):
            self._compare(Subtree(subtree.level + TILE_LEVELS, subtree.place), node)
        self._tile = None

    def _compare(self, subtree: Subtree, value: bytes) -> None:
        if is_kept(subtree) and self._stored.pop(subtree, None) != value:
            self.altered.append(subtree)

    def _current(self) -> list[bytes]:
        if self._tile is None:
            self._tile = next(self._tiles, [])
        return self._tile


def _peaks(leaves: Sequence[bytes]) -> Iterator[bytes]:
    """The roots of the full subtrees that these leaves are made of."""
    for level, place in subtrees(Span(0, len(leaves))):
        yield full_root(leaves[place << level : (place + 1) << level])


def _tiles(connection: Connection, leaves: int) -> Iterator[list[bytes]]:
    """The leaf hashes, 256 at a time; fewer where leaves are missing."""
    with connection.cursor("tiles", binary=True) as cursor:
        cursor.itersize = 50
        for (data,) in cursor.execute(_TILES, {"tile": TILE, "leaves": leaves}):
            packed = data or b""
            yield leaf_hashes(
                [packed[at : at + HASH_BYTES] for at in range(0, len(packed), HASH_BYTES)]
            )
