"""The inbox: texts that a person should look at, and what that person decided."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Row, Select, exists, func, select, tuple_
from sqlalchemy.orm import Session

from keywords.conversation import Review
from storage.erasures import ErasureRow
from storage.inbound import InboundRow, Resolution
from storage.people import SubscriberRow


@dataclass(frozen=True, slots=True)
class Waiting:
    """A text in the inbox and who sent it; ``phone`` and ``ref`` are None for no person."""

    text: InboundRow
    phone: str | None
    ref: UUID | None
    suspended: bool


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which texts to list: of one kind or all, open or resolved ones."""

    kind: Review | None = None
    open: bool = True


def page(
    session: Session, wanted: Wanted, after: tuple[datetime, str] | None, limit: int
) -> list[Waiting]:
    """Texts of the inbox, oldest first, from the one after ``after`` (time and MessageSid)."""
    statement = _texts().order_by(InboundRow.received_at, InboundRow.message_sid).limit(limit)
    if wanted.kind is not None:
        statement = statement.where(InboundRow.review == wanted.kind)
    if wanted.open:
        statement = statement.where(InboundRow.resolved_at.is_(None))
    else:
        statement = statement.where(InboundRow.resolved_at.is_not(None))
    if after is not None:
        place = tuple_(InboundRow.received_at, InboundRow.message_sid)
        statement = statement.where(place > tuple_(*after))
    return [_waiting(row) for row in session.execute(statement)]


def find(session: Session, message_sid: str, *, lock: bool = False) -> Waiting | None:
    """One text of the inbox. With ``lock``, nobody else resolves it before the commit.

    Lock the person first: that is the order in which texts are taken in.
    """
    statement = _texts().where(InboundRow.message_sid == message_sid)
    if lock:
        statement = statement.with_for_update(of=InboundRow).execution_options(
            populate_existing=True
        )
    row = session.execute(statement).one_or_none()
    return None if row is None else _waiting(row)


def close(session: Session, text: InboundRow, resolution: Resolution, by: str, note: str) -> None:
    """Note what a person decided. The caller has locked the text and found it open."""
    text.resolved_at = func.assent_now()
    text.resolution, text.resolved_by, text.note = resolution, by, note
    session.flush()
    session.refresh(text)


def others_unclear(session: Session, text: InboundRow) -> bool:
    """Whether the same person has another text that may have been an opt-out, still open."""
    other = exists().where(
        InboundRow.subscriber_id == text.subscriber_id,
        InboundRow.message_sid != text.message_sid,
        InboundRow.review == Review.UNCLEAR_STOP,
        InboundRow.resolved_at.is_(None),
    )
    return bool(session.scalar(select(other)))


def _texts() -> Select[InboundRow, str, UUID, bool]:
    return (
        select(InboundRow, SubscriberRow.phone, SubscriberRow.ref, SubscriberRow.suspended)
        .join(SubscriberRow, SubscriberRow.id == InboundRow.subscriber_id, isouter=True)
        .where(InboundRow.review.is_not(None))
        # Whoever is restricted, or erased, is for keys with the scope ``compliance`` alone.
        .where(~exists().where(ErasureRow.subscriber_id == InboundRow.subscriber_id))
    )


def _waiting(row: Row[InboundRow, str, UUID, bool]) -> Waiting:
    text, phone, ref, suspended = row
    return Waiting(text, phone, ref, bool(suspended))
