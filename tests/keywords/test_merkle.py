"""The tree's hashes and proofs, pinned, and proofs that fail in every way they can."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from keywords.merkle import (
    EMPTY_ROOT,
    Frontier,
    ProofError,
    RootMismatch,
    Subtree,
    consistency_spans,
    full_root,
    inclusion_spans,
    join,
    leaf_hash,
    leaf_hashes,
    node_hash,
    proof,
    root,
    subtrees,
    verify_consistency,
    verify_inclusion,
)

VECTORS: dict[str, Any] = json.loads(
    Path(__file__).with_name("merkle_vectors.json").read_text(encoding="ascii")
)
LEAVES = [bytes.fromhex(leaf["hash"]) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(text) for text in VECTORS["roots"]]
SIZES = st.integers(1, 300)


def path_of(vector: dict[str, Any]) -> list[bytes]:
    """The hashes of a vector's proof."""
    return [bytes.fromhex(part) for part in vector["path"]]


def numbered(count: int) -> list[bytes]:
    """Leaf hashes of a tree of some size."""
    return [leaf_hash(i.to_bytes(4, "big")) for i in range(count)]


def known(leaves: list[bytes]) -> dict[Subtree, bytes]:
    """All full subtrees over these leaves, as a log stores them."""
    tree = Frontier()
    return {subtree: value for leaf in leaves for subtree, value in tree.add(leaf)}


def defined(leaves: list[bytes]) -> bytes:
    """The root as RFC 6962, 2.1 defines it, word for word."""
    if len(leaves) < 2:
        return leaves[0] if leaves else EMPTY_ROOT
    half = 1
    while half * 2 < len(leaves):
        half *= 2
    return node_hash(defined(leaves[:half]), defined(leaves[half:]))


def test_leaves_and_roots_are_those_that_are_pinned() -> None:
    """The published leaves of Certificate Transparency have the published roots."""
    data = [bytes.fromhex(leaf["data"]) for leaf in VECTORS["leaves"]]

    assert [leaf_hash(each) for each in data] == LEAVES
    assert [root(LEAVES[:size]) for size in range(9)] == ROOTS
    assert ROOTS[0] == hashlib.sha256(b"").digest()


def test_the_leaf_of_an_entry_is_pinned() -> None:
    """SHA-256 of the byte 0 and the entry's hash, and nothing else of ours is needed."""
    ledger = VECTORS["ledger"]
    hashes = [
        hashlib.sha256(b"\x00" + bytes.fromhex(each["entry"])).hexdigest()
        for each in ledger["leaves"]
    ]

    assert hashes == [each["hash"] for each in ledger["leaves"]]
    assert root(map(bytes.fromhex, hashes)).hex() == ledger["root"]


@pytest.mark.parametrize("where", ["own", "published"])
def test_inclusion_proofs_are_those_that_are_pinned(where: str) -> None:
    """Every leaf of every size up to eight; one of them made by another implementation."""
    stored = known(LEAVES)
    for vector in VECTORS["inclusion"] if where == "own" else [VECTORS["published"]["inclusion"]]:
        index, size, path = vector["leaf"], vector["size"], path_of(vector)

        assert proof(inclusion_spans(index, size), stored) == path
        verify_inclusion(LEAVES[index], index, size, path, ROOTS[size])


@pytest.mark.parametrize("where", ["own", "published"])
def test_consistency_proofs_are_those_that_are_pinned(where: str) -> None:
    """Every pair of sizes up to eight; one of them made by another implementation."""
    stored = known(LEAVES)
    pairs = VECTORS["consistency"] if where == "own" else [VECTORS["published"]["consistency"]]
    for vector in pairs:
        old, new, path = vector["old"], vector["new"], path_of(vector)

        assert proof(consistency_spans(old, new), stored) == path
        verify_consistency(old, new, path, ROOTS[old], ROOTS[new])


