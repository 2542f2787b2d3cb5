"""Real processes: they share the rows out, die, are started again, and leave texts alone."""

from __future__ import annotations

import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from keywords.importing.columns import Role
from keywords.importing.wishes import Wishes
from keywords.turn import Text
from storage.conversation import Arrival, exchange
from storage.database import BY_KEY, connect
from storage.imports import jobs
from storage.imports.tables import ImportState
from storage.shop import ShopCache
from storage.transaction import transaction
from tests.texting import SENDER, new_sid
from tests.worker.importing.conftest import Yard, line
from worker.importing.crew import Crew
from worker.importing.orders import Ending, Orders, read_orders
from worker.importing.part import BATCH

PHONES = [f"+1415{number:07d}" for number in range(2_000_000, 2_012_000)]
PATIENCE_S = 60.0
_ROLES = {Role.DISCLOSURE: "Words", Role.DATE: "Agreed", Role.PHONE: "Contact"}


def finished(crew: Crew, each: Callable[[], object] = lambda: None) -> None:
    """Until all processes have ended; ``each`` is called now and then."""
    deadline = time.monotonic() + PATIENCE_S
    try:
        while crew.working():
            assert time.monotonic() < deadline, "the import does not end"
            each()
            time.sleep(0.02)
    finally:
        crew.stop()


def test_two_processes_share_the_rows_out(yard: Yard) -> None:
    """Each row once, whatever the spelling of its number; the counts are those of all."""
    spellings = ["+1 (415) 200-0007", "4152000007", "415.200.0007 "]
    rows = [line(phone) for phone in PHONES[:50]] + [line(spelling) for spelling in spellings]
    number, crew = yard.begun(yard.file(*rows, line(""), line(PHONES[60], proof=False)))

    finished(crew)

    assert crew.done()
    assert yard.settled(number) == {
        "asked": 50,
        "duplicate": 3,
        "phone_empty": 1,
        "source_missing": 1,
    }
    assert yard.value("SELECT count(*) FROM subscribers") == 51
    assert yard.value("SELECT count(DISTINCT position) FROM import_parts") == 1
    assert yard.faults() == []


def test_killed_in_mid_import_it_goes_on_where_it_was_committed(yard: Yard) -> None:
    """kill -9 of both processes, several times; nobody is entered twice, nobody is missing."""
    rows = [line(phone) for phone in PHONES]
    rows[5::100] = [line("no number") for _ in rows[5::100]]
    path = yard.file(*rows)
    number, crew = yard.begun(path)
    chance, kills = random.Random(7), 0
    for _ in range(4):
        until = yard.value("SELECT sum(position) FROM import_parts") + chance.randrange(1, 3000)
        deadline = time.monotonic() + PATIENCE_S
        while crew.working() and time.monotonic() < deadline:
            if yard.value("SELECT sum(position) FROM import_parts") >= until:
                break
            time.sleep(0.005)
        for pid in crew.pids:
            os.kill(pid, signal.SIGKILL)
            kills += 1
        crew.stop()
        crew = yard.again(number, path)
    finished(crew)

    assert kills >= 2
    assert yard.settled(number) == {"asked": 11_880, "phone_not_a_number": 120}
    assert yard.value("SELECT count(*) FROM consent_events") == 11_880
    assert yard.value("SELECT count(DISTINCT subject) FROM consent_events") == 11_880
    assert yard.value("SELECT count(*) FROM waiting_questions") == 11_880
    assert yard.value("SELECT count(*) FROM import_findings") == 120
    assert yard.faults() == []


class Stopper(threading.Thread):
    """People of the file who text STOP while it is imported."""

    def __init__(self, yard: Yard, phones: list[str], over: threading.Event) -> None:
        super().__init__(daemon=True)
        self.phones = phones
        self.over = over
        self.url = yard.database_url
        self.stopped: list[str] = []
        self.longest = 0.0

    def run(self) -> None:
        """One STOP after the other, each by somebody else, until it is over."""
        shops = ShopCache()
        with connect(self.url, "texts", planner=BY_KEY) as connection:
            for phone in self.phones:
                if self.over.is_set():
                    return
                text, begun = Text(new_sid(), phone, SENDER, "STOP"), time.monotonic()
                exchange(connection, shops, [Arrival(text, phone, b"")])
                self.longest = max(self.longest, time.monotonic() - begun)
                self.stopped.append(phone)
                time.sleep(0.01)


def test_a_stop_during_the_import_wins_and_does_not_wait_long(yard: Yard) -> None:
    """Before its row, after it, or in the middle of its batch: the person is unsubscribed."""
    order = random.Random(3).sample(PHONES, 400)
    number, crew = yard.begun(yard.file(*[line(phone) for phone in PHONES]))
    over = threading.Event()
    stopper = Stopper(yard, order, over)
    stopper.start()
    finished(crew)
    over.set()
    stopper.join(PATIENCE_S)

    stopped = stopper.stopped
    assert len(stopped) >= 5
    counts = yard.settled(number)
    assert counts["asked"] + counts.get("left_before", 0) == len(PHONES)
    states = yard.scene.connection.execute(
        "SELECT DISTINCT t.state FROM subscriptions t JOIN subscribers s ON s.id = t.subscriber_id"
        " WHERE s.phone = ANY(%s) AND t.program = 'deals'",
        (stopped,),
    ).fetchall()
    assert states == [("unsubscribed",)]
    assert stopper.longest < 5.0
    assert yard.faults() == []


