"""The whole verification: people and their entries, then leaves and checkpoints, in one view."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field

from keywords.ledger import Fault
from storage.database import Connection
from storage.scanning import Scan, scan
from storage.tree_check import Tree, TreeFault, Trust, check_tree
from storage.verifying import examine, snapshot


@dataclass(slots=True)
class Findings:
    """What was looked at, and every fault that was found."""

    scan: Scan = field(default_factory=Scan)
    tree: Tree = field(default_factory=Tree)
    faults: list[Fault | TreeFault] = field(default_factory=list)


def verify_ledger(connection: Connection, trust: Trust, found: Findings) -> Generator[int]:
    """Fill ``found``; yields, now and then, how many entries were checked since the last time.

    Take all of the iterator: the database's view is held until it ends. Raises OSError when a
    directory of checkpoints cannot be read.
    """
    with snapshot(connection):
        ((identities,),) = connection.execute("SELECT count(*) FROM ledger_log").fetchall()
        if identities != 1:
            what = f"holds {identities} identities, and a ledger has one"
            found.faults.append(TreeFault("ledger_log", what))
            return
        yield from scan(connection, found.scan)
        found.faults += examine(connection, found.scan.suspects)
        found.faults += check_tree(connection, found.scan, trust, found.tree)
