"""The quick look at the ledger passes nobody over in whom the exact check finds a fault."""

from __future__ import annotations

import itertools
import threading
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.bench.ledger_data import LIVES, fill
from keywords.consent import Method
from storage import shapes
from storage.checking import Findings, verify_ledger
from storage.database import Connection, connect
from storage.erasing import Request, erase
from storage.scanning import Scan, scan
from storage.shapes import Shapes
from storage.shop import ShopCache
from storage.signing import LedgerKey
from storage.transaction import atomic
from storage.tree_check import Trust
from storage.verifying import COPIES, check, examine, snapshot
from tests.storage.tampering import Forger, attempt, undone
from tests.storage.test_projection import ANNA, BEN, INVENTED, TEXTS, connection, say
from tests.storage.test_sealing import seal_all

__all__ = ["connection"]
# What may be changed to what: every column that the check depends on, and a few values for each.
TABLES = {
    "consent_events": (*("subject", "n", "hash", "prev", "envelope", "evidence_digest", *COPIES),),
    "consent_evidence": ("event", "salt", "evidence"),
    "subscribers": ("ref", "language", "suspended", "chain_n", "chain_head"),
    "subscriptions": (
        *("subscriber_id", "program", "state", "prior", "frequency", "asked_at", "expires_at"),
        *("reminded_at", "question", "confirmed_at", "paused_until", "unsubscribed_at"),
        *("method", "version"),
    ),
}
VALUES: dict[str, list[str]] = {
    "uuid": ["gen_random_uuid()"],
    "int8": ["{} + 1", "7", "-1"],
    "text": [
        "{} || 'x'",
        "'subscribed'",
        "'none'",
        "''",
        "NULL",
        "'|'",
        """'a","b":"c'""",
        "'optout'",
        "'stop\\u0041'",
    ],
    "timestamptz": [
        "{} + interval '1 microsecond'",
        "{} - interval '1 year'",
        "'infinity'",
        "NULL",
    ],
    "bytea": ["set_byte({0}, length({0}) / 2, 65)", "''", "{} || 'x'::bytea", "sha256({})"],
    "bool": ["NOT {}"],
}


def seen(connection: Connection) -> Scan:
    """What the quick look finds."""
    found = Scan()
    with snapshot(connection):
        for _ in scan(connection, found):
            pass
    return found


@settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=st.lists(st.tuples(st.sampled_from([ANNA, BEN]), st.sampled_from(TEXTS)), max_size=12))
def test_any_conversation_is_plainly_in_order(
    connection: Connection, said: list[tuple[str, str]]
) -> None:
    """Whatever two people text, nobody needs a closer look, and everything is counted."""
    for phone, body in said:
        say(connection, body, phone=phone)

    found = seen(connection)

    assert found.suspects == []
    exact = list(check(connection))
    assert (found.people, found.entries) == (len(exact), sum(each.entries for each in exact))


@pytest.fixture
def lived(connection: Connection) -> Connection:
    """A shop with one person of each of the bench's lives, and one who only said hello."""
    for number, texts in enumerate(LIVES):
        say(connection, *texts, phone=f"+1415555{number:04d}")
    say(connection, "hello", phone="+14155559999")
    return connection


@pytest.mark.parametrize("table", TABLES)
def test_no_altered_column_is_passed_over(lived: Connection, table: str) -> None:
    """Each column of each table, to each value that fits it, in one row after the other.

    The exact check is the judge: what it calls a fault must be a suspect. An alteration that it
    does not mind may be examined or not.
    """
    kinds: dict[str, str] = dict(
        lived.execute(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = %s",
            (table,),
        ).fetchall()
    )
    faults = dict.fromkeys(TABLES[table], 0)
    for column in faults:
        for value, place in itertools.product(VALUES[kinds[column]], (0, 4)):
            with undone(lived):
                if alter(lived, table, column, value.format(column), place):
                    suspects, wrong = set(seen_inside(lived)), faulty_inside(lived)
                    faults[column] += len(wrong)
                    assert wrong <= suspects, (column, value, place)

    assert [column for column, found in faults.items() if not found] == []


