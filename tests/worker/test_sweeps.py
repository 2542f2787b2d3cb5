"""What the clock does: questions expire, pauses end, a reminder goes once, leftovers are tidied."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import psycopg
import pytest

from keywords.ledger import verify
from keywords.people import Person
from keywords.turn import ConsentChange
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.ledger import chain_of, read
from storage.locking import Locked, lock
from storage.transaction import atomic
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, BEN, Scene, somebody
from worker import sweeps
from worker.policy.daytime import day_ends, zones_of
from worker.runtime import Runtime
from worker.sending import drain


def expire(scene: Scene) -> int:
    """One sweep of questions."""
    return sweeps.expire_questions(scene.connection, scene.shops)


def remind(scene: Scene) -> int:
    """One sweep of reminders."""
    return sweeps.remind(scene.connection, scene.shops)


def evidence(scene: Scene, phone: str) -> list[tuple[dict[str, object], dict[str, object]]]:
    """Envelope and evidence of a person's entries; the chain is whole."""
    row = scene.connection.execute("SELECT ref FROM subscribers WHERE phone = %s", (phone,))
    ((ref,),) = row.fetchall()
    with scene.connection.cursor() as cursor:
        chain = chain_of(cursor, ref)
    assert verify(chain) == []
    return [(envelope, found or {}) for envelope, found in map(read, chain)]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(["JOIN"], "none", id="never said anything"),
        pytest.param(["JOIN", "STOP", "START"], "unsubscribed", id="START after STOP"),
        pytest.param(["JOIN", "STOP", "JOIN"], "unsubscribed", id="JOIN after STOP"),
        pytest.param(["JOIN", "NO", "JOIN", "JOIN"], "unsubscribed", id="asked twice after NO"),
    ],
)
def test_an_unanswered_question_returns_to_what_was_before(
    scene: Scene, before: list[str], after: str
) -> None:
    """Silence is no consent, and it does not turn a refusal into silence either."""
    scene.hear(ANNA, *before)
    scene.turn_back(ANNA, days=8)
    assert expire(scene) == 1
    assert scene.state(ANNA) == after
    assert scene.ledger(ANNA)[-1] == ("optin_expired", "system", None)
    assert expire(scene) == 0


def test_an_open_question_is_left_alone(scene: Scene) -> None:
    """Six days of seven."""
    scene.hear(ANNA, "JOIN")
    scene.turn_back(ANNA, days=6)
    assert expire(scene) == 0
    assert scene.state(ANNA) == "pending"


@pytest.mark.parametrize("swept", [True, False], ids=["after the sweep", "before the sweep"])
def test_a_yes_after_the_question_expired_does_not_subscribe(scene: Scene, *, swept: bool) -> None:
    """Whether or not the sweep was there first, and the entry is written once."""
    scene.hear(ANNA, "JOIN")
    scene.turn_back(ANNA, days=8)
    if swept:
        expire(scene)
    scene.hear(ANNA, "YES")
    expire(scene)
    assert scene.state(ANNA) == "none"
    assert scene.changes(ANNA) == ["optin_requested", "optin_expired"]


def test_an_expiry_is_recorded_with_the_clock_as_its_evidence(scene: Scene) -> None:
    """Actor ``system``, no text, when it was asked, and the person as the replay has it."""
    scene.hear(ANNA, "JOIN")
    scene.turn_back(ANNA, days=8)
    expire(scene)
    envelope, found = evidence(scene, ANNA)[-1]
    assert (envelope["actor"], envelope["before"], envelope["after"]) == (
        "system",
        "pending",
        "none",
    )
    assert set(found) == {"clock", "asked_at"}
    assert found["clock"] == envelope["occurred_at"]


