"""Sending: at most once, only what may still go, and settled whatever happens on the way."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bot.simulator.faults import Fault, FaultKind
from keywords.ledger import Link, verify
from storage.database import Connection
from storage.ledger import chain_of, read
from storage.outbox import Settlement
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, BEN, Scene
from worker import sending, sweeps
from worker.breaker import PAUSE_S, Breaker
from worker.gateway import Gateway, Outcome, Outgoing
from worker.runtime import Runtime
from worker.sending import CLAIM_GOOD_FOR_S, drain


@pytest.fixture(autouse=True)
def asked(scene: Scene) -> None:
    """Two people have been asked whether they want to join."""
    scene.hear(ANNA, "JOIN")
    scene.hear(BEN, "JOIN")


def test_a_due_question_is_sent_and_settled(scene: Scene, twilio: Twilio, runtime: Runtime) -> None:
    """The carrier has it once, and the row knows the carrier's SID."""
    key = scene.queue(ANNA)
    assert drain(runtime) == 1
    (text,) = twilio.got(ANNA)
    row = scene.message(key)
    assert (row["state"], row["carrier_sid"]) == ("accepted", text.sid)
    assert drain(runtime) == 0


@pytest.mark.parametrize(
    ("heard", "reason"),
    [
        pytest.param("STOP", "policy.not_pending", id="STOP in the meantime"),
        pytest.param("NO", "policy.not_pending", id="declined in the meantime"),
        pytest.param("YES", "policy.not_pending", id="confirmed in the meantime"),
        pytest.param("JOIN", "policy.asked_again", id="asked again in the meantime"),
    ],
)
def test_a_question_that_is_over_is_not_sent(
    scene: Scene, twilio: Twilio, runtime: Runtime, heard: str, reason: str
) -> None:
    """What was queued is checked again at the last moment; the rule stays with the message."""
    key = scene.queue(ANNA)
    scene.hear(ANNA, heard)
    drain(runtime)
    row = scene.message(key)
    assert (row["state"], row["error_code"]) == ("suppressed", reason)
    assert twilio.got(ANNA) == []


def test_an_expired_question_is_not_sent_even_before_the_sweep(
    scene: Scene, twilio: Twilio, runtime: Runtime
) -> None:
    """The claim looks at the time itself."""
    scene.turn_back(ANNA, days=8)
    key = scene.queue(ANNA)
    drain(runtime)
    assert scene.message(key)["error_code"] == "policy.question_expired"
    assert twilio.got(ANNA) == []


def test_two_workers_at_once_send_each_text_once(
    scene: Scene, twilio: Twilio, new_runtime: Callable[[], Runtime]
) -> None:
    """Twelve texts, two workers that start together: twelve accepted."""
    phones = [f"+1415555{n:04}" for n in range(200, 212)]
    for phone in phones:
        scene.hear(phone, "JOIN")
        scene.queue(phone)
    barrier = threading.Barrier(2)

    def work(runtime: Runtime) -> int:
        barrier.wait()
        return drain(runtime)

    with ThreadPoolExecutor(2) as pool:
        counts = list(pool.map(work, [new_runtime(), new_runtime()]))
    # Both may have passed over a row that the other was just looking at.
    counts.append(drain(new_runtime()))
    assert sum(counts) == len(phones)
    assert {phone: len(twilio.got(phone)) for phone in phones} == dict.fromkeys(phones, 1)


