"""Entries become leaves exactly once, in an order that late commits cannot break."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo import load_if_empty
from keywords.checkpoint import open_note, origin_of, read_key
from keywords.merkle import (
    ProofError,
    leaf_hash,
    root,
    verify_consistency,
    verify_inclusion,
)
from keywords.turn import Text
from storage import checkpoints, sealing
from storage.checkpoints import Sealed
from storage.conversation import Arrival, exchange
from storage.database import Connection, connect
from storage.proving import prove_consistency, prove_event, prove_subject
from storage.sealing import Waiting, seal, waiting
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic
from storage.tree import TornTree
from tests.texting import new_sid

ANNA, BEN, CARL = "+14155550123", "+14155550124", "+14155550125"
MANY = 1_000


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A database with the demo shop, as the service sees it."""
    load_if_empty(database_url)
    with connect(database_url, "test") as opened:
        yield opened


@pytest.fixture
def key(tmp_path: Path) -> LedgerKey:
    """A signing key."""
    return LedgerKey(tmp_path)


def say(connection: Connection, *bodies: str, phone: str = ANNA) -> None:
    """Texts to the demo's short code."""
    for body in bodies:
        text = Text(new_sid(), phone, "54321", body)
        exchange(connection, ShopCache(), [Arrival(text, phone, b"")])


def seal_some(connection: Connection, key: LedgerKey, limit: int = MANY) -> Sealed:
    """One checkpoint, once all that waits can be sealed."""
    settle(connection)
    sealed = seal(connection, key.sign, limit)
    assert sealed is not None, "nothing was sealed"
    return sealed


def seal_all(connection: Connection, key: LedgerKey, limit: int = MANY) -> None:
    """Checkpoints of ``limit`` entries until nothing waits."""
    settle(connection)
    while waiting(connection, 1).entries:
        seal_some(connection, key, limit)


def settle(connection: Connection) -> None:
    """Wait until older transactions have ended: those of other tests, in other databases, too."""
    deadline = time.monotonic() + 60
    while connection.execute(_SAFE).fetchone() != (True,):
        assert time.monotonic() < deadline, "a transaction does not end"
        time.sleep(0.01)


_SAFE = """
SELECT coalesce(bool_and(xid < pg_snapshot_xmin(s) OR xid >= pg_snapshot_xmax(s)), true)
FROM consent_events, pg_current_snapshot() s
"""


def leaves(connection: Connection) -> list[tuple[int, UUID, bytes]]:
    """All leaves in their order."""
    return connection.execute(
        "SELECT leaf, event, hash FROM ledger_leaves ORDER BY leaf"
    ).fetchall()


def entries(connection: Connection) -> dict[UUID, bytes]:
    """The hash of each entry."""
    return dict(connection.execute("SELECT event, hash FROM consent_events").fetchall())


def test_a_checkpoint_covers_every_entry_once(connection: Connection, key: LedgerKey) -> None:
    """Its root is that of the leaves, its signature that of the key, its name that of the log."""
    say(connection, "JOIN", "YES", "COFFEE", "STOP")
    log = checkpoints.log_id(connection)

    sealed = seal_some(connection, key)

    rows = leaves(connection)
    assert {event: data for _, event, data in rows} == entries(connection)
    assert [leaf for leaf, _, _ in rows] == list(range(len(rows)))
    opened = open_note(sealed.note, [key.verifier_key(log)])
    assert opened == open_note(sealed.note, [read_key(sealed.verifier_key)])
    assert (opened.origin, opened.size) == (origin_of(log), len(rows))
    assert opened.root == sealed.root == root(leaf_hash(data) for _, _, data in rows)
    assert checkpoints.newest(connection) == checkpoints.at(connection, sealed.size) == sealed


def test_nothing_new_makes_no_checkpoint(connection: Connection, key: LedgerKey) -> None:
    """An empty ledger is not sealed, and a sealed one not again."""
    assert seal(connection, key.sign, MANY) is None
    say(connection, "JOIN")
    seal_some(connection, key)
    assert seal(connection, key.sign, MANY) is None
    assert checkpoints.at(connection, 7) is None