def test_an_import_that_is_canceled_stops_its_processes(yard: Yard) -> None:
    """After the batches at hand; the rest of the file is never read."""
    number, crew = yard.begun(yard.file(*[line(phone) for phone in PHONES]))

    def cancel() -> None:
        if yard.value("SELECT sum(position) FROM import_parts"):
            with transaction(yard.sessions) as work:
                jobs.cancel(work.session, number)

    finished(crew, cancel)

    assert not crew.done()
    assert crew.failure() is None
    assert yard.value("SELECT state FROM imports") == ImportState.CANCELED
    assert 0 < yard.value("SELECT count(*) FROM consent_events") < len(PHONES)


def test_two_crews_on_one_import_enter_nobody_twice(yard: Yard) -> None:
    """Somebody gives the command twice: of two processes for a part one gives way."""
    path = yard.file(*[line(phone) for phone in PHONES[:6000]])
    number, first = yard.begun(path)
    second = yard.again(number, path)
    finished(first, second.working)
    finished(second)

    assert yard.settled(number) == {"asked": 6000}
    assert yard.value("SELECT count(*) FROM consent_events") == 6000
    assert yard.faults() == []


def test_processes_end_with_the_one_that_started_them(yard: Yard) -> None:
    """Nobody would look after them; the import is taken up again later."""
    path = yard.file(*[line(phone) for phone in PHONES])
    _, crew = yard.begun(path, parts=1)
    (worker,) = crew._workers
    worker.orders = replace(worker.orders, parent=1)

    finished(crew)

    assert worker.ending == Ending.STOPPED
    assert yard.value("SELECT count(*) FROM consent_events") <= BATCH


@contextmanager
def crew_of(yard: Yard, **over: object) -> Iterator[Crew]:
    """A crew of one, with some of its orders changed."""
    _, crew = yard.begun(yard.file(line(PHONES[0])), parts=1)
    (worker,) = crew._workers
    changed: dict[str, object] = over
    worker.orders = replace(worker.orders, **changed)  # type: ignore[arg-type]
    yield crew
    crew.stop()


def test_a_file_that_is_gone_is_said(yard: Yard) -> None:
    """One sentence for whoever imports."""
    with crew_of(yard, path="/nowhere/people.csv") as crew:
        finished(crew)

        assert not crew.done()
        assert crew.failure() == "The file cannot be read."


def test_a_database_that_is_away_is_tried_again(
    yard: Yard, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is there; the process goes on where it was committed."""
    monkeypatch.setattr("worker.importing.crew.pause_s", lambda _failures: 0.01)
    with crew_of(yard, database_url="postgresql://127.0.0.1:1/nowhere") as crew:
        (worker,) = crew._workers
        assert crew.working()
        while worker.starts < 2:
            crew.working()
            time.sleep(0.02)
        worker.orders = replace(worker.orders, database_url=yard.database_url)
        finished(crew)

        assert crew.done()
    assert yard.value("SELECT count(*) FROM consent_events") == 1


def test_orders_do_not_show_their_secrets(yard: Yard) -> None:
    """They travel by a pipe, not on the command line, where every user could read them."""
    number, crew = yard.begun(yard.file(*[line(phone) for phone in PHONES[:3000]]), parts=1)
    assert crew.working()
    (pid,) = crew.pids
    shown = b""
    command = Path(f"/proc/{pid}/cmdline")
    if command.exists():
        shown = command.read_bytes()
    finished(crew)

    assert b"pepper" not in shown
    assert yard.settled(number) == {"asked": 3000}


def test_what_is_said_of_columns_reaches_the_processes(yard: Yard) -> None:
    """A file with headings of its own, in another order, with a source for all."""
    path = yard.file(
        "Yes to deals|2025-03-04|4155550101\n", header="Words|Agreed|Contact\n", name="odd.txt"
    )
    wishes = Wishes(
        program="deals",
        columns={role: [heading] for role, heading in _ROLES.items()},
        source="Old shop",
    )
    number, crew = yard.begun(path, wishes=wishes)
    finished(crew)

    assert yard.settled(number) == {"asked": 1}
    assert b'"source":"Old shop"' in yard.value("SELECT evidence FROM consent_evidence")


def test_orders_are_read_as_they_were_written() -> None:
    """Every field of them."""
    orders = Orders("url", "pepper", "path", {"parts": 1}, 3, "ab", "shell:x", "2025", 1)

    assert read_orders(orders.as_json()) == orders
