"""Counts of what forms asked for hold whoever counts at the same moment, and name nobody."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from storage import form_counters
from storage.database import connect
from storage.form_counters import Count, blind
from storage.transaction import atomic
from worker import form_gate, form_sweeps
from worker.policy.form_limits import LIMITS, Asking, Door, Scope

DAY = Count("form:global:", 7_200, 0, 245_000, 86_400, 3)


def asking(number: str = "n", **over: object) -> Asking:
    """A form from a place that nobody else asks from."""
    given: dict[str, object] = {
        "number": number,
        "prefix": "+1415555",
        "country": "US",
        "home": True,
        "program": "deals",
        "cost": 1,
    }
    return Asking(**given | over)  # type: ignore[arg-type]


def test_what_is_added_is_read_back(database_url: str) -> None:
    """Amounts add up over the buckets that count, in the order that was asked for."""
    other = Count("form:spend:", 300, 0, 5_880_000, 3_600, 24_000)
    with connect(database_url, "test") as connection, atomic(connection):
        form_counters.add(connection, [DAY, other], [])
        form_counters.add(connection, [DAY], [])

        found = form_counters.read(connection, [other, DAY], [])
        later = Count(DAY.key, DAY.width, DAY.bucket + 1, DAY.bucket + 1, DAY.lasts, 1)
        after = form_counters.read(connection, [later], [])

    assert found.amounts == (24_000, 6)
    assert after.amounts == (0,)


def test_forms_at_once_never_pass_a_limit_together(database_url: str) -> None:
    """Twenty at one moment, from four processes: as many pass as the limit says."""
    (most,) = (
        limit.most
        for limit in LIMITS[Door.FORM]
        if limit.scope is Scope.PREFIX and limit.per == "hour"
    )

    def enter(n: int) -> bool:
        with connect(database_url, "test") as connection, atomic(connection):
            return form_gate.enter(connection, Door.FORM, asking(str(n))) is None

    with ThreadPoolExecutor(4) as pool:
        passed = sum(pool.map(enter, range(20)))

    assert passed == most


def test_looking_writes_nothing(database_url: str) -> None:
    """A form that is refused costs one statement that reads."""
    with connect(database_url, "test") as connection:
        ((now,),) = connection.execute("SELECT assent_now()").fetchall()
        connection.execute("SET default_transaction_read_only = on")

        assert form_gate.look(connection, Door.FORM, asking(), now) is None


def test_a_counter_says_nothing_of_whom_it_counts() -> None:
    """Another digest than the suppression list's, and another for each kind."""
    digests = {
        blind("pepper", "number", "+14155550123"),
        blind("pepper", "address", "+14155550123"),
        blind("another", "number", "+14155550123"),
    }

    assert len(digests) == 3
    assert all("4155550123" not in digest for digest in digests)


@pytest.mark.parametrize(("days", "left"), [(0, True), (2, False)])
def test_old_counts_are_deleted(database_url: str, days: int, left: bool) -> None:
    """The tables do not grow with time."""
    with connect(database_url, "test") as connection:
        with atomic(connection):
            form_gate.enter(connection, Door.FORM, asking())
        connection.execute(
            "SELECT set_config('assent.clock_offset', %s, false)", (str(timedelta(days=days)),)
        )
        form_sweeps.forget(connection)
        rows = connection.execute("SELECT 1 FROM form_counters").fetchall()

    assert bool(rows) is left
