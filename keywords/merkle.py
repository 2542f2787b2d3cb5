"""The Merkle tree over the ledger: hashes, roots and proofs as RFC 6962 and RFC 9162 define them.

``leaf = SHA-256(0x00 ‖ data)``, ``node = SHA-256(0x01 ‖ left ‖ right)``, and the root of nothing is
``SHA-256("")``. The data of a leaf is the 32-byte hash of a ledger entry (``keywords.ledger``),
which covers the entry and, through the hash before it, all of that person's earlier ones.

A proof is a list of hashes, each of a *span*: the leaves from ``start`` up to but not ``end``.
A span is made of *subtrees* of 2^level leaves, which never change once they are full, so that
whoever stores their hashes can prove anything by reading a few. Verification depends on nothing
but its arguments. The vectors in ``tests/keywords/merkle_vectors.json`` pin all of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
_LEAF: Final = b"\x00"
_NODE: Final = b"\x01"


class ProofError(ValueError):
    """A proof that does not prove what it should: one sentence that says why."""


class RootMismatch(ProofError):
    """A proof that leads to another root. Carries both, so that a report can show them."""

    def __init__(self, what: str, expected: bytes, computed: bytes) -> None:
        super().__init__(f"{what}: the root is {expected.hex()}, the proof makes {computed.hex()}")
        self.expected = expected
        self.computed = computed


class Subtree(NamedTuple):
    """The full subtree over the leaves from ``place * 2**level`` up to the next multiple."""

    level: int
    place: int


class Span(NamedTuple):
    """The leaves from ``start`` up to but not ``end``."""

    start: int
    end: int


def leaf_hash(data: bytes) -> bytes:
    """The hash of a leaf that holds ``data``."""
    return hashlib.sha256(_LEAF + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two neighbours."""
    return hashlib.sha256(_NODE + left + right).digest()


class Frontier:
    """A tree that grows: its size, and the hashes of the full subtrees it is made of.

    ``peaks`` are the roots of the subtrees that the bits of ``size`` name, largest first. They
    are all that is needed to add leaves and to know the root at each size.
    """

    __slots__ = ("peaks", "size")

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = ()) -> None:
        self.size = size
        self.peaks = list(peaks)
        if len(self.peaks) != size.bit_count():
            raise ValueError(f"a tree of {size} leaves has {size.bit_count()} peaks")

    def add(self, leaf: bytes) -> list[tuple[Subtree, bytes]]:
        """Add a leaf's hash; answers each subtree that this completes, the leaf itself first."""
        level, place = 0, self.size
        completed = [(Subtree(level, place), leaf)]
        while place & 1:
            leaf = node_hash(self.peaks.pop(), leaf)
            level, place = level + 1, place >> 1
            completed.append((Subtree(level, place), leaf))
        self.peaks.append(leaf)
        self.size += 1
        return completed

    def root(self) -> bytes:
        """The root of the leaves that were added so far."""
        return join(self.peaks)


def root(leaves: Iterable[bytes]) -> bytes:
    """The root over these leaf hashes."""
    tree = Frontier()
    for leaf in leaves:
        tree.add(leaf)
    return tree.root()


def leaf_hashes(data: Iterable[bytes]) -> list[bytes]:
    """The hashes of many leaves: :func:`leaf_hash`, without a call for each."""
    sha256 = hashlib.sha256
    return [sha256(_LEAF + each).digest() for each in data]


def full_root(leaves: Sequence[bytes]) -> bytes:
    """The root over a number of leaves that is a power of two: :func:`root`, and quicker."""
    row, sha256 = leaves, hashlib.sha256
    while len(row) > 1:
        pairs = zip(row[::2], row[1::2], strict=True)
        row = [sha256(_NODE + left + right).digest() for left, right in pairs]
    return row[0]


def join(parts: Sequence[bytes]) -> bytes:
    """The hash over neighbouring full subtrees, each smaller than the one before it."""
    if not parts:
        return EMPTY_ROOT
    joined = parts[-1]
    for part in reversed(parts[:-1]):
        joined = node_hash(part, joined)
    return joined


