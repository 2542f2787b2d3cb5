"""Simulated weeks over all states: nothing goes outside the hours of the table.

The clock of the tests goes on by minutes; the numbers are of every state, with and without more
evidence. What is allowed is compared with the table that was written by hand (``lawbook``).
"""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest

from tests.worker.policy.cases import facts, local, place
from tests.worker.policy.lawbook import HOLIDAYS, TABLE, THANKSGIVING, allows
from worker.policy import geography
from worker.policy.allowance import decide
from worker.policy.facts import Allowed, Held
from worker.policy.places import Place
from worker.policy.windows import ROOM

# State lists are longer than the federal one: Acadian Day is Louisiana's.
BLACK_FRIDAY = date(2026, 11, 27)
AMERICAN = list(geography._DATA["states"])
WEEKS = [
    pytest.param("2026-11-23", 5, (THANKSGIVING,), id="Thanksgiving"),
    pytest.param("2026-10-26", 20, (), id="the clocks go back"),
    pytest.param("2027-03-08", 20, (), id="the clocks go forward"),
]


def people() -> dict[Place, str]:
    """Different places, each with the one state whose law counts there."""
    found: dict[Place, str] = {}
    for state in AMERICAN:
        for code in geography._DATA["states"][state]["area_codes"].split():
            found[place(f"+1{code}5550123")] = state
        found[place("+18005550123", state=state)] = state
    return found


PEOPLE = people()


def test_all_states_are_there() -> None:
    """Fifty, the District and five territories."""
    assert set(PEOPLE.values()) == set(AMERICAN)
    assert len(AMERICAN) == 56
    assert len(PEOPLE) > 70


@pytest.mark.parametrize(("monday", "step", "holidays"), WEEKS)
def test_nothing_goes_outside_the_table(monday: str, step: int, holidays: tuple[date, ...]) -> None:
    """Each few minutes of a week, in each place: allowed only where the table allows it, and there.

    An allowed text still suits the table in the last second in which it may be delivered.
    """
    start = local("America/New_York", f"{monday}T00:00")
    for where, state in PEOPLE.items():
        message, closed = facts(place=where), _closed(state, holidays)
        for n in range(7 * 24 * 60 // step):
            now = start + timedelta(minutes=n * step)
            decision = decide(message, now)
            lawful = _lawful(where, state, now, closed)
            assert isinstance(decision, Allowed) is lawful, (state, where, now)
            if isinstance(decision, Allowed):
                assert _lawful(where, state, decision.until - timedelta(seconds=1), closed)
                assert not _lawful(where, state, decision.until, closed)
            else:
                assert isinstance(decision, Held)
                assert decision.until is not None
                assert _lawful(where, state, decision.until, closed)


def _lawful(where: Place, state: str, now: datetime, closed: tuple[date, ...]) -> bool:
    return all(allows(state, zone, now, holidays=closed) for zone in where.zones)


def _closed(state: str, holidays: tuple[date, ...]) -> tuple[date, ...]:
    """The holidays of the week in a state, beside the federal ones."""
    own = {
        ("LA", THANKSGIVING): (BLACK_FRIDAY,),
    }
    return holidays + tuple(d for h in holidays for d in own.get((state, h), ()))


@pytest.mark.parametrize("monday", ["2026-11-23", "2027-03-08"])
def test_of_unknown_people_nothing_is_out_of_any_table(monday: str) -> None:
    """A toll-free number is texted only where every state would allow it, in every zone."""
    message = facts(place=place("+18005550123"))
    start, went = local("America/New_York", f"{monday}T00:00"), 0
    for n in range(7 * 24 * 12):
        now = start + timedelta(minutes=5 * n)
        if not isinstance(decide(message, now), Allowed):
            continue
        went += 1
        holidays = (THANKSGIVING, BLACK_FRIDAY)
        for zone in message.place.zones:
            assert all(allows(state, zone, now + ROOM, holidays=holidays) for state in TABLE)
    assert went > 40
    assert set(HOLIDAYS) <= set(TABLE)
