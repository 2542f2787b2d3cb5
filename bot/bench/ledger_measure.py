"""The run of ``assent bench ledger``: fill, seal, verify on one core, prove; and the floor."""

from __future__ import annotations

import hashlib
import os
import random
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

from bot.bench.ledger_data import fill
from bot.bench.processes import cpu_seconds, family
from bot.commands.ledger import run
from bot.engines.postgres import EmbeddedPostgres
from keywords.merkle import verify_consistency, verify_inclusion
from storage.checkpoints import after, log_id
from storage.database import Connection, connect
from storage.migrate import upgrade
from storage.proving import prove_consistency, prove_event
from storage.sealing import seal
from storage.signing import LedgerKey
from storage.tree_check import Trust

BATCH: Final = 1_000  # what the ticker seals at once
_PROOFS: Final = 200
_STREAM: Final = 1_000
_HASHED: Final = """
SELECT '\\x01'::bytea || e.prev || e.envelope, '\\x02'::bytea || v.salt || v.evidence
FROM consent_events e JOIN consent_evidence v USING (event)
"""
Say = Callable[[str], None]


@dataclass(slots=True)
class Cost:
    """What a part of the run took. Seconds; CPU is None where the system does not tell it."""

    elapsed: float = 0.0
    ours: float = 0.0
    postgresql: float | None = None

    @property
    def cpu(self) -> float | None:
        """Both processes' CPU time: what it takes of one core."""
        return None if self.postgresql is None else self.ours + self.postgresql


@dataclass(frozen=True, slots=True)
class Result:
    """The figures. ``floor`` is the CPU of hashing the same bytes; ``faults`` should be 0."""

    entries: int
    people: int
    megabytes: float
    checkpoints: int
    faults: int
    one_core: bool
    floor: float
    verify: Cost
    sealing: Cost
    inclusion_ms: float
    consistency_ms: float

    def as_json(self) -> dict[str, Any]:
        """Everything, for a script."""
        return asdict(self)


def measure(entries: int, say: Say) -> Result:
    """The whole bench, on a PostgreSQL of its own. Raises EngineError."""
    with tempfile.TemporaryDirectory(prefix="assent-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)  # PostgreSQL runs as another user when we are root
        postgres = EmbeddedPostgres(home)
        postgres.start()
        try:
            url = _database(postgres)
            say(f"Making a ledger of {entries:,} entries …")
            made = fill(url, entries)
            with _on_one_core(postgres.pid) as alone:
                return _measured(url, home, postgres.pid, made, say, one_core=alone)
        finally:
            postgres.stop()


def _database(postgres: EmbeddedPostgres) -> str:
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE ledger")
    url = postgres.url_of("ledger")
    upgrade(url)
    return url


def _measured(
    url: str, home: Path, server: int, entries: int, say: Say, *, one_core: bool
) -> Result:
    key = LedgerKey(home)
    with connect(url, "bench") as connection:
        connection.execute("SET statement_timeout = 0")
        say(f"Sealing, {BATCH:,} entries to a checkpoint …")
        sealing = Cost()
        with _counted(sealing, server):
            while seal(connection, key.sign, BATCH):
                pass
        with connect(url, "bench", role=None) as owner:
            owner.execute("VACUUM ANALYZE ledger_leaves")
        say("Verifying …")
        trust, verify = Trust((key.verifier_key(log_id(connection)),)), Cost()
        with _counted(verify, server):
            found = run(connection, trust)
        say("Hashing the same bytes …")
        size, floor = _floor(connection)
        inclusion, consistency = _proofs(connection)
    return Result(
        entries=entries,
        people=found.scan.people,
        megabytes=size / 1e6,
        checkpoints=found.tree.checkpoints,
        faults=len(found.faults),
        one_core=one_core,
        floor=floor,
        verify=verify,
        sealing=sealing,
        inclusion_ms=inclusion,
        consistency_ms=consistency,
    )


@contextmanager
def _counted(cost: Cost, server: int) -> Iterator[None]:
    """Fill ``cost`` with what the block takes of the clock and of both processes' CPU."""
    started, ours, theirs = time.perf_counter(), time.process_time(), cpu_seconds(server)
    yield
    cost.elapsed = time.perf_counter() - started
    cost.ours = time.process_time() - ours
    now = cpu_seconds(server)
    cost.postgresql = None if now is None or theirs is None else now - theirs


@contextmanager
def _on_one_core(server: int) -> Iterator[bool]:
    """Keep this process and all of PostgreSQL's on one core; False where that cannot be done."""
    if not hasattr(os, "sched_setaffinity"):
        yield False
        return
    before = os.sched_getaffinity(0)
    core = {max(before)}
    try:
        for process in (os.getpid(), *family(server)):
            with suppress(ProcessLookupError):  # a worker of PostgreSQL's that has just ended
                os.sched_setaffinity(process, core)
    except PermissionError:
        os.sched_setaffinity(0, before)
        yield False
        return
    try:
        yield True
    finally:
        os.sched_setaffinity(0, before)


def _floor(connection: Connection) -> tuple[int, float]:
    """The bytes that a verification hashes, and the CPU of nothing but hashing them.

    The tree's own hashes, two of 33 and 65 bytes for each entry, are among them.
    """
    size, spent, sha256 = 0, 0.0, hashlib.sha256
    with connection.cursor() as cursor:
        batch: list[bytes] = []
        for row in cursor.stream(_HASHED, binary=True, size=_STREAM):
            batch += (*row, row[0][:33], row[0][:65])
            if len(batch) >= _STREAM:
                size, spent = size + sum(map(len, batch)), spent + _hashing(batch, sha256)
                batch = []
    return size + sum(map(len, batch)), spent + _hashing(batch, sha256)


def _hashing(batch: list[bytes], sha256: Callable[[bytes], Any]) -> float:
    started = time.process_time()
    for data in batch:
        sha256(data).digest()
    return time.process_time() - started


def _proofs(connection: Connection) -> tuple[float, float]:
    """Milliseconds by the clock for a proof of each kind, made and checked."""
    chance = random.Random(1)  # noqa: S311 - a bench repeats
    events = [
        row[0]
        for row in connection.execute(
            "SELECT event FROM ledger_leaves WHERE leaf = ANY(%s)",
            (_some(connection, chance),),
        )
    ]
    started = time.perf_counter()
    for event in events:
        proven = prove_event(connection, event)
        (entry,), sealed = proven.entries, proven.checkpoint
        assert sealed is not None
        verify_inclusion(entry.leaf_hash, entry.leaf, sealed.size, entry.path, sealed.root)
    inclusion = (time.perf_counter() - started) / len(events) * 1e3
    sealed_ones = list(after(connection, 0))
    last = sealed_ones[-1]
    started = time.perf_counter()
    for _ in range(_PROOFS):
        old = chance.choice(sealed_ones)
        path = prove_consistency(connection, old.size, last.size)
        verify_consistency(old.size, last.size, path, old.root, last.root)
    return inclusion, (time.perf_counter() - started) / _PROOFS * 1e3


def _some(connection: Connection, chance: random.Random) -> list[int]:
    ((leaves,),) = connection.execute("SELECT count(*) FROM ledger_leaves").fetchall()
    return [chance.randrange(leaves) for _ in range(_PROOFS)]