def test_many_people_are_swept_in_batches(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Seven people, three at a time, all in one sweep."""
    monkeypatch.setattr(sweeps, "BATCH", 3)
    phones = [f"+1415555{n:04}" for n in range(300, 307)]
    for phone in phones:
        scene.hear(phone, "JOIN")
        scene.turn_back(phone, days=8)
    assert expire(scene) == 7
    assert {scene.state(phone) for phone in phones} == {"none"}


def test_one_person_who_cannot_be_written_does_not_hold_up_the_others(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The batch fails, then everybody is tried alone; the culprit is not named in the log."""
    for phone in (ANNA, BEN):
        scene.hear(phone, "JOIN")
        scene.turn_back(phone, days=8)

    def write(
        connection: Connection, locked: Locked, changes: Sequence[tuple[str, ConsentChange]]
    ) -> None:
        if ANNA in {phone for phone, _ in changes}:
            connection.execute("SELECT 1 / 0")
        write_changes(connection, locked, changes)

    monkeypatch.setattr(sweeps, "write_changes", write)
    expire(scene)
    assert (scene.state(ANNA), scene.state(BEN)) == ("pending", "none")
    assert "DivisionByZero" in caplog.text
    assert ANNA not in caplog.text


def test_a_database_that_is_away_is_not_blamed_on_a_person(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The ticker must hear of it and wait."""
    scene.hear(ANNA, "JOIN")
    scene.turn_back(ANNA, days=8)
    monkeypatch.setattr(sweeps, "write_changes", _away)
    with pytest.raises(psycopg.OperationalError):
        expire(scene)


def _away(*_: object) -> None:
    raise psycopg.OperationalError


def test_a_pause_ends_by_itself(scene: Scene) -> None:
    """Not a day early; then subscribed again, and recorded as the clock's doing."""
    scene.hear(ANNA, "JOIN", "YES", "PAUSE")
    assert scene.state(ANNA) == "paused"
    scene.turn_back(ANNA, days=29)
    assert sweeps.end_pauses(scene.connection, scene.shops) == 0
    scene.turn_back(ANNA, days=2)
    assert sweeps.end_pauses(scene.connection, scene.shops) == 1
    assert scene.state(ANNA) == "subscribed"
    assert scene.ledger(ANNA)[-1] == ("resumed", "system", None)


def test_a_stop_during_a_pause_is_not_undone_by_its_end(scene: Scene) -> None:
    """There is no pause any more that could end."""
    scene.hear(ANNA, "JOIN", "YES", "PAUSE", "STOP")
    scene.turn_back(ANNA, days=60)
    assert sweeps.end_pauses(scene.connection, scene.shops) == 0
    assert scene.state(ANNA) == "unsubscribed"


def test_a_reminder_goes_once(scene: Scene, twilio: Twilio, runtime: Runtime) -> None:
    """Queued, recorded and sent once, however often the sweep comes by."""
    anna = somebody(awake=True)
    scene.hear(anna, "JOIN")
    assert remind(scene) == 0
    scene.turn_back(anna, hours=25)
    assert remind(scene) == 1
    assert remind(scene) == 0

    drain(runtime)
    (text,) = twilio.got(anna)
    assert "reminder" in text.body.lower()
    assert scene.state(anna) == "pending"
    assert scene.ledger(anna)[-1] == ("optin_reminded", "system", None)
    assert len(evidence(scene, anna)) == 2
    scene.hear(anna, "YES")
    assert scene.state(anna) == "subscribed"


def test_a_new_question_may_be_reminded_of_again(scene: Scene) -> None:
    """One reminder a question, not one a person."""
    anna = somebody(awake=True)
    for _ in range(2):
        scene.hear(anna, "JOIN")
        scene.turn_back(anna, hours=25)
        assert remind(scene) == 1
    assert len(scene.messages()) == 2


def test_nobody_is_reminded_at_night(scene: Scene) -> None:
    """The sleeper stays due, and does not hide the person after them."""
    sleeper, awake = somebody(awake=False), somebody(awake=True)
    for phone in (sleeper, awake):
        scene.hear(phone, "JOIN")
    scene.turn_back(sleeper, hours=26)
    scene.turn_back(awake, hours=25)
    assert remind(scene) == 1
    assert scene.changes(sleeper) == ["optin_requested"]
    assert scene.changes(awake)[-1] == "optin_reminded"


def test_a_page_full_of_sleepers_hides_nobody(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The pages go on behind them."""
    monkeypatch.setattr(sweeps, "BATCH", 1)
    test_nobody_is_reminded_at_night(scene)


def test_a_reminder_is_not_kept_for_the_night(scene: Scene) -> None:
    """It goes before the day ends, before the question expires, and within hours."""
    anna = somebody(awake=True)
    scene.hear(anna, "JOIN")
    scene.turn_back(anna, hours=25)
    remind(scene)
    (key,) = scene.messages()
    until = datetime.fromisoformat(scene.message(key)["not_after"])
    evening = day_ends(zones_of(anna), scene.now())
    assert evening is not None
    assert until <= evening
    assert until <= scene.now() + timedelta(hours=4)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param("UPDATE subscribers SET suspended = true", id="suspended"),
        pytest.param("UPDATE subscribers SET reachability = 'invalid'", id="no such number"),
        pytest.param(
            "UPDATE subscriptions SET expires_at = clock_timestamp()", id="about to expire"
        ),
        pytest.param("UPDATE subscriptions SET state = 'unsubscribed'", id="stopped"),
    ],
)
def test_who_is_not_reminded(scene: Scene, change: str) -> None:
    """Nobody who cannot or should not get it."""
    anna = somebody(awake=True)
    scene.hear(anna, "JOIN")
    scene.turn_back(anna, hours=25)
    scene.connection.execute(change)
    assert remind(scene) == 0
    assert scene.messages() == {}


def test_a_program_without_reminders_sends_none(scene: Scene) -> None:
    """``remind_after_hours`` may be null."""
    anna = somebody(awake=True)
    scene.hear(anna, "JOIN")
    scene.turn_back(anna, hours=48)
    scene.connection.execute(
        "UPDATE programs SET body = jsonb_set(body, '{remind_after_hours}', 'null')"
    )
    assert remind(scene) == 0


def test_what_was_swept_is_what_the_replay_of_the_ledger_gives(scene: Scene) -> None:
    """The person in the tables after sweeps is the person that the sweep computed."""
    anna = somebody(awake=True)
    scene.hear(anna, "JOIN")
    scene.turn_back(anna, hours=25)
    remind(scene)
    before = _person(scene, anna)
    reminded = before.standing("deals").reminded_at
    assert reminded is not None
    envelope, _ = evidence(scene, anna)[-1]
    assert datetime.fromisoformat(str(envelope["occurred_at"])) == reminded


def _person(scene: Scene, phone: str) -> Person:
    with atomic(scene.connection):
        return lock(scene.connection, [phone]).people[phone]


def test_messages_that_are_too_old_and_leftovers_are_closed(scene: Scene) -> None:
    """Expired, unknown, and one that may still go."""
    scene.hear(ANNA, "JOIN")
    late, dead, fine = (
        scene.queue(ANNA, lasts=-timedelta(hours=1)),
        scene.queue(ANNA),
        scene.queue(ANNA),
    )
    scene.connection.execute(
        "UPDATE messages SET state = 'sending', claimed_at = clock_timestamp() - interval '61 s'"
        " WHERE dedupe_key = %s",
        (dead,),
    )
    assert sweeps.tidy_messages(scene.connection) == 2
    assert scene.messages() == {late: "expired", dead: "unknown", fine: "queued"}
