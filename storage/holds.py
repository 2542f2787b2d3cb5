"""Legal holds: a person whose data nobody may destroy for a time, and why (GDPR Art. 17(3)(e)).

A hold binds erasure and retention alike, and the database itself refuses to destroy evidence under
one. The words of its reason are about a person, so they go when the person does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from keywords.consent import Change, Method
from keywords.ledger import Json, instant
from keywords.people import Entry
from keywords.turn import ConsentChange
from storage.base import Base
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.locking import Locked, lock

# In SQL: there is a hold in force on the subscriber ``{person}``.
HELD: Final = """
EXISTS (SELECT FROM legal_holds h WHERE h.subscriber_id = {person} AND h.lifted_at IS NULL
        AND (h.until IS NULL OR h.until > assent_now()))
"""


class HoldRow(Base):
    """One hold. In force until it is lifted or ``until`` has come; without ``until``, until lifted.

    ``set_by`` and ``lifted_by`` are "key:<name>" or "operator:<name>".
    """

    __tablename__ = "legal_holds"
    __table_args__ = (
        Index("ix_legal_holds_open", "subscriber_id", postgresql_where=text("lifted_at IS NULL")),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    subscriber_id: Mapped[int]
    reason: Mapped[str]
    until: Mapped[datetime | None]
    set_by: Mapped[str]
    set_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    lifted_by: Mapped[str | None]
    lifted_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Hold:
    """A hold in force. ``until`` None has no end of its own."""

    id: int
    until: datetime | None


@dataclass(frozen=True, slots=True)
class HoldOrder:
    """Somebody puts a hold on a person or lifts it. ``by`` as in :class:`HoldRow`."""

    phone: str
    by: str
    method: Method
    reason: str
    until: datetime | None = None


_SET: Final = """
INSERT INTO legal_holds (subscriber_id, reason, until, set_by) VALUES (%s, %s, %s, %s)
"""
_IN_FORCE: Final = """
SELECT id, until FROM legal_holds WHERE subscriber_id = %s AND lifted_at IS NULL
AND (until IS NULL OR until > assent_now()) ORDER BY until DESC NULLS FIRST
"""
_LIFT: Final = """
UPDATE legal_holds SET lifted_at = assent_now(), lifted_by = %s
WHERE subscriber_id = %s AND lifted_at IS NULL AND (until IS NULL OR until > assent_now())
"""


def put(connection: Connection, order: HoldOrder) -> UUID | None:
    """Put a hold on a person; answers their reference, None for a number that was never seen.

    Entered in their ledger. Call inside a transaction.
    """
    found = _locked(connection, order.phone)
    if found is None:
        return None
    held: dict[str, Json] = {
        "by": order.by,
        "reason": order.reason,
        "until": instant(order.until) if order.until else None,
    }
    _enter(connection, found, order, Change.LEGAL_HOLD_SET, {"hold": held})
    values = (found.ids[order.phone], order.reason, order.until, order.by)
    connection.execute(_SET, values)
    return found.chains[order.phone].subject


def lift(connection: Connection, order: HoldOrder) -> tuple[UUID | None, int]:
    """End every hold on a person; answers their reference and how many there were.

    A request for erasure that waited for this is carried out by the ticker.
    """
    found = _locked(connection, order.phone)
    if found is None:
        return None, 0
    lifted = connection.execute(_LIFT, (order.by, found.ids[order.phone])).rowcount
    if lifted:
        held: dict[str, Json] = {"by": order.by, "reason": order.reason}
        _enter(connection, found, order, Change.LEGAL_HOLD_LIFTED, {"hold": held})
    return found.chains[order.phone].subject, lifted


def in_force(connection: Connection, subscriber_id: int) -> Sequence[Hold]:
    """The holds on a person, the one that ends last first; empty when there are none."""
    return [Hold(*row) for row in connection.execute(_IN_FORCE, (subscriber_id,))]


def _locked(connection: Connection, phone: str) -> Locked | None:
    """Locking makes a row for a number that has none, which a hold has no use for."""
    known = connection.execute("SELECT FROM subscribers WHERE phone = %s", (phone,)).fetchone()
    return None if known is None else lock(connection, [phone])


def _enter(
    connection: Connection,
    locked: Locked,
    order: HoldOrder,
    change: Change,
    evidence: dict[str, Json],
) -> None:
    entry = Entry(change, None, None, order.method, "", "", locked.now, {})
    write_changes(connection, locked, [(order.phone, ConsentChange(entry, order.by, evidence))])
