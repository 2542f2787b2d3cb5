"""One opt-in that somebody claims for a number: recorded, and where the person stands after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from keywords.consent import State
from keywords.optin import OptIn, OptInAnswer
from storage import optins
from storage.database import Connection
from storage.shop import ShopCache
from storage.suppression import suppressed

PERSON: Final = "person"


@dataclass(frozen=True, slots=True)
class Claimed:
    """What became of a claim, and where the person stands with the program now.

    ``subscriber_id`` and ``ref`` are None for a number that we have no row of.
    """

    answer: OptInAnswer
    subscriber_id: int | None
    ref: UUID | None
    state: State
    expires_at: datetime | None


_STANDING: Final = """
SELECT s.id, s.ref, t.state, t.expires_at
FROM subscribers s LEFT JOIN subscriptions t ON t.subscriber_id = s.id AND t.program = %s
WHERE s.phone = %s
"""


def claim(connection: Connection, shops: ShopCache, pepper: str, request: OptIn) -> Claimed:
    """Record one opt-in. Call inside a transaction; see :func:`storage.optins.record`.

    A number on the suppression list is refused before anything is written: a row for it would be
    the very thing that an erasure took away.
    """
    answer = OptInAnswer.SUPPRESSED
    others = request.actor != PERSON
    if not (others and suppressed(connection, pepper, [request.phone])):
        (answer,) = optins.record(connection, shops, pepper, [request])
    row = connection.execute(_STANDING, (request.program, request.phone)).fetchone()
    if row is None:
        return Claimed(answer, None, None, State.NONE, None)
    subscriber_id, ref, state, expires_at = row
    return Claimed(answer, subscriber_id, ref, State(state or State.NONE), expires_at)
