"""Texts that were on the wire when the person withdrew: each is flagged, whatever became of it.

A STOP waits for a text in mid-call, for a moment (see ``conversation`` and ``fencing``). Where it
does not wait, or the carrier hangs, the text may be accepted after the STOP. Nobody can call it
back; it can be counted, and every one is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import errors
from sqlalchemy import Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from keywords.consent import Change
from keywords.turn import ConsentChange
from storage.base import Base
from storage.database import Connection
from storage.rowsets import Rowset

# What a withdrawal waits for a text in mid-call, whoever else it waits for. Longer than a worker
# goes on handing texts over once it has fenced them (``worker.campaigns.batch``): what was not on
# the wire by then never will be.
PATIENCE_MS: Final = 3_000
# Entries after which no marketing of that program may go, or none at all.
WITHDRAWS: Final = frozenset(
    {Change.OPTOUT, Change.OPTIN_DECLINED, Change.PAUSED, Change.LAPSED, Change.SUSPENDED}
)


class RaceRow(Base):
    """One message that was being sent when its person's consent ended by ``change``.

    ``waited``: the withdrawal waited for the carrier's answer, so the text was not late.
    """

    __tablename__ = "races"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    recipient_id: Mapped[int]
    attempt_id: Mapped[UUID]
    subscriber_id: Mapped[int]
    change: Mapped[str]
    waited: Mapped[bool] = mapped_column(server_default=text("false"))
    at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


ROWS: Final = Rowset(
    "races",
    {
        "recipient_id": "bigint",
        "attempt_id": "uuid",
        "subscriber_id": "bigint",
        "change": "text",
        "waited": "boolean",
        "at": "timestamptz",
    },
)


@dataclass(frozen=True, slots=True)
class InFlight:
    """A marketing text that a worker has claimed and not settled. ``waited`` as in the table."""

    recipient_id: int
    attempt_id: str
    program: str
    waited: bool = False


@dataclass(frozen=True, slots=True)
class Fenced:
    """The outcome of waiting for texts in mid-call.

    ``ours`` are messages that no worker holds: locked, so that none can hand them over before our
    commit. ``before`` is all that was in flight when the waiting began, by the person's number.
    ``late`` says that the patience ended first.
    """

    ours: frozenset[int]
    before: Mapping[str, Sequence[InFlight]]
    late: bool


_IN_FLIGHT: Final = """
SELECT s.phone, r.id, r.attempt_id::text, c.program
FROM subscribers s JOIN recipients r ON r.subscriber_id = s.id JOIN campaigns c
  ON c.id = r.campaign_id
WHERE s.phone = ANY(%s) AND r.state = 'sending'
"""
_TAKE: Final = """
SELECT id FROM recipients WHERE id = ANY(%s) AND state = 'sending' ORDER BY id FOR SHARE
"""


def wait(connection: Connection, phones: Sequence[str]) -> Fenced:
    """Wait until no worker has a text to one of these numbers in mid-call, for three seconds.

    Messages are locked before people, here and wherever both are, so that nobody waits in a
    circle. Call inside a transaction, before ``locking.lock``.
    """
    before: dict[str, list[InFlight]] = {}
    for phone, *columns in connection.execute(_IN_FLIGHT, (list(phones),)):
        before.setdefault(phone, []).append(InFlight(*columns))
    ids = [each.recipient_id for several in before.values() for each in several]
    if not ids:
        return Fenced(frozenset(), {}, late=False)
    connection.execute("SAVEPOINT fence")
    connection.execute(f"SET LOCAL statement_timeout = {PATIENCE_MS}")
    try:
        taken = connection.execute(_TAKE, (ids,)).fetchall()
    except errors.QueryCanceled:
        connection.execute("ROLLBACK TO SAVEPOINT fence")
        taken = connection.execute(_TAKE + " SKIP LOCKED", (ids,)).fetchall()
        return Fenced(frozenset(key for (key,) in taken), before, late=True)
    connection.execute("SET LOCAL statement_timeout TO DEFAULT")
    return Fenced(frozenset(key for (key,) in taken), before, late=False)


def crosses(change: ConsentChange, flight: InFlight) -> bool:
    """Whether a change of consent is about a text that is in mid-call."""
    entry = change.entry
    return entry.change in WITHDRAWS and entry.program in (None, flight.program)


def withdraws(changes: Sequence[ConsentChange]) -> bool:
    """Whether one of them ends or suspends marketing."""
    return any(change.entry.change in WITHDRAWS for change in changes)


def rows(
    changes: Sequence[tuple[str, ConsentChange]],
    in_flight: Mapping[str, Sequence[InFlight]],
    ids: Mapping[str, int],
    now: datetime,
) -> Iterator[dict[str, Any]]:
    """The rows to write for changes of consent, each with the number of the person."""
    for phone, change in changes:
        for flight in in_flight.get(phone, ()):
            if crosses(change, flight):
                yield {
                    "recipient_id": flight.recipient_id,
                    "attempt_id": flight.attempt_id,
                    "subscriber_id": ids[phone],
                    "change": change.entry.change,
                    "waited": flight.waited,
                    "at": now,
                }