def test_a_worker_that_dies_after_the_carrier_accepted_leaves_unknown(
    scene: Scene,
    twilio: Twilio,
    runtime: Runtime,
    new_runtime: Callable[[], Runtime],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Claimed, sent, killed before the settlement: never sent a second time."""
    key = scene.queue(ANNA)
    monkeypatch.setattr(sending, "_settle", _die)
    with pytest.raises(KeyboardInterrupt):
        drain(runtime)
    monkeypatch.undo()
    assert scene.message(key)["state"] == "sending"

    survivor = new_runtime()
    drain(survivor)
    scene.connection.execute("UPDATE messages SET claimed_at = claimed_at - interval '2 minutes'")
    assert sweeps.tidy_messages(survivor.connection()) == 1
    drain(survivor)
    assert scene.message(key)["state"] == "unknown"
    assert len(twilio.got(ANNA)) == 1


def _die(*_: object) -> None:
    raise KeyboardInterrupt


@pytest.mark.parametrize(
    ("kind", "state", "code", "accepted"),
    [
        pytest.param(FaultKind.TOO_MANY_REQUESTS, "queued", "carrier.20429", 0, id="429"),
        pytest.param(FaultKind.SERVER_ERROR, "unknown", None, 0, id="5xx"),
        pytest.param(FaultKind.RESET_AFTER_ACCEPT, "unknown", None, 1, id="reset after accept"),
    ],
)
def test_only_what_was_certainly_not_accepted_goes_back(
    scene: Scene,
    twilio: Twilio,
    runtime: Runtime,
    kind: FaultKind,
    state: str,
    code: str | None,
    accepted: int,
) -> None:
    """429 waits for its next turn; no answer is unknown, whatever the carrier did."""
    key = scene.queue(ANNA)
    twilio.carrier.faults.add(Fault(kind, times=1))
    drain(runtime)
    row = scene.message(key)
    assert (row["state"], row["error_code"]) == (state, code)
    assert len(twilio.got(ANNA)) == accepted


def test_a_text_that_was_throttled_goes_later(
    scene: Scene, twilio: Twilio, runtime: Runtime
) -> None:
    """Its next attempt lies ahead, and succeeds."""
    key = scene.queue(ANNA)
    twilio.carrier.faults.add(Fault(FaultKind.TOO_MANY_REQUESTS, times=1))
    drain(runtime)
    row = scene.connection.execute("SELECT not_before > clock_timestamp() FROM messages").fetchall()
    assert (True,) in row
    scene.connection.execute("UPDATE messages SET not_before = clock_timestamp()")
    drain(runtime)
    assert scene.message(key)["state"] == "accepted"
    assert len(twilio.got(ANNA)) == 1


def test_21610_is_a_stop_that_the_carrier_heard(
    scene: Scene, twilio: Twilio, runtime: Runtime
) -> None:
    """The ledger says ``carrier``, with its evidence; the number itself is not to blame."""
    key = scene.queue(ANNA)
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=21610))
    drain(runtime)

    assert scene.message(key)["state"] == "rejected"
    assert scene.message(key)["error_code"] == "21610"
    assert scene.state(ANNA) == "unsubscribed"
    assert scene.ledger(ANNA)[-1] == ("optout", "carrier", None)
    chain = _chain(scene, ANNA)
    assert verify(chain) == []
    _, evidence = read(chain[-1])
    assert evidence is not None
    assert evidence["carrier"]["code"] == 21610
    assert evidence["carrier"]["message"] == scene.message(key)["id"]
    assert _reachability(scene, ANNA) == "unknown"
    assert scene.hear(ANNA, "YES") is not None
    assert scene.state(ANNA) == "unsubscribed"


def test_a_number_that_does_not_exist_is_marked_and_its_consent_left_alone(
    scene: Scene, twilio: Twilio, runtime: Runtime
) -> None:
    """Reachability and consent are two separate facts."""
    scene.queue(ANNA)
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=21211))
    before = scene.ledger(ANNA)
    drain(runtime)
    assert _reachability(scene, ANNA) == "invalid"
    assert (scene.state(ANNA), scene.ledger(ANNA)) == ("pending", before)


def test_refused_credentials_stop_everything_until_a_probe_succeeds(
    scene: Scene, twilio: Twilio, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """One alarm, no text lost, no further calls until the pause is over; then one, then all."""
    clock = [0.0]
    runtime.breaker = Breaker(lambda: clock[0])
    keys = [scene.queue(ANNA), scene.queue(BEN)]
    twilio.carrier.faults.add(Fault(FaultKind.AUTH_FAILURE))
    with caplog.at_level(logging.ERROR):
        drain(runtime)
        _due_now(scene)
        assert drain(runtime) == 0
    assert [scene.message(k)["state"] for k in keys] == ["queued", "queued"]
    assert len([r for r in caplog.records if "refuses every text" in r.message]) == 1

    clock[0] += PAUSE_S
    assert drain(runtime) == 1
    twilio.carrier.faults.clear()
    _due_now(scene)
    assert drain(runtime) == 0
    clock[0] += PAUSE_S
    assert drain(runtime) == 2
    assert runtime.breaker.allowance(5) == 5
    assert [scene.message(k)["state"] for k in keys] == ["accepted", "accepted"]


def test_a_worker_that_was_asleep_does_not_send_what_it_claimed_long_ago(
    scene: Scene, twilio: Twilio, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP between claim and call: the claim is too old, the text goes back."""
    key = scene.queue(ANNA)
    asleep = time.monotonic() + CLAIM_GOOD_FOR_S + 1
    real = sending._hand_over

    def late(runtime: Runtime, claimed: sending.Claimed) -> Outcome:
        monkeypatch.setattr(time, "monotonic", lambda: asleep)
        try:
            return real(runtime, claimed)
        finally:
            monkeypatch.undo()

    monkeypatch.setattr(sending, "_hand_over", late)
    drain(runtime)
    assert (scene.message(key)["state"], scene.message(key)["error_code"]) == (
        "queued",
        "claim.too_old",
    )
    assert twilio.got(ANNA) == []


def test_an_error_of_our_own_in_mid_call_leaves_unknown_and_spares_the_others(
    scene: Scene, twilio: Twilio, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One text whose hand-over breaks; the other one is sent."""
    broken, fine = scene.queue(ANNA), scene.queue(BEN)
    real = Gateway.send

    def send(self: Gateway, text: Outgoing) -> Outcome:
        if text.to == ANNA:
            raise RuntimeError("a bug")
        return real(self, text)

    monkeypatch.setattr(Gateway, "send", send)
    drain(runtime)
    assert scene.messages() == {broken: "unknown", fine: "accepted"}


def test_a_database_that_restarts_in_mid_call_loses_no_outcome(
    scene: Scene, twilio: Twilio, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The settlement is tried again on a new connection."""
    key = scene.queue(ANNA)
    real, first = sending._settle_plain, [True]

    def settle(connection: Connection, settlements: list[Settlement]) -> None:
        if first.pop() if first else False:
            connection.close()
        real(connection, settlements)

    monkeypatch.setattr(sending, "_settle_plain", settle)
    drain(runtime)
    assert scene.message(key)["state"] == "accepted"


def test_a_database_that_stays_away_ends_the_drain(
    scene: Scene, runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller hears of it; the row waits for the sweep."""
    scene.queue(ANNA)
    monkeypatch.setattr(sending, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(sending, "_settle_plain", _away)
    with pytest.raises(psycopg.OperationalError):
        drain(runtime)


def _away(*_: object) -> None:
    raise psycopg.OperationalError


def test_nothing_that_names_a_person_is_logged(
    scene: Scene, twilio: Twilio, runtime: Runtime, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither number nor words, whatever the outcome."""
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=21211, to=ANNA))
    twilio.carrier.faults.add(Fault(FaultKind.SERVER_ERROR, to=BEN))
    scene.queue(ANNA)
    scene.queue(BEN)
    with caplog.at_level(logging.DEBUG, logger="worker"):
        drain(runtime)
    assert len(caplog.records) >= 2
    for secret in (ANNA, BEN, "5550123", "5550124", "Reply YES", runtime.settings.secret_key):
        assert secret not in caplog.text


def _due_now(scene: Scene) -> None:
    scene.connection.execute("UPDATE messages SET not_before = clock_timestamp()")


def _reachability(scene: Scene, phone: str) -> str:
    ((value,),) = scene.connection.execute(
        "SELECT reachability FROM subscribers WHERE phone = %s", (phone,)
    ).fetchall()
    return str(value)


def _chain(scene: Scene, phone: str) -> list[Link]:
    ((ref,),) = scene.connection.execute(
        "SELECT ref FROM subscribers WHERE phone = %s", (phone,)
    ).fetchall()
    with scene.connection.cursor() as cursor:
        return chain_of(cursor, ref)
