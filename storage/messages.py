"""Outbound messages: one text to one person, with what became of it."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class MessageState(StrEnum):
    """How far a message is.

    ``ANSWERED``: said in the TwiML of the webhook. ``UNKNOWN``: handed to the carrier without an
    answer; never sent again blindly.
    """

    ANSWERED = "answered"
    QUEUED = "queued"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    SUPPRESSED = "suppressed"


_STATES = ", ".join(repr(str(s)) for s in MessageState)


class MessageRow(Base):
    """See the module. ``mark`` is the loop guard's; ``in_reply_to`` an inbound MessageSid.

    ``delivery`` is the carrier's last status, never moving backwards by ``delivery_rank``.
    """

    __tablename__ = "messages"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        Index("ix_messages_subscriber", "subscriber_id", "created_at"),
        Index(
            "ix_messages_due", "not_before", postgresql_where=text("state IN ('queued', 'sending')")
        ),
        Index(
            "ix_messages_unknown",
            "claimed_at",
            postgresql_where=text("state = 'unknown' AND error_code IS NULL"),
        ),
        Index(
            "uq_messages_dedupe",
            "dedupe_key",
            unique=True,
            postgresql_where=text("dedupe_key IS NOT NULL"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int]
    program: Mapped[str | None]
    sender: Mapped[str]
    kind: Mapped[str]
    reply: Mapped[str | None]
    language: Mapped[str | None]
    body: Mapped[str]
    encoding: Mapped[str]
    sms_segments: Mapped[int]
    in_reply_to: Mapped[str | None]
    mark: Mapped[bytes | None]
    state: Mapped[str]
    dedupe_key: Mapped[str | None]
    not_before: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    attempt_id: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    carrier_sid: Mapped[str | None]
    error_code: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    requeued_at: Mapped[datetime | None]
    delivery: Mapped[str | None]
    delivery_rank: Mapped[int | None] = mapped_column(SmallInteger)
    delivered_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))
