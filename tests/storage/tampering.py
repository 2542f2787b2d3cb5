"""What somebody could do who owns the database, the files or even the signing key."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import psycopg

from keywords.checkpoint import Checkpoint, VerifierKey, origin_of, sign, verifier_key
from keywords.ledger import Fault, canonical, chain_hash
from keywords.merkle import Frontier, leaf_hash
from storage.checking import Findings
from storage.checkpoints import log_id
from storage.database import Connection
from storage.published import publish
from storage.scanning import scan
from storage.tree import is_kept
from storage.tree_check import Trust, check_tree
from storage.verifying import examine

GUARDED = (
    *("consent_events", "consent_evidence", "ledger_log"),
    *("ledger_leaves", "ledger_nodes", "ledger_checkpoints"),
)
Change = Callable[[dict[str, Any]], dict[str, Any]]


@contextmanager
def undone(connection: Connection) -> Iterator[None]:
    """A transaction without guards, which is taken back."""
    connection.execute("BEGIN")
    try:
        for table in GUARDED:
            connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
        yield
    finally:
        connection.execute("ROLLBACK")


def attempt(connection: Connection, statement: str, *values: Any) -> int:
    """How many rows it changed; none where a constraint of the database forbids it."""
    connection.execute("SAVEPOINT attempt")
    try:
        return connection.execute(statement, values or None).rowcount
    except psycopg.Error:
        connection.execute("ROLLBACK TO attempt")
        return 0


def findings(connection: Connection, trust: Trust) -> Findings:
    """What the verification finds, within a transaction that is open."""
    found = Findings()
    for _ in scan(connection, found.scan):
        pass
    found.faults += examine(connection, found.scan.suspects)
    found.faults += check_tree(connection, found.scan, trust, found.tree)
    return found


def names(found: Findings) -> list[str]:
    """The faults as people read them: whose entry or where, and what."""
    return [
        f"entry {fault.n}: {fault.what}"
        if isinstance(fault, Fault)
        else f"{fault.where}: {fault.what}"
        for fault in found.faults
    ]


@dataclass
class Forger:
    """Rewrites history so that it fits itself. ``seed`` is the private key of the ledger."""

    connection: Connection
    seed: bytes

    def rewrite(self, subject: UUID, n: int, change: Change) -> None:
        """Change one entry of a person, and hash all that follows anew, to the end of the chain."""
        rows = self.connection.execute(
            "SELECT event, n, envelope, prev FROM consent_events WHERE subject = %s AND n >= %s"
            " ORDER BY n",
            (subject, n),
        ).fetchall()
        prev = rows[0][3]
        for event, number, envelope, _ in rows:
            fields = json.loads(envelope)
            data = canonical(change(fields)) if number == n else envelope
            digest = chain_hash(prev, data)
            self.connection.execute(
                "UPDATE consent_events SET envelope = %s, prev = %s, hash = %s WHERE event = %s",
                (data, prev, digest, event),
            )
            prev = digest
        self.connection.execute(
            "UPDATE subscribers SET chain_head = %s WHERE ref = %s", (prev, subject)
        )

    def releaf(self) -> Mapping[int, bytes]:
        """Make the leaves and the stored hashes those of the entries; answers the root by size."""
        self.connection.execute(
            "UPDATE ledger_leaves l SET hash = e.hash FROM consent_events e WHERE e.event = l.event"
        )
        self.connection.execute("DELETE FROM ledger_nodes")
        tree, roots = Frontier(), {}
        for (data,) in self.connection.execute("SELECT hash FROM ledger_leaves ORDER BY leaf"):
            for subtree, value in tree.add(leaf_hash(data)):
                if is_kept(subtree):
                    self.connection.execute(
                        "INSERT INTO ledger_nodes VALUES (%s, %s, %s)", (*subtree, value)
                    )
            roots[tree.size] = tree.root()
        return roots

    def reroot(self) -> None:
        """Write the new roots into the checkpoints' rows, and leave the signatures alone."""
        for size, root in self.releaf().items():
            self.connection.execute(
                "UPDATE ledger_checkpoints SET root = %s WHERE size = %s", (root, size)
            )

    def resign(self, seed: bytes | None = None, pretend: VerifierKey | None = None) -> None:
        """Sign the new roots, with the ledger's own key or another that may pretend to be it."""
        self.reroot()
        origin = origin_of(log_id(self.connection))
        for size, root in self.connection.execute("SELECT size, root FROM ledger_checkpoints"):
            note = sign(Checkpoint(origin, size, root), seed or self.seed)
            if pretend is not None and seed is not None:
                note = note.replace(*_ids(verifier_key(origin, seed), pretend, note))
            self.connection.execute(
                "UPDATE ledger_checkpoints SET note = %s WHERE size = %s", (note, size)
            )

    def cut(self, size: int) -> None:
        """Take everything after some leaf away, so that nothing shows it."""
        gone = self.connection.execute(
            "SELECT e.subject, min(e.n) FROM consent_events e JOIN ledger_leaves l USING (event)"
            " WHERE l.leaf >= %s GROUP BY e.subject",
            (size,),
        ).fetchall()
        for subject, n in gone:
            self._cut_chain(subject, n)
        self.connection.execute("DELETE FROM ledger_leaves WHERE leaf >= %s", (size,))
        self.connection.execute("DELETE FROM ledger_checkpoints WHERE size > %s", (size,))

    def _cut_chain(self, subject: UUID, n: int) -> None:
        self.connection.execute(
            "DELETE FROM consent_events WHERE subject = %s AND n >= %s", (subject, n)
        )
        self.connection.execute(
            """
            UPDATE subscribers SET chain_n = %(n)s - 1, chain_head = coalesce(
                (SELECT hash FROM consent_events WHERE subject = %(subject)s AND n = %(n)s - 1),
                decode(repeat('00', 32), 'hex'))
            WHERE ref = %(subject)s
            """,
            {"subject": subject, "n": n},
        )


def _ids(real: VerifierKey, pretended: VerifierKey, note: str) -> tuple[str, str]:
    """The signature's base64 as it is, and with the id of another key in front."""
    encoded = note.rstrip("\n").rpartition(" ")[2]
    assert b64decode(encoded)[:4] == real.id
    return encoded, b64encode(pretended.id + b64decode(encoded)[4:]).decode()


def republish(connection: Connection, folder: Path) -> None:
    """Publish what the database says now into another directory."""
    for size, note in connection.execute("SELECT size, note FROM ledger_checkpoints"):
        publish(folder, size, note)
