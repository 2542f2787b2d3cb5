"""What processes count is added up, once, whichever of them counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import psycopg
import pytest

from storage import meters
from storage.database import Connection, connect
from storage.meters import COUNT, SUM, Meters


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    """A private database."""
    with connect(database_url, "test") as made:
        yield made


def numbers(connection: Connection) -> dict[tuple[str, ...], float]:
    """The table by name, labels and part."""
    return {(r.name, *r.labels, r.part): r.n for r in meters.read(connection)}


def test_several_processes_add_to_one_number(connection: Connection) -> None:
    """Each hands in what is new and forgets it."""
    web, worker = Meters(), Meters()
    web.add("calls", ("taken",))
    worker.add("calls", ("taken",), 2)
    worker.add("calls", ("refused",))

    assert [each.hand_in(connection) for each in (web, worker, web)] == [1, 2, 0]

    assert numbers(connection) == {("calls", "taken", COUNT): 3, ("calls", "refused", COUNT): 1}


def test_a_duration_is_in_its_bucket_and_in_the_sum(connection: Connection) -> None:
    """A bound belongs to its bucket; what is longer than all of them to the last."""
    counted = Meters()
    for seconds in (0.001, 0.005, 0.3, 60.0):
        counted.observe("took", seconds)
    counted.hand_in(connection)

    assert numbers(connection) == {
        ("took", "0.005"): 2,
        ("took", "0.5"): 1,
        ("took", "inf"): 1,
        ("took", SUM): pytest.approx(60.306),
    }


def test_what_could_not_be_handed_in_is_kept(connection: Connection, database_url: str) -> None:
    """A database that is away costs no count."""
    counted = Meters()
    counted.add("calls")
    with connect(database_url, "gone") as gone:
        pass
    with pytest.raises(psycopg.OperationalError):
        counted.hand_in(gone)
    counted.add("calls")

    counted.hand_in(connection)

    assert numbers(connection) == {("calls", COUNT): 2}


def test_threads_do_not_lose_a_count(connection: Connection) -> None:
    """A web process has dozens."""
    counted = Meters()

    def work() -> None:
        for _ in range(500):
            counted.add("calls")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    counted.hand_in(connection)

    assert numbers(connection) == {("calls", COUNT): 4_000}
