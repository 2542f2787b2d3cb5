"""An opt-in by another way than a text waits for YES, with its own evidence in the ledger."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.demo import PROGRAMS, load_if_empty
from keywords.age import gate
from keywords.consent import Method
from keywords.ledger import canonical
from keywords.optin import OptIn, OptInAnswer
from storage import optins, waiting
from storage.database import connect, engine, sessions
from storage.shop import save_program
from storage.suppression import SuppressionReason, phone_digest, suppress
from storage.transaction import atomic, transaction
from storage.verifying import check
from tests.worker.scene import ANNA, BEN, Scene

PEPPER = "a phone pepper of the tests, 32 b"
FORM = OptIn(ANNA, "deals", Method.WEB_FORM, "person", {"form": {"box": "ticked"}})
IMPORTED = replace(FORM, method=Method.IMPORT, actor="operator:tests")


@pytest.fixture
def scene(database_url: str) -> Iterator[Scene]:
    """The demo shop, before anybody has texted."""
    load_if_empty(database_url)
    with connect(database_url, "test") as connection:
        yield Scene(connection)


def record(scene: Scene, *requests: OptIn) -> list[OptInAnswer]:
    """What becomes of requests, committed."""
    with atomic(scene.connection):
        return optins.record(scene.connection, scene.shops, PEPPER, requests)


def test_a_form_ends_in_pending_and_a_question_is_queued(scene: Scene) -> None:
    """Nothing but YES from the phone makes it consent, and then it says how it began."""
    assert record(scene, FORM) == [OptInAnswer.ASKED]
    assert scene.state(ANNA) == "pending"
    assert list(scene.messages().values()) == ["queued"]

    welcome = scene.hear(ANNA, "YES")

    assert welcome is not None
    assert scene.state(ANNA) == "subscribed"
    assert [(c, m) for c, m, _ in scene.ledger(ANNA)] == [
        ("optin_requested", "web_form"),
        ("optin_confirmed", "sms_keyword"),
    ]
    ((evidence,),) = scene.connection.execute(
        "SELECT v.evidence FROM consent_evidence v JOIN consent_events e USING (event)"
        " WHERE e.change = 'optin_requested'"
    ).fetchall()
    assert b'"box":"ticked"' in evidence
    assert b'"asked"' in evidence
    assert b"Reply YES" in evidence


def test_an_earlier_act_keeps_its_time_and_the_question_runs_from_now(scene: Scene) -> None:
    """A till that was offline tells of this morning; the question is asked, and expires, later."""
    morning = scene.now() - timedelta(hours=6)
    record(scene, replace(FORM, method=Method.POINT_OF_SALE, happened_at=morning))

    ((occurred, recorded, asked),) = scene.connection.execute(
        "SELECT e.occurred_at, e.recorded_at, t.asked_at FROM consent_events e, subscriptions t"
    ).fetchall()
    assert occurred == morning
    assert asked == recorded
    assert recorded - occurred >= timedelta(hours=6)


def test_one_question_a_day(scene: Scene) -> None:
    """However often a form is filled in, the phone behind the number rings once."""
    assert record(scene, FORM) == [OptInAnswer.ASKED]
    assert record(scene, FORM) == [OptInAnswer.WAITING]
    assert len(scene.messages()) == 1


def test_what_a_file_says_waits_for_its_turn(scene: Scene) -> None:
    """Pending at once, asked later: no message yet, one place in the queue, however often."""
    assert record(scene, IMPORTED) == [OptInAnswer.ASKED]
    assert record(scene, IMPORTED) == [OptInAnswer.WAITING]

    assert scene.state(ANNA) == "pending"
    assert scene.messages() == {}
    assert waiting.waiting(scene.connection) == {"deals": 1}
    ((asked_at, method),) = scene.connection.execute("SELECT asked_at, method FROM subscriptions")
    assert (asked_at, method) == (None, "import")
    assert [checked.faults for checked in check(scene.connection)] == [[]]


def test_a_form_does_not_wait_for_the_turn_of_a_file(scene: Scene) -> None:
    """Who asks for themselves is asked at once; the place in the queue comes to nothing."""
    record(scene, IMPORTED)

    assert record(scene, FORM) == [OptInAnswer.ASKED]
    assert list(scene.messages().values()) == ["queued"]
    assert scene.changes(ANNA) == ["optin_requested", "optin_requested"]


def test_a_file_says_nothing_of_somebody_who_may_have_opted_out(scene: Scene) -> None:
    """While a doubtful text is open, what others claim does not count."""
    scene.hear(ANNA, "HELP")
    scene.connection.execute("UPDATE subscribers SET suspended = true")

    assert record(scene, IMPORTED) == [OptInAnswer.SUPPRESSED]


def test_three_questions_for_ever_while_nothing_comes_back(scene: Scene) -> None:
    """A number whose owner never answers is left alone; one word from it starts anew."""
    answers = []
    for _ in range(4):
        answers += record(scene, FORM)
        scene.connection.execute(
            "UPDATE messages SET created_at = created_at - interval '25 hours'"
        )
    assert answers == [OptInAnswer.ASKED] * 3 + [OptInAnswer.LIMITED]

    scene.hear(ANNA, "HELP")

    assert record(scene, FORM) == [OptInAnswer.ASKED]


def test_somebody_who_is_there_already_is_not_asked(scene: Scene) -> None:
    """Nothing is written, nothing is sent."""
    scene.hear(ANNA, "JOIN", "YES")

    assert record(scene, FORM) == [OptInAnswer.SUBSCRIBED]
    assert scene.messages() == {}


def test_a_file_never_brings_back_who_left(scene: Scene) -> None:
    """The person may come back by a form of their own, which must still be confirmed."""
    scene.hear(ANNA, "JOIN", "YES", "STOP")

    assert record(scene, IMPORTED) == [OptInAnswer.SUPPRESSED]
    assert scene.state(ANNA) == "unsubscribed"
    assert record(scene, FORM) == [OptInAnswer.ASKED]
    assert scene.state(ANNA) == "pending"


def test_a_suppressed_number_is_refused_to_everyone_but_its_owner(scene: Scene) -> None:
    """The list knows the number only by its keyed hash."""
    with atomic(scene.connection):
        digest = phone_digest(PEPPER, BEN)
        assert suppress(scene.connection, [digest], SuppressionReason.ERASED, "test") == 1
        assert suppress(scene.connection, [digest], SuppressionReason.ERASED, "test") == 0

    assert record(scene, replace(IMPORTED, phone=BEN)) == [OptInAnswer.SUPPRESSED]
    assert record(scene, replace(FORM, phone=BEN)) == [OptInAnswer.ASKED]
    assert BEN.encode() not in canonical([digest.hex()])


def test_nobody_is_asked_before_their_age_was_checked(scene: Scene, database_url: str) -> None:
    """Whatever the way in, a program with a minimum age wants to see the check."""
    pool = engine(database_url, "test", pool_size=1)
    with transaction(sessions(pool)) as work:
        save_program(work.session, replace(PROGRAMS[0], minimum_age=21))
    pool.dispose()

    unchecked = record(scene, FORM)
    checked = record(scene, replace(FORM, evidence={"age": gate(21)}))

    assert (unchecked, checked) == ([OptInAnswer.AGE_UNCHECKED], [OptInAnswer.ASKED])
    assert [change for change, _, _ in scene.ledger(ANNA)] == ["optin_requested"]
