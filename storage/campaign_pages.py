"""Campaigns and their recipients as people look at them: pages, and how it went.

How it went is read from the tallies, which the workers keep in the transactions that settle
messages, and from an index over what is still open; so it is quick at any size, and true to the
last commit. The sums match the plan: planned = waiting + held + sending + every final state.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage import tallies
from storage.campaigns import CampaignRow, RecipientState, VariantRow
from storage.database import Connection

_DELIVERY: Final = "delivery"
_OPEN: Final = """
SELECT state, CASE WHEN state = 'planned' AND not_before > assent_now() THEN 'held' END AS held,
       CASE WHEN state = 'planned' AND not_before > assent_now() THEN reason END AS why, count(*)
FROM recipients WHERE campaign_id = %s AND state IN ('planned', 'sending') GROUP BY 1, 2, 3
"""
_NEXT: Final = """
SELECT min(not_before) FROM recipients
WHERE campaign_id = %s AND state = 'planned' AND not_before > assent_now()
"""
_RECIPIENTS: Final = """
SELECT r.id, s.phone, r.variant, r.state, r.reason, r.not_before, r.not_after, r.claimed_at,
       r.settled_at, r.sms_segments, r.carrier_sid, r.error_code, r.delivery, r.delivered_at,
       r.decision, r.body
FROM recipients r JOIN subscribers s ON s.id = r.subscriber_id
WHERE r.campaign_id = %(campaign)s AND r.id > %(after)s
"""
_PAGE: Final = " ORDER BY r.id LIMIT %(limit)s"
_STATE: Final = " AND r.state = %(state)s"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a campaign went, or goes. ``planned`` is None before it was planned.

    ``waiting`` may go at once, ``held`` waits for a later moment, by reason ("" for the plan's
    own time); ``final`` counts recipients by final state and reason; ``delivered`` and
    ``undelivered`` are the carrier's last words, the latter by error code; what was accepted and
    has no last word yet is ``unconfirmed``.
    """

    planned: int | None
    waiting: int = 0
    sending: int = 0
    held: Mapping[str, int] = field(default_factory=dict)
    final: Mapping[tuple[str, str], int] = field(default_factory=dict)
    delivered: int = 0
    undelivered: Mapping[str, int] = field(default_factory=dict)
    next_at: datetime | None = None

    def state(self, state: RecipientState) -> int:
        """How many recipients ended in ``state``."""
        return sum(n for (what, _), n in self.final.items() if what == state)

    @property
    def unconfirmed(self) -> int:
        """Accepted by the carrier, without a last word of it."""
        accepted = self.state(RecipientState.ACCEPTED)
        return max(accepted - self.delivered - sum(self.undelivered.values()), 0)

    @property
    def settled(self) -> int:
        """How many recipients have come to an end."""
        return sum(self.final.values())


def page(session: Session, after: int | None, limit: int) -> Sequence[CampaignRow]:
    """Campaigns, newest first, from the one before ``after``."""
    statement = select(CampaignRow).order_by(CampaignRow.id.desc()).limit(limit)
    if after is not None:
        statement = statement.where(CampaignRow.id < after)
    return session.scalars(statement).all()


def variants(session: Session, campaign_id: int) -> Sequence[VariantRow]:
    """A campaign's texts by number."""
    statement = select(VariantRow).where(VariantRow.campaign_id == campaign_id)
    return session.scalars(statement.order_by(VariantRow.number)).all()


def progress(connection: Connection, campaign_id: int, planned: int | None) -> Progress:
    """How a campaign goes at this moment."""
    waiting = sending = 0
    held: dict[str, int] = {}
    for state, is_held, why, n in connection.execute(_OPEN, (campaign_id,)):
        if state == RecipientState.SENDING:
            sending += n
        elif is_held:
            held[why or ""] = n
        else:
            waiting += n
    counted = tallies.read(connection, campaign_id)
    carrier = {why: n for (what, why), n in counted.items() if what == _DELIVERY}
    ((next_at,),) = connection.execute(_NEXT, (campaign_id,)).fetchall()
    return Progress(
        planned,
        waiting,
        sending,
        held,
        {key: n for key, n in counted.items() if key[0] != _DELIVERY},
        carrier.pop("delivered", 0) + carrier.pop("read", 0),
        {why: n for why, n in carrier.items() if why.startswith(("undelivered", "failed"))},
        next_at,
    )


def recipients(
    connection: Connection, campaign_id: int, state: str | None, after: int, limit: int
) -> list[dict[str, Any]]:
    """One page of recipients as rows, by id from the one after ``after``, of one state or all."""
    statement = _RECIPIENTS + (_STATE if state else "") + _PAGE
    values = {"campaign": campaign_id, "state": state, "after": after, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(statement, values).fetchall()


def all_recipients(
    connection: Connection, campaign_id: int, state: str | None, size: int = 5_000
) -> Iterator[dict[str, Any]]:
    """Every recipient, read in pages so that memory stays flat however many there are."""
    after = 0
    while rows := recipients(connection, campaign_id, state, after, size):
        yield from rows
        after = rows[-1]["id"]