def alter(connection: Connection, table: str, column: str, value: str, place: int) -> bool:
    """Set a column of one row; False where a constraint of the database forbids it."""
    return bool(
        attempt(
            connection,
            f"UPDATE {table} SET {column} = {value} WHERE ctid = (SELECT ctid FROM {table}"
            f" ORDER BY ctid OFFSET {place} LIMIT 1) AND {column} IS DISTINCT FROM {value}",
        )
    )


def seen_inside(connection: Connection) -> list[UUID]:
    """The suspects, within a transaction that is open."""
    found = Scan()
    for _ in scan(connection, found):
        pass
    return found.suspects


def faulty_inside(connection: Connection) -> set[UUID]:
    """The exact check within a transaction that is open, of everybody that there is."""
    rows = connection.execute(
        "SELECT ref FROM subscribers UNION SELECT subject FROM consent_events"
    ).fetchall()
    return {fault.subject for fault in examine(connection, [row[0] for row in rows])}


MISSING = [
    "DELETE FROM consent_events WHERE n = 1",
    "DELETE FROM consent_events WHERE n = 2",
    "DELETE FROM consent_events",
    "DELETE FROM consent_evidence",
    "DELETE FROM subscribers",
    "DELETE FROM subscriptions",
    INVENTED,
    "UPDATE consent_events SET n = -n",
    "UPDATE consent_events SET prev = substr(prev, 1, 31), envelope = substr(prev, 32) || envelope",
    "UPDATE consent_events SET prev = prev || '{'::bytea, envelope = substr(envelope, 2)",
    "UPDATE ledger_log SET log = gen_random_uuid()",
]


def test_what_is_missing_or_invented_is_not_passed_over(lived: Connection) -> None:
    """Rows that went, and rows that came."""
    for statement in MISSING:
        with undone(lived):
            lived.execute(statement)
            wrong = faulty_inside(lived)
            assert wrong, statement
            assert wrong <= set(seen_inside(lived)), statement


FORGERIES = {
    "extra field": lambda fields: {**fields, "zzz": "more"},
    "missing field": lambda fields: {k: v for k, v in fields.items() if k != "actor"},
    "number as text": lambda fields: {**fields, "program_version": "1"},
    "list of terms": lambda fields: {**fields, "terms": {"a": ["b"]}},
    "another change": lambda fields: {**fields, "change": "optout"},
    "another state": lambda fields: {**fields, "after": "paused"},
    "another program": lambda fields: {**fields, "program": "orders"},
    "no program": lambda fields: {**fields, "program": None},
    "a placement": lambda fields: {**fields, "terms": {**fields["terms"], "placement": "w1"}},
    "another log": lambda fields: {**fields, "log": str(UUID(int=1))},
    "a quote in the sid": lambda fields: {**fields, "message_sid": 'a","b":"c'},
    "another version": lambda fields: {**fields, "v": 2},
}


def test_a_forged_envelope_with_the_right_hashes_is_not_passed_over(lived: Connection) -> None:
    """Whoever rewrites a whole chain must also fit columns and current state, or is found."""
    people = lived.execute("SELECT ref, chain_n FROM subscribers WHERE chain_n > 0").fetchall()
    for (subject, n), name in itertools.product(people, FORGERIES):
        with undone(lived):
            Forger(lived, b"").rewrite(subject, n, FORGERIES[name])
            assert faulty_inside(lived) <= set(seen_inside(lived)), name


def test_a_ledger_of_many_is_plainly_in_order(database_url: str) -> None:
    """The bench's own ledger, where shapes are met again and again."""
    made = fill(database_url, 3_000)
    with connect(database_url, "test") as connection:
        found = seen(connection)

    assert (found.entries, found.suspects) == (made, [])


