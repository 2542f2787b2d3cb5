"""Questions that waited are asked by day, at the sender's pace, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from keywords.consent import Method
from keywords.optin import OptIn, OptInAnswer
from storage import optins, waiting
from storage.database import Connection, connect
from storage.transaction import atomic
from storage.verifying import check
from tests.worker.conftest import Twilio
from tests.worker.scene import Scene
from worker.asking import BURST_S, Asking
from worker.policy.daytime import day_ends, zones_of
from worker.runtime import Runtime
from worker.sending import drain

PEPPER = "a phone pepper of the tests, 32 b"
HOUR = timedelta(hours=1)
# New York, Honolulu, Tokyo, Paris, Delhi: it is the middle of the day in one of them.
AREAS = ("+1212555%04d", "+1808555%04d", "+8190123%05d", "+336123%05d", "+9198765%05d")


def people(count: int, *, awake: bool = True) -> list[str]:
    """So many numbers where it is daytime, with an hour to spare, or night."""
    now = datetime.now(UTC)

    def fits(area: str) -> bool:
        evening = day_ends(zones_of(area % 123), now)
        return evening is None if not awake else evening is not None and evening - now > HOUR

    area = next(area for area in AREAS if fits(area))
    return sorted(area % (100 + i) for i in range(count))


class Clock:
    """Seconds that pass when the test says so."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """The seconds so far."""
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    """One that stands."""
    return Clock()


@pytest.fixture
def ask(scene: Scene, clock: Clock) -> Callable[[float], int]:
    """Let seconds pass and ask; answers how many were asked."""
    asking = Asking(clock)

    def after(seconds: float) -> int:
        clock.seconds += seconds
        return asking.ask(scene.connection, scene.shops)

    return after


def imported(scene: Scene, *phones: str) -> None:
    """People of whom a file says that they agreed."""
    requests = [
        OptIn(phone, "deals", Method.IMPORT, "operator:tests", {"import": {}}) for phone in phones
    ]
    with atomic(scene.connection):
        answers = optins.record(scene.connection, scene.shops, PEPPER, requests)
    assert set(answers) == {OptInAnswer.ASKED}


def pace(scene: Scene, segments_per_second: float) -> None:
    """Set the sender's."""
    scene.connection.execute("UPDATE senders SET segments_per_second = %s", (segments_per_second,))


def test_a_question_goes_out_and_yes_makes_it_consent(
    scene: Scene, ask: Callable[[float], int], runtime: Runtime, twilio: Twilio
) -> None:
    """From the file to the welcome, with the question in the ledger as it was asked."""
    (phone,) = people(1)
    imported(scene, phone)

    assert ask(2) == 1
    assert drain(runtime) == 1

    (text,) = twilio.got(phone)
    assert "Reply YES" in text.body
    scene.hear(phone, "YES")
    assert scene.ledger(phone)[:2] == [
        ("optin_requested", "import", None),
        ("optin_asked", "system", None),
    ]
    assert scene.changes(phone)[2] == "optin_confirmed"
    ((evidence,),) = scene.connection.execute(
        "SELECT v.evidence FROM consent_evidence v JOIN consent_events e USING (event)"
        " WHERE e.change = 'optin_asked'"
    ).fetchall()
    assert b"Reply YES" in evidence
    assert b'"asked_at":null' in evidence
    ((method, state),) = scene.connection.execute("SELECT method, state FROM subscriptions")
    assert (method, state) == ("import", "subscribed")
    assert waiting.waiting(scene.connection) == {}
    assert [checked.faults for checked in check(scene.connection)] == [[]]


def test_the_question_stays_open_from_the_moment_it_is_asked(
    scene: Scene, ask: Callable[[float], int]
) -> None:
    """Days in the queue are not taken from the time to answer."""
    (phone,) = people(1)
    imported(scene, phone)

    ask(2)

    ((asked_at, expires_at),) = scene.connection.execute(
        "SELECT asked_at, expires_at FROM subscriptions"
    ).fetchall()
    assert expires_at - asked_at == timedelta(hours=168)