@settings(
    max_examples=10,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(data=st.data())
def test_any_rhythm_of_sealing_gives_one_tree(
    connection: Connection, key: LedgerKey, data: st.DataObject
) -> None:
    """Small and large batches, texts between them: each later checkpoint extends the earlier."""
    for _ in range(data.draw(st.integers(1, 4))):
        for phone in data.draw(st.lists(st.sampled_from([ANNA, BEN, CARL]), max_size=6)):
            say(connection, data.draw(st.sampled_from(["JOIN", "YES", "STOP"])), phone=phone)
        seal_all(connection, key, data.draw(st.integers(1, 5)))
    made = list(checkpoints.after(connection, 0, page=2))
    rows = leaves(connection)

    assert {event: value for _, event, value in rows} == entries(connection)
    assert [s.size for s in made] == sorted({s.size for s in made})
    for old in made:
        assert old.root == root(leaf_hash(value) for _, _, value in rows[: old.size])
        path = prove_consistency(connection, old.size, made[-1].size)
        verify_consistency(old.size, made[-1].size, path, old.root, made[-1].root)


def test_an_entry_that_commits_late_is_not_passed_over(
    database_url: str, connection: Connection, key: LedgerKey
) -> None:
    """A transaction that began before others and ends after the sealing still gets its leaf."""
    with connect(database_url, "late") as late:
        with atomic(late):
            late.execute("INSERT INTO subscribers (phone) VALUES (%s)", (CARL,))
            add_entry(late, "late")
            say(connection, "JOIN", phone=BEN)
            before = seal(connection, key.sign, MANY)
            assert before is None, "Ben's entry is younger than a transaction that still runs"
            assert waiting(connection, MANY).entries == 1
        seal_all(connection, key)

    assert {event for _, event, _ in leaves(connection)} == entries(connection).keys()
    assert seal(connection, key.sign, MANY) is None


def test_an_entry_with_an_old_number_is_found_whatever_was_sealed_meanwhile(
    database_url: str, connection: Connection, key: LedgerKey
) -> None:
    """A number that was drawn long before it is committed is never below the floor."""
    with connect(database_url, "late") as late:
        with atomic(late):
            late.execute("SELECT pg_current_xact_id()")
            add_entry(late, "late")
            for _ in range(3):
                bulk(connection, 900)
                seal(connection, key.sign, MANY)
            assert checkpoints.newest(connection) is None
        seal_all(connection, key)
        bulk(connection, 5)
        seal_all(connection, key)

    assert {event for _, event, _ in leaves(connection)} == entries(connection).keys()


def test_sealing_does_not_look_at_the_whole_ledger(connection: Connection, key: LedgerKey) -> None:
    """The floor follows: of many entries, only the last thousand or so are looked at again."""
    for _ in range(4):
        bulk(connection, 1_500)
        seal_all(connection, key)

    ((floor, highest),) = connection.execute(
        "SELECT (SELECT floor FROM ledger_checkpoints ORDER BY size DESC LIMIT 1), max(seq)"
        " FROM consent_events"
    ).fetchall()
    assert highest - 3_000 <= floor < highest
    assert waiting(connection, MANY) == Waiting(0, None)


@pytest.mark.parametrize("age", [10, 10**9], ids=["older", "younger"])
def test_a_restored_dump_is_sealed_on(
    database_url: str, connection: Connection, key: LedgerKey, age: int
) -> None:
    """The server it is restored into counts its transactions from elsewhere; nothing is lost."""
    bulk(connection, 20)
    seal_all(connection, key)
    bulk(connection, 20)
    with connect(database_url, "restore", role=None) as owner:
        owner.execute("ALTER TABLE consent_events DISABLE TRIGGER ALL")
        owner.execute("ALTER TABLE ledger_checkpoints DISABLE TRIGGER ALL")
        owner.execute("UPDATE consent_events SET xid = %s::text::xid8", (str(age),))
        owner.execute("UPDATE ledger_checkpoints SET mark_xid = %s::text::xid8", (str(age),))

    for _ in range(3):
        bulk(connection, 20)
        seal_all(connection, key)

    assert {event for _, event, _ in leaves(connection)} == entries(connection).keys()


def test_sealers_of_two_processes_take_turns(
    database_url: str, connection: Connection, key: LedgerKey
) -> None:
    """While one works the other waits; then it goes on from there."""
    bulk(connection, 30)
    with connect(database_url, "other") as other:
        with atomic(other):
            other.execute("SELECT pg_advisory_xact_lock(%s)", (sealing._SEALER,))
            connection.execute("SET lock_timeout = '200ms'")
            with pytest.raises(psycopg.errors.LockNotAvailable):
                seal(connection, key.sign, 10)
        first, second = seal_some(other, key, 10), seal_some(connection, key, 10)

    assert (first.size, second.size) == (10, 20)


def test_every_entry_can_be_proven_to_a_stranger(connection: Connection, key: LedgerKey) -> None:
    """The path leads from the entry's hash to the root that is signed."""
    say(connection, "JOIN", "YES", "STOP")
    bulk(connection, 700)
    seal_all(connection, key, 300)
    say(connection, "START")

    ((anna,),) = connection.execute(
        "SELECT ref FROM subscribers WHERE phone = %s", (ANNA,)
    ).fetchall()
    proven = prove_subject(connection, anna)

    assert proven.checkpoint is not None
    assert [entry.n for entry in proven.entries] == [1, 2, 3]
    assert len(proven.unsealed) == 1
    for entry in proven.entries:
        opened = open_note(
            proven.checkpoint.note, [key.verifier_key(checkpoints.log_id(connection))]
        )
        verify_inclusion(entry.leaf_hash, entry.leaf, opened.size, entry.path, opened.root)
        assert prove_event(connection, entry.event).entries == [entry]
    assert prove_event(connection, proven.unsealed[0]).unsealed == proven.unsealed
    assert prove_event(connection, UUID(int=0)).entries == []


def test_what_is_not_there_is_not_proven(connection: Connection, key: LedgerKey) -> None:
    """More leaves than there are, or the past from the future."""
    bulk(connection, 5)
    seal_all(connection, key)

    with pytest.raises(TornTree):
        prove_consistency(connection, 5, 6)
    with pytest.raises(ProofError):
        prove_consistency(connection, 5, 4)


def test_a_tree_with_a_hole_is_not_sealed_on(
    database_url: str, connection: Connection, key: LedgerKey
) -> None:
    """Whoever removed a leaf does not get a new signature over what is left."""
    bulk(connection, 5)
    seal_all(connection, key)
    with connect(database_url, "test", role=None) as owner:
        owner.execute("ALTER TABLE ledger_leaves DISABLE TRIGGER ALL")
        owner.execute("DELETE FROM ledger_leaves WHERE leaf = 4")
    bulk(connection, 5)

    with pytest.raises(TornTree):
        seal_all(connection, key)

    assert [sealed.size for sealed in checkpoints.after(connection, 0)] == [5]


def test_what_waits_is_counted_with_its_age(connection: Connection, key: LedgerKey) -> None:
    """So that somebody can be told when sealing is held up."""
    assert waiting(connection, MANY) == Waiting(0, None)
    bulk(connection, 5, age=timedelta(minutes=7))
    bulk(connection, 5)

    found = waiting(connection, MANY)

    assert found.entries == 10
    assert found.oldest is not None
    assert timedelta(minutes=7) <= found.oldest < timedelta(minutes=8)
    assert waiting(connection, 3).entries == 3


def add_entry(connection: Connection, name: str) -> None:
    """A row in the ledger that is only as true as sealing needs it to be."""
    bulk(connection, 1, name=name)


def bulk(
    connection: Connection, count: int, age: timedelta = timedelta(0), name: str = "bulk"
) -> None:
    """Many such rows, each of a person of its own."""
    connection.execute(
        """
        INSERT INTO consent_events (event, subject, n, change, method, occurred_at, recorded_at,
                                    evidence_digest, envelope, prev, hash)
        SELECT gen_random_uuid(), gen_random_uuid(), 1, %(name)s, 'api', t.at, t.at,
               sha256('x'), '{}', sha256('y'), sha256(gen_random_uuid()::text::bytea)
        FROM (SELECT assent_now() - %(age)s AS at) t, generate_series(1, %(count)s)
        """,
        {"name": name, "age": age, "count": count},
    )
