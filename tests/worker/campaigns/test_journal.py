"""A killed process tells, by its files, which calls it had begun; nobody else's are touched."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from pathlib import Path
from uuid import UUID

import pytest

from bot.simulator.faults import Fault, FaultKind
from storage import claiming, paces
from storage.claiming import Claimant, DueCampaign
from storage.settings import Settings
from storage.transaction import atomic
from tests import campaigns
from tests.texting import SENDER
from tests.worker.campaigns.conftest import NewDesk, Running, recipients, send
from tests.worker.conftest import Twilio
from tests.worker.scene import Scene
from tests.worker.test_main import wait_for
from worker.campaigns import journal
from worker.campaigns.desk import desk_of
from worker.campaigns.drain import drain
from worker.campaigns.journal import Journal, Left
from worker.campaigns.settling import give_back
from worker.runtime import Runtime

ATTEMPTS = [UUID(int=n) for n in range(3)]


def die(victim: Journal) -> None:
    """What the system does with a process that is killed: its lock is gone, its files are not."""
    os.close(victim._lock)
    victim._lock = -1


def test_the_batches_of_a_dead_process_are_told_once(tmp_path: Path) -> None:
    """With the calls it had begun; the files are gone afterwards."""
    dead, alive = Journal(tmp_path), Journal(tmp_path)
    page = dead.page("a" * 16)
    page.begin(ATTEMPTS[0])
    page.begin(ATTEMPTS[1])
    dead.page("b" * 16)
    assert list(alive.left()) == []
    die(dead)
    assert list(alive.left()) == [
        Left("a" * 16, frozenset(ATTEMPTS[:2])),
        Left("b" * 16, frozenset()),
    ]
    assert list(alive.left()) == []
    alive.close()
    assert list((tmp_path / "run" / "sends").iterdir()) == []


def test_a_batch_that_was_settled_leaves_nothing(tmp_path: Path) -> None:
    """Its file goes when everything is in the database."""
    dead = Journal(tmp_path)
    dead.page("a" * 16).close()
    die(dead)
    assert list(Journal(tmp_path).left()) == []


def test_files_of_an_earlier_boot_prove_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a power cut lines may be missing: what was claimed stays unknown."""
    dead = Journal(tmp_path)
    dead.page("a" * 16)
    die(dead)
    monkeypatch.setattr(journal, "boot", lambda: "another boot")
    assert list(Journal(tmp_path).left()) == []


def test_many_threads_write_whole_lines(tmp_path: Path) -> None:
    """A hundred calls begin at the same moment."""
    dead = Journal(tmp_path)
    page = dead.page("a" * 16)
    attempts = [UUID(int=n) for n in range(100)]
    threads = [threading.Thread(target=page.begin, args=(a,)) for a in attempts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    die(dead)
    (left,) = Journal(tmp_path).left()
    assert left.begun == frozenset(attempts)


def test_a_home_that_cannot_be_written_to_notes_nothing(tmp_path: Path) -> None:
    """Sending goes on; a crash costs more then."""
    (tmp_path / "run").write_text("a file in the way")
    made = Journal(tmp_path)
    page = made.page("a" * 16)
    page.begin(ATTEMPTS[0])
    page.close()
    assert list(made.left()) == []
    made.close()


def test_what_was_claimed_and_never_begun_is_sent_by_the_survivors(
    scene: Scene, twilio: Twilio, new_desk: NewDesk, running: Running
) -> None:
    """What was begun is not: its outcome is unknown."""
    number = running(5)
    dead, survivor = new_desk(), new_desk()
    paces.open_paces(scene.connection, [SENDER])
    token = claiming.new_token()
    page = dead.journal.page(token)
    with atomic(scene.connection):
        campaign = DueCampaign(number, SENDER, 1)
        claim = claiming.claim(scene.connection, campaign, 10, 1.0, Claimant(1), token)
    for key in claim.ids[:2]:
        page.begin(claim.attempt(key))
    send(survivor, 1)
    assert campaigns.states(scene.connection, number) == {"sending": 5}
    die(dead.journal)
    assert give_back(survivor, survivor.lines[0]) == 3
    send(survivor)
    rows = recipients(scene.connection, number)
    assert [row["state"] for row in rows] == ["sending"] * 2 + ["accepted"] * 3
    assert len(twilio.carrier.store.everything()) == 3


def _work(settings: Settings) -> None:
    runtime = Runtime(settings, "victim")
    while True:
        drain(desk_of(runtime))


@pytest.mark.faults
def test_a_killed_process_costs_nobody_a_second_text(
    scene: Scene, twilio: Twilio, ready: Settings, new_desk: NewDesk, running: Running
) -> None:
    """SIGKILL while the carrier holds the calls: those are unknown or settled, the rest is sent."""
    scene.connection.execute("UPDATE senders SET segments_per_second = 500")
    twilio.carrier.faults.add(Fault(FaultKind.HANG_AFTER_ACCEPT, seconds=0.3))
    number = running(300)
    process = multiprocessing.get_context("spawn").Process(target=_work, args=(ready,))
    process.start()
    assert wait_for(lambda: len(twilio.carrier.store.everything()) > 20, 60)
    os.kill(process.pid or 0, signal.SIGKILL)
    process.join()
    twilio.carrier.faults.clear()
    send(new_desk())
    got = [text.to for text in twilio.carrier.store.everything()]
    assert len(got) == len(set(got))
    states = campaigns.states(scene.connection, number)
    assert states.keys() <= {"accepted", "sending"}
    told = {row["phone"] for row in recipients(scene.connection, number)}
    in_doubt = states.get("sending", 0)
    assert told - set(got) == set() or len(told - set(got)) <= in_doubt
