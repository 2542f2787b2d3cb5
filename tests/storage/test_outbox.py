"""The outbox on a real database: who gets a message, and what settling does to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from bot.demo import load_if_empty
from storage import outbox
from storage.database import Connection, connect
from storage.messages import MessageState
from storage.outbox import Settlement
from storage.transaction import atomic
from tests.worker.scene import ANNA, BEN, Scene

HOUR = timedelta(hours=1)


@pytest.fixture
def connections(database_url: str) -> Iterator[list[Connection]]:
    """Two workers' connections."""
    with ExitStack() as stack:
        yield [stack.enter_context(connect(database_url, "test")) for _ in range(2)]


@pytest.fixture
def scene(database_url: str, connections: list[Connection]) -> Scene:
    """The demo, with two people who were asked."""
    load_if_empty(database_url)
    scene = Scene(connections[0])
    scene.hear(ANNA, "JOIN")
    scene.hear(BEN, "JOIN")
    return scene


def claim(connection: Connection, limit: int = 10) -> dict[UUID, UUID]:
    """Claim what is due, as a worker does."""
    with atomic(connection):
        return outbox.take(connection, [m.id for m in outbox.due(connection, limit)])


def settle(connection: Connection, settlement: Settlement) -> int:
    """Settle one attempt in a transaction of its own."""
    with atomic(connection):
        return outbox.settle(connection, [settlement])


def claimed(scene: Scene) -> tuple[str, UUID, UUID]:
    """A message that somebody has claimed: its key, itself, the attempt."""
    key = scene.queue(ANNA)
    ((message, attempt),) = claim(scene.connection).items()
    return key, message, attempt


def test_two_workers_at_once_never_get_the_same_message(
    scene: Scene, connections: list[Connection]
) -> None:
    """While the first still holds its rows, the second passes them over and does not wait."""
    first, second = connections
    for phone in (ANNA, BEN):
        scene.queue(phone)
    with atomic(first):
        mine = [m.id for m in outbox.due(first, 1)]
        with atomic(second):
            theirs = [m.id for m in outbox.due(second, 10)]
        assert len(mine) == len(theirs) == 1
        assert set(mine).isdisjoint(theirs)


def test_a_person_who_is_being_decided_about_is_passed_over(
    scene: Scene, connections: list[Connection]
) -> None:
    """Neither waits for the other: the text in progress goes first, the message comes later."""
    scene.queue(ANNA)
    with atomic(connections[1]) as texting:
        texting.execute("SELECT 1 FROM subscribers WHERE phone = %s FOR NO KEY UPDATE", (ANNA,))
        assert claim(scene.connection) == {}
    assert len(claim(scene.connection)) == 1


def test_a_claim_is_an_attempt_of_its_own(scene: Scene) -> None:
    """A claimed message is ``sending``, with an attempt id and the time, and is due no more."""
    key, _, attempt = claimed(scene)
    row = scene.message(key)
    assert row["state"] == "sending"
    assert row["attempt_id"] == str(attempt)
    assert row["claimed_at"] is not None
    assert claim(scene.connection) == {}


@pytest.mark.parametrize(
    ("column", "by", "found"),
    [
        pytest.param("not_before", HOUR, False, id="its time has not come"),
        pytest.param("not_after", -2 * HOUR, False, id="its last moment has passed"),
        pytest.param("not_after", HOUR, True, id="between the two"),
        pytest.param("not_before", -HOUR, True, id="late, but not too late"),
    ],
)
def test_only_messages_whose_time_it_is_are_due(
    scene: Scene, column: str, by: timedelta, found: bool
) -> None:
    """``not_before <= now < not_after``."""
    scene.queue(ANNA)
    scene.connection.execute(f"UPDATE messages SET {column} = {column} + %s", (by,))
    assert bool(claim(scene.connection)) is found


def test_due_messages_come_with_the_persons_standing(scene: Scene) -> None:
    """All that the check before sending needs is read under the lock."""
    scene.queue(ANNA)
    with atomic(scene.connection):
        (due,) = outbox.due(scene.connection, 10)
    assert (due.phone, due.program, due.kind) == (ANNA, "deals", "confirmation")
    assert due.standing is not None
    assert due.standing.state == "pending"
    assert due.standing.expires_at is not None
    assert due.created_at <= due.now < due.standing.expires_at