def test_nobody_is_asked_at_night(scene: Scene, ask: Callable[[float], int]) -> None:
    """The question is looked at again when their day begins, and hides nobody behind it."""
    (asleep,), (awake,) = people(1, awake=False), people(1)
    imported(scene, asleep)
    imported(scene, awake)

    assert ask(60) == 1
    assert scene.changes(asleep) == ["optin_requested"]
    ((not_before, now),) = scene.connection.execute(
        "SELECT not_before, assent_now() FROM waiting_questions"
    ).fetchall()
    assert not_before > now
    assert day_ends(zones_of(asleep), not_before) is not None


def test_questions_keep_to_the_pace_of_the_sender(
    scene: Scene, ask: Callable[[float], int]
) -> None:
    """Two segments each at ten segments a second: fifty in ten seconds, whatever waits."""
    pace(scene, 10)
    imported(scene, *people(80))

    asked = [ask(1) for _ in range(10)]

    ((segments,),) = scene.connection.execute("SELECT sum(sms_segments) FROM messages").fetchall()
    assert 90 <= segments <= 120
    assert max(asked) <= 6


def test_an_hour_without_work_is_not_made_up_for_at_once(
    scene: Scene, ask: Callable[[float], int]
) -> None:
    """The pace saves up a few seconds and no more."""
    pace(scene, 5)
    imported(scene, *people(80))

    assert ask(3600) <= BURST_S * 5 + 1


def test_a_slow_sender_asks_one_after_the_other(scene: Scene, ask: Callable[[float], int]) -> None:
    """A question of two segments needs two seconds at one segment a second."""
    pace(scene, 1)
    imported(scene, *people(5))

    assert sum(ask(2) for _ in range(12)) == 5


@pytest.mark.parametrize("words", ["STOP", "JOIN"])
def test_whoever_speaks_first_is_not_asked_again(
    scene: Scene, ask: Callable[[float], int], words: str
) -> None:
    """STOP ends it; a keyword was answered with the question."""
    (phone,) = people(1)
    imported(scene, phone)
    scene.hear(phone, words)

    assert ask(60) == 0
    assert scene.messages() == {}
    assert waiting.waiting(scene.connection) == {}


def test_a_person_asked_lately_by_another_program_waits_a_day(
    scene: Scene, ask: Callable[[float], int]
) -> None:
    """One question a number a day, whatever the programs."""
    (phone,) = people(1)
    form = OptIn(phone, "coffee", Method.WEB_FORM, "person", {})
    imported(scene, phone)
    with atomic(scene.connection):
        optins.record(scene.connection, scene.shops, PEPPER, [form])

    assert ask(60) == 0
    assert waiting.waiting(scene.connection) == {"deals": 1}


def test_nobody_new_is_asked_while_texts_do_not_get_out(
    scene: Scene, ask: Callable[[float], int]
) -> None:
    """Questions would only grow old in the outbox."""
    first, second = people(2)
    imported(scene, first)
    ask(60)
    scene.connection.execute("UPDATE messages SET not_before = not_before - interval '1 minute'")
    imported(scene, second)

    assert ask(60) == 0
    assert scene.changes(second) == ["optin_requested"]


def test_a_person_who_is_gone_leaves_the_queue(scene: Scene, ask: Callable[[float], int]) -> None:
    """An erased subscriber's place is cleared away."""
    scene.connection.execute(
        "INSERT INTO waiting_questions (subscriber_id, program, not_before)"
        " VALUES (4711, 'deals', assent_now())"
    )

    assert ask(60) == 0
    assert waiting.waiting(scene.connection) == {}


@contextmanager
def shifted(database_url: str, by: str) -> Iterator[Connection]:
    """A connection whose clock is ahead."""
    with connect(database_url, "test") as connection:
        connection.execute("SELECT set_config('assent.clock_offset', %s, false)", (by,))
        yield connection


def test_a_question_that_never_had_its_turn_expires(scene: Scene, database_url: str) -> None:
    """After thirty days what the file said is too old to ask about."""
    (phone,) = people(1)
    imported(scene, phone)

    with shifted(database_url, "31 days") as connection:
        Asking().ask(connection, scene.shops)

    assert scene.changes(phone)[-1] == "optin_expired"
    assert scene.state(phone) == "none"