def test_a_memory_that_is_full_changes_nothing(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Shapes are forgotten and learned again."""
    monkeypatch.setattr(shapes, "_MOST", 3)
    made, found = fill(database_url, 300), Findings()
    with connect(database_url, "test") as connection:
        for _ in verify_ledger(connection, Trust(), found):
            pass

    assert (found.scan.entries, found.faults) == (made, [])


def test_a_check_that_is_broken_off_leaves_a_connection_that_works(database_url: str) -> None:
    """Whoever stops looking, or fails in the middle, must not wait for the rest for ever."""
    fill(database_url, 3_000)
    with connect(database_url, "test") as connection:
        steps = verify_ledger(connection, Trust(), Findings())
        next(steps)
        steps.close()

        assert connection.execute("SELECT 1").fetchone() == (1,)


def test_verifying_does_not_mind_writers(
    connection: Connection, database_url: str, tmp_path: Path
) -> None:
    """One view of the database: texts, sealing and erasures go on meanwhile."""
    key, stop = LedgerKey(tmp_path), threading.Event()

    def write() -> None:
        with connect(database_url, "writer") as writer:
            while not stop.is_set():
                say(writer, "JOIN", "YES", "STOP", phone=ANNA)
                seal_all(writer, key)
                forget(writer, key, ANNA)

    thread = threading.Thread(target=write)
    thread.start()
    try:
        for _ in range(15):
            found = Findings()
            for _ in verify_ledger(connection, Trust((key.verifier_key(log(connection)),)), found):
                pass
            assert found.faults == []
    finally:
        stop.set()
        thread.join()


def forget(connection: Connection, key: LedgerKey, phone: str) -> None:
    """Erase a person."""
    request = Request(phone, "operator:ann", Method.OPERATOR, "a letter")
    with atomic(connection):
        erase(connection, ShopCache(), "a pepper of the tests, 32 bytes", key.sign_receipt, request)


def test_evidence_that_was_destroyed_is_in_order_where_an_entry_says_so(
    lived: Connection, tmp_path: Path
) -> None:
    """An erased person is no suspect; who lost evidence otherwise, or kept it, is one."""
    phone = "+14155550003"
    forget(lived, LedgerKey(tmp_path), phone)
    assert seen(lived).suspects == []

    for statement in (
        """
        DELETE FROM consent_evidence v USING consent_events e
        WHERE e.event = v.event AND e.change = 'evidence_destroyed'
        """,
        """
        INSERT INTO consent_evidence SELECT event, 'salt', 'back' FROM consent_events WHERE n = 1
        ON CONFLICT DO NOTHING
        """,
    ):
        with undone(lived):
            lived.execute(statement)
            assert set(seen_inside(lived)) >= faulty_inside(lived) != set()


def log(connection: Connection) -> UUID:
    """The ledger's identity."""
    ((found,),) = connection.execute("SELECT log FROM ledger_log").fetchall()
    assert isinstance(found, UUID)
    return found


KIND = b"=optout|=sms_keyword|=deals||=3"
OWN = (b'"event":"e","message_sid":null', b"2026-01-01T00:00:00.000000Z", b'T","terms":')
ENTRY = (
    b'{"actor":"person","after":"b","before":"a","change":"optout","event":"e","message_sid":null,'
    b'"method":"sms_keyword","n":3,"occurred_at":"2026-01-01T00:00:00.000000Z","program":"deals",'
    b'"program_version":1,"recorded_at":"T","terms":{"a":"b"},"v":1}'
)


@pytest.mark.parametrize(
    ("old", "new", "known"),
    [
        (b"", b"", True),
        (b'"v":1', b'"v":2', False),
        (b'"n":3', b'"n":4', False),
        (b'"optout"', b'"paused"', False),
        (b'"deals"', b"null", False),
        (b'"person"', b"5", False),
        (b'"b"}', b"5}", False),
        (b'"b"}', b'"b","placement":"w"}', False),
        (b'"b"}', b'"2026-01-01T00:00:00.000000Z"}', True),
        (b'"b"}', b'"2026-13-01T00:00:00.000000Z"}', False),
        (b'"b"}', b'"b" }', False),
        (b'{"a":"b"}', b'{"b":"b","a":"b"}', False),
        (b'"program_version":1', b'"program_version":true', False),
        (b',"v":1}', b',"v":1', False),
    ],
)
def test_a_shape_is_learned_only_when_the_columns_make_its_bytes(
    old: bytes, new: bytes, known: bool
) -> None:
    """Otherwise the next entry with the same bytes would not be read at all."""
    hashed = bytes(33) + ENTRY.replace(old, new)
    shapes_ = Shapes()

    number, times = shapes_.of(KIND, hashed, *OWN)

    assert (number > 0) is known
    assert len(times) == 27 * (1 + (known and b"2026" in new))
    assert shapes_.of(KIND, hashed, *OWN) == (number, times)
    assert shapes_.plan(shapes_.longer(Shapes.START, 0)) is None
    assert shapes_.plan(Shapes.START) is not None
