"""The protocol, with a carrier that misbehaves: at most once, and everybody is accounted for."""

from __future__ import annotations

import logging
import time
from collections import Counter
from typing import Any

import pytest

from bot.simulator.faults import Fault, FaultKind
from storage import campaign_states, paces, tallies
from storage.claiming import Claim, Claimant, DueCampaign
from storage.switches import Switch, reset, throw
from storage.transaction import atomic
from tests import campaigns
from tests.texting import SENDER
from tests.worker.campaigns.conftest import NewDesk, Running, recipients, send
from tests.worker.conftest import Twilio
from tests.worker.scene import ANNA, Scene
from worker.campaigns import batch, sweeps
from worker.campaigns.checking import Checked, Checker
from worker.campaigns.desk import Desk
from worker.campaigns.drain import drain


def got(twilio: Twilio) -> Counter[str]:
    """How many texts each phone has got."""
    return Counter(t.to for t in twilio.carrier.store.everything())


def test_everybody_gets_one_text_and_the_campaign_ends(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """Accepted with its SID, its words, its price and the proof that it was allowed."""
    number = running(250, bodies=("{{ brand }}: 20% off.", "{{ brand }}: one of five is free."))
    send(desk)
    assert campaigns.states(scene.connection, number) == {"accepted": 250}
    assert set(got(twilio).values()) == {1}
    first = recipients(scene.connection, number)[0]
    (text,) = twilio.got(first["phone"])
    assert (text.sid, text.body, text.sender) == (first["carrier_sid"], first["body"], SENDER)
    assert text.body.endswith("Reply STOP to end.")
    assert first["sms_segments"] == 1
    assert first["decision"]["answer"] == "allowed"
    assert first["decision"]["evidence"]["consent"]["state"] == "subscribed"
    assert text.validity == 600
    sweeps.tidy(scene.connection)
    assert campaign_states.state(scene.connection, number) == "finished"
    assert tallies.read(scene.connection, number) == {("accepted", ""): 250}


def test_a_decision_names_the_entry_that_allows_the_text(
    scene: Scene, desk: Desk, running: Running
) -> None:
    """The last YES to this program; of somebody without one in the ledger it names none."""
    scene.hear(ANNA, "JOIN", "YES", "STOP", "JOIN", "YES", "WEEKLY")
    scene.connection.execute(
        "INSERT INTO profiles (subscriber_id, time_zone, place_source)"
        " SELECT id, %s, 'profile' FROM subscribers WHERE phone = %s",
        (campaigns.noon(), ANNA),
    )
    number = running(1)
    send(desk)
    rows = recipients(scene.connection, number)
    told = {row["phone"]: row["decision"]["evidence"]["consent"]["entry"] for row in rows}
    ((entry,),) = scene.connection.execute(
        "SELECT e.event::text FROM consent_events e JOIN subscribers s ON s.ref = e.subject"
        " WHERE s.phone = %s AND e.change = 'optin_confirmed' ORDER BY e.n DESC LIMIT 1",
        (ANNA,),
    ).fetchall()
    assert told.pop(ANNA) == entry
    assert list(told.values()) == [None]


def test_a_machine_that_is_too_slow_for_a_batch_takes_smaller_ones(
    scene: Scene, desk: Desk, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Checking so many takes longer than a fence is good for; the campaign gets on all the same."""
    check = Checker.check

    def slow(self: Checker, claim: Claim, *rest: Any) -> Checked:
        time.sleep(0.04 * len(claim.ids))
        return check(self, claim, *rest)

    monkeypatch.setattr(Checker, "check", slow)
    monkeypatch.setattr(batch, "BEGIN_WITHIN_S", 1.0)
    number = running(60)
    sizes = []
    for _ in range(20):
        sizes.append(desk.batch)
        drain(desk, 0.1)
        scene.connection.execute("UPDATE recipients SET not_before = assent_now()")
        if campaigns.states(scene.connection, number) == {"accepted": 60}:
            break
    assert campaigns.states(scene.connection, number) == {"accepted": 60}
    assert sizes[0] == 100
    assert min(sizes) < 50
    monkeypatch.undo()
    running(150)
    send(desk)
    assert desk.batch > max(sizes[1:])


def test_each_gets_the_variant_and_the_links_that_are_theirs(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """Ten characters, another ten for everybody."""
    number = running(
        20, bodies=("Acme: https://acme.example/a now", "Acme: https://acme.example/b now")
    )
    send(desk)
    found = recipients(scene.connection, number)
    assert {row["variant"] for row in found} == {0, 1}
    bodies = {row["body"] for row in found}
    assert len(bodies) == 20
    assert all("acme.example" not in body and "/l/" in body for body in bodies)
    links = scene.connection.execute("SELECT number, variant, destination FROM links ORDER BY 1")
    assert links.fetchall() == [
        (0, 0, "https://acme.example/a"),
        (1, 1, "https://acme.example/b"),
    ]


@pytest.mark.parametrize(
    ("fault", "state", "reason", "accepted"),
    [
        pytest.param(FaultKind.TOO_MANY_REQUESTS, "planned", "carrier.20429", 0, id="429"),
        pytest.param(FaultKind.SERVER_ERROR, "unknown", None, 0, id="5xx"),
        pytest.param(FaultKind.SERVER_ERROR_AFTER_ACCEPT, "unknown", None, 1, id="5xx, accepted"),
        pytest.param(FaultKind.RESET_AFTER_ACCEPT, "unknown", None, 1, id="reset, accepted"),
    ],
)
def test_only_what_was_certainly_not_accepted_is_tried_again(
    scene: Scene,
    twilio: Twilio,
    desk: Desk,
    running: Running,
    fault: FaultKind,
    state: str,
    reason: str | None,
    accepted: int,
) -> None:
    """429 waits for its next turn; no answer is unknown, whatever the carrier did."""
    number = running(1)
    twilio.carrier.faults.add(Fault(fault, times=1))
    paces.open_paces(scene.connection, [SENDER])
    batch.send_batch(desk, desk.lines[0], _due(number), Claimant(1))
    (row,) = recipients(scene.connection, number)
    assert (row["state"], row["reason"]) == (state, reason)
    assert sum(got(twilio).values()) == accepted
    for _ in range(2):
        scene.connection.execute("UPDATE recipients SET not_before = assent_now()")
        scene.connection.execute("UPDATE sender_paces SET resume_at = NULL")
        send(desk)
    assert sum(got(twilio).values()) == (1 if state == "planned" else accepted)


def _due(number: int) -> DueCampaign:
    return DueCampaign(number, SENDER, 1)


def test_an_invalid_number_is_the_numbers_fault_and_21610_the_persons_wish(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """Reachability and consent are two facts; both are written with the refusal."""
    number = running(3)
    first, second, third = (row["phone"] for row in recipients(scene.connection, number))
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=21211, to=first))
    twilio.carrier.faults.add(Fault(FaultKind.ERROR_CODE, code=21610, to=second))
    send(desk)
    rows = {row["phone"]: row for row in recipients(scene.connection, number)}
    assert [(rows[p]["state"], rows[p]["reason"]) for p in (first, second, third)] == [
        ("rejected", "carrier.21211"),
        ("rejected", "carrier.21610"),
        ("accepted", None),
    ]
    assert scene.state(first) == "subscribed"
    assert (scene.state(second), scene.changes(second)) == ("unsubscribed", ["optout"])
    reachability = scene.connection.execute("SELECT phone, reachability FROM subscribers")
    assert dict(reachability.fetchall())[first] == "invalid"
    assert tallies.read(scene.connection, number) == {
        ("rejected", "carrier.21211"): 1,
        ("rejected", "carrier.21610"): 1,
        ("accepted", ""): 1,
    }


def test_refused_credentials_open_the_breaker_once_and_a_probe_closes_it(
    scene: Scene,
    twilio: Twilio,
    new_desk: NewDesk,
    running: Running,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """One alarm for all processes, no message lost, no call until the probe is due."""
    number = running(150)
    desks = [new_desk(), new_desk()]
    twilio.carrier.faults.add(Fault(FaultKind.AUTH_FAILURE))
    with caplog.at_level(logging.ERROR):
        for desk in desks:
            send(desk)
    alarms = [r for r in caplog.records if "refuses every text" in r.message]
    assert len(alarms) == 1
    assert campaigns.states(scene.connection, number) == {"planned": 150}
    twilio.carrier.faults.clear()
    assert send(desks[0]) == 0

    scene.connection.execute("UPDATE switches SET probe_at = assent_now()")
    scene.connection.execute("UPDATE recipients SET not_before = assent_now()")
    scene.connection.execute("UPDATE sender_paces SET resume_at = NULL")
    send(desks[1])
    assert campaigns.states(scene.connection, number) == {"accepted": 150}
    assert set(got(twilio).values()) == {1}


def test_the_kill_switch_stops_the_next_batch(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """Of every campaign, until somebody puts it off again."""
    running(5)
    assert throw(scene.connection, Switch.KILL, "a wrong price", "test")
    assert not throw(scene.connection, Switch.KILL, "again", "test")
    assert send(desk) == 0
    assert not got(twilio)
    assert reset(scene.connection, Switch.KILL, "test")
    assert send(desk) >= 5


@pytest.mark.parametrize("act", ["pause", "cancel"])
def test_a_claimed_batch_is_not_handed_over_once_its_campaign_is_stopped(
    scene: Scene,
    twilio: Twilio,
    desk: Desk,
    running: Running,
    monkeypatch: pytest.MonkeyPatch,
    act: str,
) -> None:
    """Between claim and fence somebody pauses or cancels; the rows go back, or are closed."""
    number = running(5)
    real = batch._send

    def late(*args: Any) -> None:
        with atomic(scene.connection):
            getattr(campaign_states, act)(scene.connection, number, "why")
        real(*args)

    monkeypatch.setattr(batch, "_send", late)
    send(desk)
    monkeypatch.undo()
    assert not got(twilio)
    sweeps.tidy(scene.connection)
    if act == "cancel":
        assert campaigns.states(scene.connection, number) == {"canceled": 5}
        return
    assert campaigns.states(scene.connection, number) == {"planned": 5}
    with atomic(scene.connection):
        campaign_states.resume(scene.connection, number)
    scene.connection.execute("UPDATE recipients SET not_before = assent_now()")
    send(desk)
    assert campaigns.states(scene.connection, number) == {"accepted": 5}
    assert set(got(twilio).values()) == {1}


def test_a_database_that_restarts_in_mid_batch_loses_no_outcome(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the carrier said is written on a new connection."""
    number = running(5)
    real = batch._settle

    def broken(connection: Any, *args: Any) -> None:
        monkeypatch.undo()
        connection.close()
        real(connection, *args)

    monkeypatch.setattr(batch, "_settle", broken)
    send(desk)
    assert campaigns.states(scene.connection, number) == {"accepted": 5}
    assert set(got(twilio).values()) == {1}


def test_one_message_that_breaks_us_does_not_hold_up_the_others(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is tried alone, three times, and put away; everybody else gets their text once."""
    number = running(5)
    poison = recipients(scene.connection, number)[2]["id"]
    real = Checker._one

    def one(self: Any, attempt: Any, facts: Any, campaign: Any, person: Any, *rest: Any) -> Any:
        if person.id == poison:
            raise RuntimeError("a bug")
        return real(self, attempt, facts, campaign, person, *rest)

    monkeypatch.setattr(Checker, "_one", one)
    for _ in range(8):
        send(desk, 2)
        sweeps.tidy(scene.connection)
    rows = {row["id"]: row for row in recipients(scene.connection, number)}
    assert rows.pop(poison)["reason"] == "sending.quarantined"
    assert {row["state"] for row in rows.values()} == {"accepted"}
    assert set(got(twilio).values()) == {1}


def test_what_a_dead_worker_left_becomes_unknown_and_is_never_sent_again(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Claimed, handed over, killed before it could be written."""
    number = running(5)
    monkeypatch.setattr(batch, "_settle", _die)
    monkeypatch.setattr(batch, "persist", lambda *_: None)
    send(desk, 1)
    monkeypatch.undo()
    assert campaigns.states(scene.connection, number) == {"sending": 5}
    assert sum(got(twilio).values()) == 5
    scene.connection.execute("UPDATE recipients SET claimed_at = claimed_at - interval '61 s'")
    sweeps.tidy(scene.connection)
    send(desk)
    assert campaigns.states(scene.connection, number) == {"unknown": 5}
    assert sum(got(twilio).values()) == 5
    assert campaign_states.state(scene.connection, number) == "finished"


def _die(*_: object) -> None:
    raise KeyboardInterrupt


def test_a_worker_that_was_asleep_does_not_send_what_it_fenced_long_ago(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGSTOP between fence and call: the messages go back, and are sent by whoever is awake."""
    number = running(5)
    paces.open_paces(scene.connection, [SENDER])
    monkeypatch.setattr(batch, "BEGIN_WITHIN_S", -1.0)
    batch.send_batch(desk, desk.lines[0], _due(number), Claimant(1))
    rows = recipients(scene.connection, number)
    assert {(row["state"], row["reason"]) for row in rows} == {("planned", "claim.too_old")}
    assert not got(twilio)
    monkeypatch.setattr(batch, "BEGIN_WITHIN_S", 30.0)
    scene.connection.execute("UPDATE recipients SET not_before = assent_now()")
    send(desk)
    assert campaigns.states(scene.connection, number) == {"accepted": 5}


def test_a_text_is_valid_no_longer_than_it_is_allowed(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """Three minutes are left: the carrier may try for three minutes, not for ten."""
    running(1)
    scene.connection.execute("UPDATE recipients SET not_after = assent_now() + interval '3 min'")
    send(desk)
    (text,) = twilio.carrier.store.everything()
    assert text.validity is not None
    assert 100 < text.validity <= 180


def test_who_withdrew_after_planning_gets_nothing_and_the_row_says_why(
    scene: Scene, twilio: Twilio, desk: Desk, running: Running
) -> None:
    """The plan is a snapshot; consent is asked when it counts."""
    number = running(4)
    phones = [row["phone"] for row in recipients(scene.connection, number)]
    scene.hear(phones[0], "STOP")
    scene.hear(phones[1], "PAUSE")
    scene.connection.execute(
        "UPDATE subscribers SET suspended = true WHERE phone = %s", (phones[2],)
    )
    send(desk, 4)
    rows = {row["phone"]: row for row in recipients(scene.connection, number)}
    assert [(rows[p]["state"], rows[p]["reason"]) for p in phones] == [
        ("refused", "policy.unsubscribed"),
        ("expired", "policy.expired"),
        ("refused", "policy.suspended"),
        ("accepted", None),
    ]
    assert list(got(twilio)) == [phones[3]]


def test_nothing_that_names_a_person_is_logged(
    twilio: Twilio, desk: Desk, running: Running, caplog: pytest.LogCaptureFixture
) -> None:
    """Neither number nor words, whatever the outcome."""
    running(20)
    twilio.carrier.faults.add(Fault(FaultKind.SERVER_ERROR, rate=0.5))
    with caplog.at_level(logging.DEBUG, logger="worker"):
        send(desk)
    for secret in ("+1415", "20% off", desk.runtime.settings.secret_key):
        assert secret not in caplog.text
