"""What is known of one person, for reading: current state, ledger entries, texts both ways."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import RowMapping, func, select, text
from sqlalchemy.orm import Session

from keywords.ledger import Link
from storage.database import raw
from storage.ledger import EventRow, LogRow
from storage.people import SubscriberRow, SubscriptionRow

_ENTRIES = """
SELECT e.subject, e.n, e.envelope, e.prev, e.hash, e.evidence_digest, v.salt, v.evidence
FROM consent_events e LEFT JOIN consent_evidence v USING (event)
WHERE e.subject = %s AND e.n > %s ORDER BY e.n LIMIT %s
"""
# A reply follows its text even when both carry the time of one transaction.
_MESSAGES = text("""
SELECT * FROM (
    SELECT received_at AS at, message_sid AS thread, 'inbound' AS direction, message_sid AS id,
           sender, channel, body, 'received' AS state, NULL AS kind, NULL AS reply,
           NULL AS program, reading ->> 'language' AS language, NULL AS encoding,
           NULL::bigint AS sms_segments, reading, silence, review, NULL AS in_reply_to,
           NULL AS carrier_sid, NULL AS error_code
    FROM inbound_texts WHERE subscriber_id = :person
    UNION ALL
    SELECT created_at, coalesce(in_reply_to, id::text), 'outbound', id::text,
           sender, 'sms', body, state, kind, reply,
           program, language, encoding,
           sms_segments, NULL, NULL, NULL, in_reply_to,
           carrier_sid, error_code
    FROM messages WHERE subscriber_id = :person
) texts
WHERE (at, thread, direction, id) > (:at, :thread, :direction, :id)
ORDER BY at, thread, direction, id LIMIT :limit
""")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page of a person's texts ends."""

    at: datetime
    thread: str
    direction: str
    id: str


@dataclass(frozen=True, slots=True)
class Summary:
    """The ledger as a whole: its identity, and how much is in it."""

    log: UUID
    created_at: datetime
    entries: int
    subjects: int


def subscriber(session: Session, phone: str) -> SubscriberRow | None:
    """The person with this number in E.164; None when it was never seen."""
    return session.scalars(select(SubscriberRow).where(SubscriberRow.phone == phone)).one_or_none()


def subscriptions(session: Session, subscriber_id: int) -> Sequence[SubscriptionRow]:
    """Where a person stands with each program that ever came up, by slug."""
    statement = select(SubscriptionRow).where(SubscriptionRow.subscriber_id == subscriber_id)
    return session.scalars(statement.order_by(SubscriptionRow.program)).all()


def entries(session: Session, subject: UUID, after: int, limit: int) -> list[Link]:
    """A person's ledger entries in order, from the one after the entry number ``after``."""
    cursor = raw(session).execute(_ENTRIES, (subject, after, limit))
    return [Link(*row) for row in cursor]


def texts(
    session: Session, subscriber_id: int, after: Place | None, limit: int
) -> Sequence[RowMapping]:
    """A person's texts, both ways, oldest first."""
    place: dict[str, Any] = {
        "at": after.at if after else "-infinity",
        "thread": after.thread if after else "",
        "direction": after.direction if after else "",
        "id": after.id if after else "",
    }
    values = place | {"person": subscriber_id, "limit": limit}
    return session.execute(_MESSAGES, values).mappings().all()


def summary(session: Session) -> Summary:
    """The ledger's identity and size. Counts every entry, so it is not for hot paths."""
    log = session.scalars(select(LogRow)).one()
    count = select(func.count(), func.count(EventRow.subject.distinct())).select_from(EventRow)
    events, subjects = session.execute(count).one()
    return Summary(log.log, log.created_at, events, subjects)
