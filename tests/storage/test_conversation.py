"""Texts into the database: many at once, each once, everything or nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bot.demo import load_if_empty
from keywords.turn import Text
from storage.conversation import Answer, Arrival, exchange
from storage.database import Connection, connect
from storage.shop import ShopCache
from tests.texting import new_sid

ANNA, BEN = "+14155550123", "+14155550124"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A connection to a database with the demo shop."""
    load_if_empty(database_url)
    with connect(database_url, "test") as opened:
        yield opened


def arrival(body: str, phone: str | None = ANNA, sid: str | None = None) -> Arrival:
    """A text to the demo's short code."""
    text = Text(sid or new_sid(), phone or "22395", "54321", body)
    return Arrival(text, phone, b"raw\x00bytes")


def count(connection: Connection, table: str) -> int:
    """How many rows a table has."""
    ((rows,),) = connection.execute(f"SELECT count(*) FROM {table}").fetchall()
    return int(rows)


def test_a_repeated_text_gets_its_first_answer_and_changes_nothing(connection: Connection) -> None:
    """A MessageSid counts once for ever, in the same group, in a later one, and after STOP."""
    shops, join, stop = ShopCache(), arrival("JOIN"), arrival("STOP")
    first, again = exchange(connection, shops, [join, join])
    exchange(connection, shops, [stop])
    before = count(connection, "consent_events")

    late = exchange(connection, shops, [join])

    assert first.reply is not None
    assert again == late[0] == Answer(first.reply, repeated=True)
    assert count(connection, "consent_events") == before
    assert count(connection, "inbound_texts") == 2


def test_the_texts_of_one_person_in_one_group_are_decided_in_order(connection: Connection) -> None:
    """JOIN, YES and STOP that arrive together end as they would have one by one."""
    texts = [arrival("JOIN"), arrival("YES"), arrival("STOP"), arrival("JOIN", BEN)]

    exchange(connection, ShopCache(), texts)

    rows = connection.execute(
        "SELECT change FROM consent_events e JOIN subscribers s ON s.ref = e.subject"
        " WHERE phone = %s ORDER BY n",
        (ANNA,),
    ).fetchall()
    assert [row[0] for row in rows] == ["optin_requested", "optin_confirmed", "optout"]


def test_the_same_text_through_two_connections_at_once_is_taken_once(
    connection: Connection, database_url: str
) -> None:
    """Two web processes that get the same delivery agree on one row and one answer."""
    for phone in (ANNA, None):
        text, barrier = arrival("JOIN", phone), threading.Barrier(4)

        def send(text: Arrival = text, barrier: threading.Barrier = barrier) -> Answer:
            with connect(database_url, "test") as own:
                barrier.wait()
                return exchange(own, ShopCache(), [text])[0]

        with ThreadPoolExecutor(4) as pool:
            answers = [f.result() for f in [pool.submit(send) for _ in range(4)]]

        assert len({answer.reply for answer in answers}) == 1
        assert sum(not answer.repeated for answer in answers) == 1


def test_crossing_groups_of_the_same_people_do_not_deadlock(
    connection: Connection, database_url: str
) -> None:
    """Locks are taken in the order of the numbers, whatever the order of the texts."""
    numbers = [f"+141555501{i:02d}" for i in range(20)]

    def send(order: list[str]) -> None:
        with connect(database_url, "test") as own:
            for _ in range(5):
                exchange(own, ShopCache(), [arrival("hello", number) for number in order])

    with ThreadPoolExecutor(4) as pool:
        for future in [pool.submit(send, numbers[::step]) for step in (1, -1, 1, -1)]:
            future.result()

    assert count(connection, "inbound_texts") == 400


def test_a_failure_in_the_middle_writes_nothing(
    connection: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Text, ledger, projection and reply are one commit: no half of it survives."""
    connection.execute("SET ROLE NONE; ALTER TABLE messages ADD CHECK (body <> body) NOT VALID")

    with pytest.raises(psycopg.errors.CheckViolation):
        exchange(connection, ShopCache(), [arrival("JOIN")])

    tables = ("inbound_texts", "consent_events", "consent_evidence", "subscriptions", "subscribers")
    assert {table: count(connection, table) for table in tables} == dict.fromkeys(tables, 0)


def test_a_text_from_no_person_is_kept_and_never_answered(connection: Connection) -> None:
    """A short code or a name that texts us may be a bot: a person looks at it."""
    answer = exchange(connection, ShopCache(), [arrival("STOP", None)])

    row = connection.execute("SELECT silence, review, raw FROM inbound_texts").fetchall()
    assert answer == [Answer(None)]
    assert row == [("no_person", "no_person", b"raw\x00bytes")]
    assert count(connection, "subscribers") == 0


def test_the_shop_is_read_again_when_it_has_changed(connection: Connection) -> None:
    """A keyword that a marketer adds works at the next text, in every process."""
    shops = ShopCache()
    exchange(connection, shops, [arrival("hello")])
    connection.execute("DELETE FROM program_keywords WHERE keyword = 'coffee'")
    connection.execute("UPDATE catalogue SET version = version + 1")

    exchange(connection, shops, [arrival("COFFEE")])

    rows = connection.execute("SELECT reading ->> 'signal' FROM inbound_texts ORDER BY message_sid")
    assert rows.fetchall()[-1] == ("not_understood",)