def subtrees(span: Span) -> Iterator[Subtree]:
    """The full subtrees that a span of a proof, or a whole tree, is made of, left to right."""
    start, end = span
    while start < end:
        level = (end - start).bit_length() - 1
        yield Subtree(level, start >> level)
        start += 1 << level


def inclusion_spans(index: int, size: int) -> list[Span]:
    """What the inclusion proof of leaf ``index`` in a tree of ``size`` consists of, in its order.

    Raises ProofError when there is no such leaf.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    spans = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start = middle
    return spans[::-1]


def consistency_spans(old: int, new: int) -> list[Span]:
    """What the proof that ``new`` leaves begin with the ``old`` ones consists of, in its order.

    Raises ProofError when ``new`` is smaller. Nothing has to be shown from an empty tree.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves cannot begin with {old}")
    spans: list[Span] = []
    if old == 0:
        return spans
    start, end = 0, new
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            spans.append(Span(middle, end))
            end = middle
        else:
            spans.append(Span(start, middle))
            start = middle
    if start:
        spans.append(Span(start, end))
    return spans[::-1]


def proof(spans: Iterable[Span], known: Mapping[Subtree, bytes]) -> list[bytes]:
    """The hashes of these spans. ``known`` has those of their subtrees (KeyError when not)."""
    return [join([known[subtree] for subtree in subtrees(span)]) for span in spans]


def verify_inclusion(
    leaf: bytes, index: int, size: int, path: Sequence[bytes], expected: bytes
) -> None:
    """Check that the tree with the root ``expected`` has the leaf hash ``leaf`` at ``index``.

    RFC 9162, 2.1.3.2. Raises ProofError when the proof has another form, RootMismatch when it
    leads elsewhere.
    """
    if not 0 <= index < size:
        raise ProofError(f"a tree of {size} leaves has no leaf {index}")
    at, last, computed = index, size - 1, leaf
    for part in _checked(path):
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if at & 1 or at == last:
            computed = node_hash(part, computed)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed = node_hash(computed, part)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofError("the inclusion proof is too short")
    if computed != expected:
        raise RootMismatch("inclusion", expected, computed)


def verify_consistency(
    old: int, new: int, path: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Check that the tree of ``new`` leaves begins with the tree of ``old``, by their roots.

    RFC 9162, 2.1.4.2. Raises ProofError or RootMismatch as :func:`verify_inclusion` does.
    """
    if not 0 <= old <= new:
        raise ProofError(f"a tree of {new} leaves cannot begin with {old}")
    parts = list(_checked(path))
    if old in (0, new):
        _verify_trivial(old, new, parts, old_root, new_root)
        return
    if old & (old - 1) == 0:
        parts.insert(0, old_root)
    if not parts:
        raise ProofError("the consistency proof is too short")
    computed_old, computed_new = _consistent(old, new, parts)
    if computed_old != old_root:
        raise RootMismatch(f"size {old}", old_root, computed_old)
    if computed_new != new_root:
        raise RootMismatch(f"size {new}", new_root, computed_new)


def _verify_trivial(
    old: int, new: int, parts: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    if parts:
        raise ProofError("the consistency proof is too long")
    expected = EMPTY_ROOT if old == 0 else new_root
    if old_root != expected:
        raise RootMismatch(f"size {old}", old_root, expected)
    if new == 0 and new_root != EMPTY_ROOT:
        raise RootMismatch("size 0", new_root, EMPTY_ROOT)


def _consistent(old: int, new: int, parts: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The roots of both sizes that a proof's hashes make."""
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    computed_old = computed_new = parts[0]
    for part in parts[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if at & 1 or at == last:
            computed_old = node_hash(part, computed_old)
            computed_new = node_hash(part, computed_new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            computed_new = node_hash(computed_new, part)
        at, last = at >> 1, last >> 1
    if last != 0:
        raise ProofError("the consistency proof is too short")
    return computed_old, computed_new


def _split(size: int) -> int:
    """The largest power of two below ``size``: where RFC 6962 divides a tree."""
    return 1 << ((size - 1).bit_length() - 1)


def _checked(path: Sequence[bytes]) -> Iterator[bytes]:
    for part in path:
        if len(part) != HASH_BYTES:
            raise ProofError("a hash in the proof has another length than 32 bytes")
        yield part