@pytest.mark.parametrize(
    ("state", "column", "value"),
    [
        pytest.param(MessageState.ACCEPTED, "carrier_sid", "SM1", id="accepted"),
        pytest.param(MessageState.REJECTED, "error_code", "21211", id="rejected"),
        pytest.param(MessageState.UNKNOWN, "error_code", None, id="unknown"),
    ],
)
def test_a_settled_attempt_is_final(
    scene: Scene, state: MessageState, column: str, value: str | None
) -> None:
    """The outcome, its code and its time are written, and nothing is due again."""
    key, message, attempt = claimed(scene)
    sid, code = (value, None) if column == "carrier_sid" else (None, value)

    assert settle(scene.connection, Settlement(message, attempt, state, sid, code)) == 1

    row = scene.message(key)
    assert (row["state"], row[column]) == (state, value)
    assert row["settled_at"] is not None
    assert claim(scene.connection) == {}


def test_what_was_not_accepted_waits_its_turn_with_a_new_attempt(scene: Scene) -> None:
    """Back in the queue, later, and the old attempt has no say any more."""
    key, message, attempt = claimed(scene)
    again = Settlement(message, attempt, MessageState.QUEUED, code="unreachable", wait=HOUR)
    settle(scene.connection, again)
    assert scene.message(key)["state"] == "queued"
    assert claim(scene.connection) == {}

    scene.connection.execute("UPDATE messages SET not_before = not_before - interval '2 hours'")
    assert claim(scene.connection)[message] != attempt
    assert settle(scene.connection, again) == 0


def test_an_attempt_that_is_not_the_messages_own_settles_nothing(scene: Scene) -> None:
    """A stale worker cannot overwrite what another has done since."""
    key, message, _ = claimed(scene)
    assert settle(scene.connection, Settlement(message, uuid4(), MessageState.ACCEPTED)) == 0
    assert scene.message(key)["state"] == "sending"


def test_what_a_dead_worker_left_becomes_unknown_and_never_queued(scene: Scene) -> None:
    """Not before its time is up; afterwards only its own late settlement may still move it."""
    key, message, attempt = claimed(scene)
    assert outbox.give_up(scene.connection, HOUR, 10) == 0
    scene.connection.execute("UPDATE messages SET claimed_at = claimed_at - interval '2 hours'")
    assert outbox.give_up(scene.connection, HOUR, 10) == 1
    assert scene.message(key)["state"] == "unknown"
    assert claim(scene.connection) == {}

    settle(scene.connection, Settlement(message, attempt, MessageState.ACCEPTED, "SM1"))
    assert scene.message(key)["state"] == "accepted"


def test_a_message_whose_last_moment_has_passed_expires(scene: Scene) -> None:
    """It is closed, not sent late; one that may still go is left alone."""
    late, early = scene.queue(ANNA, lasts=-HOUR), scene.queue(BEN)
    assert outbox.expire(scene.connection, 10) == 1
    assert scene.messages() == {late: "expired", early: "queued"}


def test_a_suppressed_message_says_by_which_rule(scene: Scene) -> None:
    """The reason is kept with the message."""
    key = scene.queue(ANNA)
    message = UUID(scene.message(key)["id"])
    outbox.suppress(scene.connection, {message: "policy.not_pending"})
    row = scene.message(key)
    assert (row["state"], row["error_code"]) == ("suppressed", "policy.not_pending")


def test_a_text_is_queued_once_for_each_key(scene: Scene) -> None:
    """The unique key, not the caller's care, keeps a second one out."""
    scene.queue(ANNA, dedupe_key="reminder:1")
    scene.queue(ANNA, dedupe_key="reminder:1")
    assert scene.messages() == {"reminder:1": "queued"}


def test_how_long_the_oldest_due_message_has_waited(scene: Scene) -> None:
    """None when nothing is due, and the oldest counts."""
    assert outbox.waiting(scene.connection) is None
    scene.queue(ANNA)
    scene.connection.execute("UPDATE messages SET not_before = not_before - interval '5 minutes'")
    scene.queue(BEN)
    waited = outbox.waiting(scene.connection)
    assert waited is not None
    assert timedelta(minutes=5) <= waited < timedelta(minutes=6)
