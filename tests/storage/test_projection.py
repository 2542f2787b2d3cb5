"""The current consent table is the replay of the ledger, and the check says where it is not."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.demo import load_if_empty
from keywords.turn import Text
from storage.conversation import Arrival, exchange
from storage.database import Connection, connect, engine, sessions
from storage.projection import rebuild
from storage.shop import ShopCache
from storage.transaction import transaction
from storage.verifying import check, size
from tests.texting import new_sid

ANNA, BEN = "+14155550123", "+14155550124"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A database with the demo shop, seen by its owner, who could alter everything."""
    load_if_empty(database_url)
    with connect(database_url, "test", role=None) as opened:
        yield opened


def say(connection: Connection, *bodies: str, phone: str = ANNA) -> None:
    """Texts to the demo's short code, one after the other."""
    for body in bodies:
        text = Text(new_sid(), phone, "54321", body)
        exchange(connection, ShopCache(), [Arrival(text, phone, b"")])


def faults(connection: Connection) -> list[str]:
    """What the check finds, over all people."""
    return [fault.what for checked in check(connection) for fault in checked.faults]


def tamper(connection: Connection, statement: str) -> None:
    """Alter what the triggers protect, as the owner of the server could."""
    for table in ("consent_events", "consent_evidence"):
        connection.execute(f"ALTER TABLE {table} DISABLE TRIGGER ALL")
    connection.execute(statement)


INVENTED = """
INSERT INTO subscriptions (subscriber_id, program, state, prior)
SELECT id, 'orders', 'subscribed', 'none' FROM subscribers
"""
TEXTS = ["JOIN", "COFFEE", "ORDERS", "YES", "NO", "STOP", "START", "WEEKLY", "PAUSE 2 weeks"]
TEXTS += ["RESUME", "ESPAÑOL", "HELP", "STATUS", "too many texts", "hello", "STOP COFFEE"]


@settings(
    max_examples=15,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(said=st.lists(st.tuples(st.sampled_from([ANNA, BEN]), st.sampled_from(TEXTS)), max_size=12))
def test_the_projection_is_the_replay_after_any_conversation(
    connection: Connection, said: list[tuple[str, str]]
) -> None:
    """Whatever two people text, in whatever order, the check finds nothing (I11)."""
    for phone, body in said:
        say(connection, body, phone=phone)

    assert faults(connection) == []


def test_everybody_is_counted(connection: Connection) -> None:
    """People without entries are checked as well."""
    say(connection, "JOIN", "YES")
    say(connection, "hello", phone=BEN)

    found = list(check(connection))

    assert sorted(c.entries for c in found) == [0, 2]
    assert size(connection) == 2


@pytest.mark.parametrize(
    ("statement", "fault"),
    [
        (
            "UPDATE consent_events SET envelope = set_byte(envelope, 10, 65) WHERE n = 1",
            "the envelope was altered",
        ),
        (
            "UPDATE consent_evidence SET evidence = set_byte(evidence, 3, 65)",
            "the evidence was altered",
        ),
        ("DELETE FROM consent_events WHERE n = 1", "entry 1 is missing"),
        (
            "DELETE FROM consent_events WHERE n = 3",
            "the chain ends here, the subscriber's row says at 3",
        ),
        (
            "DELETE FROM consent_events",
            "the chain ends here, the subscriber's row says at 3",
        ),
        (
            "UPDATE subscribers SET chain_head = sha256('x')",
            "the chain ends here, the subscriber's row says at 3",
        ),
        ("DELETE FROM subscribers", "the subscriber of these entries is missing"),
        (
            "UPDATE consent_events SET change = 'optout' WHERE n = 1",
            "the column change was altered",
        ),
        (
            "UPDATE consent_events SET occurred_at = occurred_at - interval '1 day' WHERE n = 2",
            "the column occurred_at was altered",
        ),
        ("UPDATE consent_events SET program = NULL WHERE n = 2", "the column program was altered"),
        (
            "UPDATE consent_events SET placement = 'A2A2' WHERE n = 1",
            "the column placement was altered",
        ),
        (
            "UPDATE consent_events SET message_sid = 'SM0' WHERE n = 2",
            "the column message_sid was altered",
        ),
        (
            "UPDATE subscriptions SET state = 'subscribed'",
            "deals: state is subscribed, the ledger says unsubscribed",
        ),
        (
            "UPDATE subscriptions SET frequency = '9/day'",
            "deals: frequency is 9/day, the ledger says None",
        ),
        ("DELETE FROM subscriptions", "deals: the subscription of the ledger is missing"),
        (
            INVENTED,
            "orders: there is a subscription that the ledger does not know",
        ),
        ("UPDATE subscribers SET suspended = true", "suspended is True, the ledger says False"),
        ("UPDATE subscribers SET language = 'fr'", "the language is fr, the ledger says None"),
    ],
)
def test_each_alteration_is_named(connection: Connection, statement: str, fault: str) -> None:
    """Whatever somebody with the database in their hands changes, the check says what it was."""
    say(connection, "JOIN", "YES", "STOP")
    say(connection, "hello", phone=BEN)
    assert faults(connection) == []

    tamper(connection, statement)

    assert fault in faults(connection)


def test_a_fault_says_whose_entry_it_is(connection: Connection) -> None:
    """The subject and the number of the entry lead to it."""
    say(connection, "JOIN", "YES")
    say(connection, "JOIN", phone=BEN)
    ((ben,),) = connection.execute(
        "SELECT ref FROM subscribers WHERE phone = %s", (BEN,)
    ).fetchall()
    tamper(connection, f"DELETE FROM consent_events WHERE subject = '{ben}'")

    (found,) = [fault for checked in check(connection) for fault in checked.faults][:1]

    assert (found.subject, found.n) == (ben, 0)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE subscriptions SET state = 'none', confirmed_at = NULL, frequency = '1/day'",
        "DELETE FROM subscriptions",
        INVENTED,
        "UPDATE subscribers SET language = 'fr', suspended = true",
    ],
    ids=["altered", "lost", "invented", "person"],
)
def test_the_current_state_is_rebuilt_from_the_ledger(
    connection: Connection, database_url: str, damage: str
) -> None:
    """Every column comes back as it was, and what the ledger does not know is gone."""
    say(connection, "JOIN", "YES", "2 a week", "COFFEE")
    before = state(connection)
    ref = before[0][0]
    assert isinstance(ref, UUID)
    connection.execute(damage)
    assert state(connection) != before
    pool = engine(database_url, "test", pool_size=1)

    with transaction(sessions(pool)) as work:
        assert rebuild(work.session, ref) != []
        assert rebuild(work.session, ref) == []

    pool.dispose()
    assert state(connection) == before
    assert faults(connection) == []


def state(connection: Connection) -> list[tuple[object, ...]]:
    """The whole of the current state."""
    return connection.execute(
        "SELECT s.ref, s.language, s.suspended, t.* FROM subscribers s"
        " LEFT JOIN subscriptions t ON t.subscriber_id = s.id ORDER BY s.ref, t.program"
    ).fetchall()
