"""Lock people whose consent may end here, once no worker has a text to one of them in mid-call.

A STOP by text waits in its own way (``conversation``), because it shares its transaction with
others. Whoever decides about people alone, an operator, a form, the API, waits here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final

from storage import races
from storage.database import Connection
from storage.locking import Locked, lock
from storage.races import Fenced, InFlight

_TRIES: Final = 3


def lock_fenced(connection: Connection, phones: Sequence[str]) -> Locked:
    """Lock the subscribers with these numbers as ``locking.lock`` does, after what is in mid-call.

    Waits three seconds at most for texts that are on the wire, and again where another campaign has
    claimed one of the people meanwhile, three times in all. What may still be in mid-call then is
    flagged when the entries are written. Call inside a transaction that has locked nobody yet:
    messages are locked before people.
    """
    for tried in range(1, _TRIES + 1):
        connection.execute("SAVEPOINT people")
        fenced = races.wait(connection, phones)
        locked = lock(connection, phones)
        if fenced.late or tried == _TRIES or not _claimed_since(locked, fenced):
            locked.in_flight = seen(locked, fenced)
            return locked
        connection.execute("ROLLBACK TO SAVEPOINT people")
    raise AssertionError


def seen(locked: Locked, fenced: Fenced | None) -> Mapping[str, Sequence[InFlight]]:
    """All that was in flight, before the waiting (if there was any) and after; each is flagged."""
    if fenced is None:
        return locked.in_flight
    still = {each.recipient_id for several in locked.in_flight.values() for each in several}
    return {
        phone: [
            *locked.in_flight.get(phone, ()),
            *(
                replace(each, waited=True)
                for each in fenced.before.get(phone, ())
                if each.recipient_id not in still
            ),
        ]
        for phone in locked.people
    }


def _claimed_since(locked: Locked, fenced: Fenced) -> bool:
    """Whether a worker may be handing over a text that was not waited for."""
    return any(
        each.recipient_id not in fenced.ours
        for several in locked.in_flight.values()
        for each in several
    )
