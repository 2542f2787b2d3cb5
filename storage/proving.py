"""Proofs from the stored tree: that an entry is in a checkpoint, that one follows from another.

Each reads a few short ranges, whatever the size of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from psycopg.rows import TupleRow

from keywords.merkle import (
    Span,
    Subtree,
    consistency_spans,
    inclusion_spans,
    leaf_hash,
    proof,
    subtrees,
)
from storage.checkpoints import Sealed, newest
from storage.database import Connection
from storage.tree import read_subtrees

_ENTRIES: Final = """
SELECT e.event, e.subject, e.n, e.prev, e.envelope, e.hash, l.leaf
FROM consent_events e LEFT JOIN ledger_leaves l USING (event)
"""
_BY_EVENT: Final = f"{_ENTRIES} WHERE e.event = %s"
_BY_SUBJECT: Final = f"{_ENTRIES} WHERE e.subject = %s ORDER BY e.n"


@dataclass(frozen=True, slots=True)
class Inclusion:
    """That an entry is in a checkpoint: all that a stranger needs but the log's public key.

    ``hash = SHA-256(0x01 ‖ prev ‖ envelope)`` is the data of the leaf number ``leaf``,
    ``leaf_hash = SHA-256(0x00 ‖ hash)``, and ``path`` leads from there to the checkpoint's root.
    """

    event: UUID
    subject: UUID
    n: int
    prev: bytes
    envelope: bytes
    hash: bytes
    leaf: int
    path: Sequence[bytes]

    @property
    def leaf_hash(self) -> bytes:
        """The hash that the path begins at."""
        return leaf_hash(self.hash)


@dataclass(frozen=True, slots=True)
class Proven:
    """Entries with their proofs, and the one checkpoint that all of them lead to.

    ``checkpoint`` is None before the first one; ``unsealed`` are entries that it lacks yet.
    """

    checkpoint: Sealed | None
    entries: Sequence[Inclusion]
    unsealed: Sequence[UUID]


def prove_event(connection: Connection, event: UUID) -> Proven:
    """One entry; neither proven nor unsealed when there is no such entry."""
    return _proven(connection, _BY_EVENT, event)


def prove_subject(connection: Connection, subject: UUID) -> Proven:
    """All entries of a person, in their order."""
    return _proven(connection, _BY_SUBJECT, subject)


def prove_consistency(connection: Connection, old: int, new: int) -> list[bytes]:
    """That the first ``new`` leaves begin with the first ``old`` ones.

    Raises ``keywords.merkle.ProofError`` when ``new`` is smaller, ``storage.tree.TornTree`` when
    there are not so many leaves.
    """
    spans = consistency_spans(old, new)
    return proof(spans, read_subtrees(connection, _parts(spans)))


def _proven(connection: Connection, statement: str, key: UUID) -> Proven:
    """Leaves are never moved, so proofs to the newest checkpoint need no snapshot."""
    checkpoint = newest(connection)
    size = checkpoint.size if checkpoint else 0
    rows = connection.execute(statement, (key,)).fetchall()
    sealed = [row for row in rows if row[6] is not None and row[6] < size]
    spans = {row[6]: inclusion_spans(row[6], size) for row in sealed}
    known = read_subtrees(connection, {s for each in spans.values() for s in _parts(each)})
    entries = [_inclusion(row, proof(spans[row[6]], known)) for row in sealed]
    proven = {entry.event for entry in entries}
    return Proven(checkpoint, entries, [row[0] for row in rows if row[0] not in proven])


def _inclusion(row: TupleRow, path: Sequence[bytes]) -> Inclusion:
    event, subject, n, prev, envelope, digest, leaf = row
    return Inclusion(event, subject, n, prev, envelope, digest, leaf, path)


def _parts(spans: Iterable[Span]) -> Iterable[Subtree]:
    return (subtree for span in spans for subtree in subtrees(span))
