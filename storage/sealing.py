"""Make leaves of entries, in an order that late commits cannot break, and a checkpoint of them.

An entry's number (``seq``) is given before its transaction commits, so "all up to the highest
number" would pass over one that commits later. What is safe is every entry of a transaction that
had ended before the oldest one still running began: ``xid < pg_snapshot_xmin(…)``. Entries with an
``xid`` that this server has not reached yet come from a restored dump, and are safe as well.

So that a sealing need not look at the whole ledger, each checkpoint notes a floor below which
nothing can be waiting. It is made of marks: a mark is the last number given at some moment and the
next transaction id after it. Once all transactions below that id have ended and are sealed,
whatever is still to come has a higher number than the mark.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from psycopg.rows import TupleRow

from keywords.checkpoint import Checkpoint, origin_of
from keywords.merkle import leaf_hash
from storage.checkpoints import Sealed, at
from storage.database import Connection
from storage.transaction import atomic
from storage.tree import frontier, is_kept

_SEALER: Final = 4_151_900_003  # any fixed number that no other advisory lock of ours has
# A number may be drawn just before its transaction gets its id: one for each connection.
_SLACK: Final = 1_000
_STATE: Final = """
SELECT l.log, coalesce(c.size, 0), coalesce(c.floor, 0), coalesce(c.mark_seq, 0),
       c.mark_xid::text,
       coalesce(pg_sequence_last_value(
           pg_get_serial_sequence('consent_events', 'seq')::regclass), 0)
FROM ledger_log l
LEFT JOIN LATERAL (SELECT * FROM ledger_checkpoints ORDER BY size DESC LIMIT 1) c ON true
"""
_WAITING: Final = """
    FROM consent_events e
    WHERE e.seq > %(floor)s
      AND NOT EXISTS (SELECT FROM ledger_leaves l WHERE l.event = e.event)
"""
_TAKE: Final = f"""
WITH moment AS MATERIALIZED (SELECT pg_current_snapshot() AS snapshot),
safe AS MATERIALIZED (
    SELECT e.event, e.hash, e.xid, e.seq {_WAITING}
      AND (e.xid < (SELECT pg_snapshot_xmin(snapshot) FROM moment)
           OR e.xid >= (SELECT pg_snapshot_xmax(snapshot) FROM moment))
    ORDER BY e.seq LIMIT %(limit)s
), made AS (
    INSERT INTO ledger_leaves (leaf, event, hash)
    SELECT %(size)s + row_number() OVER (ORDER BY xid, seq) - 1, event, hash FROM safe
    RETURNING leaf, event, hash
)
SELECT m.leaf, m.hash, s.seq, pg_snapshot_xmin(snapshot)::text, pg_snapshot_xmax(snapshot)::text
FROM made m JOIN safe s USING (event) CROSS JOIN moment ORDER BY m.leaf
"""  # noqa: S608 - a part of a statement, which is our own
_OLDEST: Final = f"""
SELECT count(*), assent_now() - min(w.recorded_at) FROM (
    SELECT e.recorded_at {_WAITING} ORDER BY e.seq LIMIT %(limit)s) w
"""  # noqa: S608
_NODES: Final = """
INSERT INTO ledger_nodes (level, place, hash)
SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bytea[])
"""
_CHECKPOINT: Final = """
INSERT INTO ledger_checkpoints
    (size, root, note, verifier_key, floor, mark_seq, mark_xid)
VALUES (%(size)s, %(root)s, %(note)s, %(key)s, %(floor)s, %(mark_seq)s, %(mark_xid)s::text::xid8)
"""

# Signs a checkpoint: the note, and the public key that verifies it.
Signer = Callable[[Checkpoint], tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Entries that are no leaves yet: how many (counted up to a limit), the age of the oldest."""

    entries: int
    oldest: timedelta | None


@dataclass(frozen=True, slots=True)
class _Progress:
    """The floor and the mark of a checkpoint; ``mark_xid`` is None before the first."""

    floor: int
    mark_seq: int
    mark_xid: int | None


def seal(connection: Connection, sign: Signer, limit: int) -> Sealed | None:
    """Make leaves of at most ``limit`` waiting entries, and a signed checkpoint; None if none.

    One transaction of its own; sealers of several processes wait for each other. Raises
    ``storage.tree.TornTree`` when the stored tree is not whole.
    """
    with atomic(connection):
        # In statements of their own: the next one must see what was sealed while we waited here,
        # and the last number must be read before the snapshot that the leaves are taken with.
        connection.execute("SELECT pg_advisory_xact_lock(%s)", (_SEALER,))
        ((log, size, floor, mark_seq, mark_xid, last_seq),) = connection.execute(_STATE).fetchall()
        progress = _Progress(floor, mark_seq, None if mark_xid is None else int(mark_xid))
        rows = connection.execute(_TAKE, {"floor": floor, "size": size, "limit": limit}).fetchall()
        if not rows:
            return None
        root = _grow(connection, size, rows)
        checkpoint = Checkpoint(origin_of(log), size + len(rows), root)
        note, key = sign(checkpoint)
        reached = _reached(progress, rows, last_seq, full=len(rows) == limit)
        _write(connection, checkpoint, note, key, reached)
        return at(connection, checkpoint.size)


def waiting(connection: Connection, limit: int) -> Waiting:
    """What is not sealed yet, whether or not it could be; counted up to ``limit``."""
    ((_, _, floor, *_),) = connection.execute(_STATE).fetchall()
    values = {"floor": floor, "limit": limit}
    ((entries, oldest),) = connection.execute(_OLDEST, values).fetchall()
    return Waiting(entries, oldest)


def _grow(connection: Connection, size: int, rows: Sequence[TupleRow]) -> bytes:
    """Store the subtrees that these leaves complete; answers the root."""
    tree = frontier(connection, size)
    nodes = [
        (*subtree, value)
        for row in rows
        for subtree, value in tree.add(leaf_hash(row[1]))
        if is_kept(subtree)
    ]
    if nodes:
        connection.execute(_NODES, [list(column) for column in zip(*nodes, strict=True)])
    return tree.root()


def _reached(
    before: _Progress, rows: Sequence[TupleRow], last_seq: int, *, full: bool
) -> _Progress:
    """The progress after these leaves. ``full``: more may have been waiting than were taken."""
    xmin, xmax = int(rows[0][3]), int(rows[0][4])
    marked = replace(before, mark_seq=last_seq, mark_xid=xmax)
    if before.mark_xid is None or before.mark_xid > xmax:
        return marked  # the first, or restored into a server with younger transaction ids
    if before.mark_xid > xmin:
        return before
    floor = before.mark_seq - _SLACK
    if full:
        floor = min(floor, max(row[2] for row in rows))
    return replace(marked, floor=max(before.floor, floor))


def _write(
    connection: Connection, checkpoint: Checkpoint, note: str, key: str, reached: _Progress
) -> None:
    values: dict[str, Any] = {
        "size": checkpoint.size,
        "root": checkpoint.root,
        "note": note,
        "key": key,
        "floor": reached.floor,
        "mark_seq": reached.mark_seq,
        "mark_xid": str(reached.mark_xid),
    }
    connection.execute(_CHECKPOINT, values)