@given(SIZES)
def test_a_growing_tree_has_the_defined_root_at_each_size(size: int) -> None:
    """The peaks are enough to know every root on the way, and to go on from any of them."""
    leaves = numbered(size)
    tree = Frontier()
    for leaf in leaves[: size // 2]:
        tree.add(leaf)
    later = Frontier(tree.size, tree.peaks)
    for leaf in leaves[size // 2 :]:
        later.add(leaf)

    assert tree.root() == defined(leaves[: size // 2])
    assert later.root() == defined(leaves) == root(leaves)


@given(st.integers(0, 8))
def test_the_quick_ways_are_the_same(level: int) -> None:
    """Many leaves at once, and a tree that is full."""
    leaves = numbered(1 << level)

    assert full_root(leaves) == root(leaves)
    assert leaf_hashes([b"", b"x"]) == [leaf_hash(b""), leaf_hash(b"x")]


def test_a_tree_is_not_taken_up_from_the_wrong_peaks() -> None:
    """The bits of the size say how many there are."""
    with pytest.raises(ValueError, match="peaks"):
        Frontier(3, [LEAVES[0]])


@given(SIZES)
def test_a_tree_is_the_join_of_its_full_subtrees(size: int) -> None:
    """What is stored of a tree is enough for its root."""
    leaves = numbered(size)
    stored = known(leaves)

    parts = list(subtrees(inclusion_spans(0, size * 2 + 1)[-1]._replace(start=0, end=size)))

    assert join([stored[part] for part in parts]) == defined(leaves)
    assert sum(1 << part.level for part in parts) == size


@given(st.data())
def test_every_leaf_of_any_tree_can_be_proven(data: st.DataObject) -> None:
    """With no more hashes than the tree is deep."""
    size = data.draw(SIZES)
    index = data.draw(st.integers(0, size - 1))
    leaves = numbered(size)

    path = proof(inclusion_spans(index, size), known(leaves))

    assert len(path) <= (size - 1).bit_length()
    verify_inclusion(leaves[index], index, size, path, defined(leaves))


@given(st.data())
def test_every_size_is_consistent_with_every_later_one(data: st.DataObject) -> None:
    """From nothing, and to itself, as well."""
    new = data.draw(SIZES)
    old = data.draw(st.integers(0, new))
    leaves = numbered(new)

    path = proof(consistency_spans(old, new), known(leaves))

    verify_consistency(old, new, path, defined(leaves[:old]), defined(leaves))


@given(st.data())
def test_an_inclusion_proof_proves_nothing_else(data: st.DataObject) -> None:
    """Another leaf, another place, another root or a changed hash is refused."""
    size = data.draw(st.integers(2, 100))
    index, other = data.draw(st.permutations(range(size)))[:2]
    leaves = numbered(size)
    top, path = defined(leaves), proof(inclusion_spans(index, size), known(leaves))
    at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))

    for leaf, place, parts, expected in (
        (leaves[other], index, path, top),
        (leaves[index], other, path, top),
        (leaves[index], index, path, node_hash(top, top)),
        (leaves[index], index, flipped(path, at, bit), top),
        (leaves[index], index, path[:-1], top),
        (leaves[index], index, [*path, top], top),
        (leaves[index], index, [part[:-1] for part in path], top),
    ):
        with pytest.raises(ProofError):
            verify_inclusion(leaf, place, size, parts, expected)


@given(st.data())
def test_a_consistency_proof_proves_nothing_else(data: st.DataObject) -> None:
    """Other roots, other sizes of another depth, or a changed hash are refused."""
    new = data.draw(st.integers(2, 100))
    old = data.draw(st.integers(1, new - 1))
    leaves = numbered(new)
    before, after = defined(leaves[:old]), defined(leaves)
    path = proof(consistency_spans(old, new), known(leaves))
    at, bit = data.draw(st.integers(0, len(path) - 1)), data.draw(st.integers(0, 255))

    for size, parts, first, second in (
        (old, path, after, after),
        (old, path, before, before),
        (old, flipped(path, at, bit), before, after),
        (old, path[:-1], before, after),
        (old, [*path, after], before, after),
        (old, [], before, after),
        (new, path, before, after),
        (0, path, before, after),
    ):
        with pytest.raises(ProofError):
            verify_consistency(size, new, parts, first, second)


def flipped(path: list[bytes], at: int, bit: int) -> list[bytes]:
    """The same proof with one bit of one hash changed."""
    part = int.from_bytes(path[at], "big") ^ (1 << bit)
    return [*path[:at], part.to_bytes(32, "big"), *path[at + 1 :]]


@given(st.data())
def test_a_rewritten_leaf_shows_in_every_later_consistency_proof(data: st.DataObject) -> None:
    """Nobody can prove that an altered history begins with the published one."""
    new = data.draw(st.integers(2, 60))
    old = data.draw(st.integers(1, new))
    changed = data.draw(st.integers(0, new - 1))
    leaves = numbered(new)
    altered = [*leaves[:changed], leaf_hash(b"altered"), *leaves[changed + 1 :]]
    assume(changed < old)

    with pytest.raises(RootMismatch) as caught:
        verify_consistency(
            old,
            new,
            proof(consistency_spans(old, new), known(altered)),
            defined(leaves[:old]),
            defined(altered),
        )

    assert caught.value.expected != caught.value.computed
    assert caught.value.computed.hex() in str(caught.value)


@pytest.mark.parametrize(
    ("index", "size"), [(0, 0), (5, 5), (-1, 5)], ids=["empty", "after", "before"]
)
def test_a_leaf_that_is_not_there_has_no_proof(index: int, size: int) -> None:
    """Neither to be made nor to be believed."""
    with pytest.raises(ProofError, match="no leaf"):
        inclusion_spans(index, size)
    with pytest.raises(ProofError, match="no leaf"):
        verify_inclusion(LEAVES[0], index, size, [], LEAVES[0])


def test_a_tree_does_not_begin_with_a_larger_one() -> None:
    """A tail that was cut cannot be explained away."""
    with pytest.raises(ProofError, match="cannot begin with 5"):
        consistency_spans(5, 4)
    with pytest.raises(ProofError, match="cannot begin with 5"):
        verify_consistency(5, 4, [], ROOTS[5], ROOTS[4])


@pytest.mark.parametrize(
    ("old", "new", "first", "second"),
    [(0, 5, 5, 5), (5, 5, 4, 5), (0, 0, 0, 1)],
    ids=["nothing", "itself", "empty"],
)
def test_trivial_proofs_still_compare_roots(old: int, new: int, first: int, second: int) -> None:
    """Where no hash has to be shown the roots must be the right ones."""
    with pytest.raises(RootMismatch):
        verify_consistency(old, new, [], ROOTS[first], ROOTS[second])
