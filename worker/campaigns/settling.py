"""Write outcomes that nobody else knows, patiently, and what a refusal says beside "no"."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final

import psycopg

from storage import claiming
from storage.campaigns import RecipientState
from storage.claiming import Settled
from storage.database import Connection
from storage.due_facts import DueCampaignFacts
from storage.transaction import atomic
from worker.campaigns import outcomes
from worker.campaigns.desk import Desk
from worker.campaigns.outcomes import Handed
from worker.consequences import Refusal, follow_refusal
from worker.runtime import Line

PATIENCE_S: Final = 10.0
_PAUSE_S: Final = 0.2


def persist(desk: Desk, line: Line, rows: Sequence[Settled]) -> None:
    """Settle attempts in a transaction of their own; what cannot be written now is kept.

    A database that restarts is waited for.
    """
    if not rows:
        return

    def write(connection: Connection) -> None:
        with atomic(connection):
            claiming.settle(connection, rows)

    if not _patiently(line, write):
        desk.unsettled += rows


def persist_kept(desk: Desk, line: Line) -> None:
    """Try again what could not be written."""
    kept, desk.unsettled = desk.unsettled, []
    persist(desk, line, kept)


def give_back(desk: Desk, line: Line) -> int:
    """Plan again what processes of this home had claimed, and died before they handed it over.

    Each counts as a crash, so that a message which kills workers is found; answers how many.
    """
    total = 0
    for left in desk.journal.left():
        rows = [
            Settled(claiming.recipient_of(attempt), attempt, RecipientState.PLANNED, crashed=True)
            for attempt in claiming.claimed(line.open(), left.token)
            if attempt not in left.begun
        ]
        persist(desk, line, rows)
        total += len(rows)
    return total


def tell(desk: Desk, line: Line, campaign: DueCampaignFacts, handed: Handed) -> None:
    """Settle a refusal together with what it says about the person's consent or number.

    The message is written first: messages are locked before people.
    """
    error, text = handed.error, handed.text
    assert error is not None
    settled = outcomes.settled(handed, campaign.now)
    refusal = Refusal(
        text.subscriber_id,
        text.phone,
        campaign.sender,
        campaign.program,
        message=f"recipient {text.id}",
        attempt=str(text.attempt),
    )

    def write(connection: Connection) -> None:
        with atomic(connection):
            claiming.settle(connection, [settled])
            follow_refusal(connection, desk.runtime.shops, refusal, error)

    if not _patiently(line, write):
        desk.unsettled.append(settled)


def _patiently(line: Line, write: Callable[[Connection], None]) -> bool:
    deadline = time.monotonic() + PATIENCE_S
    while True:
        try:
            write(line.open())
        except psycopg.OperationalError:
            line.drop()
            if time.monotonic() >= deadline:
                return False
            time.sleep(_PAUSE_S)
        else:
            return True
