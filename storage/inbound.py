"""Inbound texts, kept for ever by their MessageSid, and the inbox of those that need a person."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class InboundRow(Base):
    """One text as it came. ``raw`` is the signed form, byte for byte; ``body`` a readable copy.

    ``sent_at`` is set for a text that no webhook brought (``listening``): when the carrier took
    it; ``raw`` is then the carrier's own record. ``review`` says why a person should look at it;
    the inbox is the rows where that is open.
    """

    __tablename__ = "inbound_texts"
    __table_args__ = (
        Index("ix_inbound_texts_subscriber", "subscriber_id", "received_at"),
        Index(
            "ix_inbound_texts_inbox",
            "received_at",
            postgresql_where=text("review IS NOT NULL AND resolved_at IS NULL"),
        ),
    )

    message_sid: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    sent_at: Mapped[datetime | None]
    sender: Mapped[str]
    address: Mapped[str]
    channel: Mapped[str]
    subscriber_id: Mapped[int | None]
    body: Mapped[str]
    raw: Mapped[bytes]
    reading: Mapped[dict[str, Any]]
    silence: Mapped[str | None]
    review: Mapped[str | None]
    resolved_at: Mapped[datetime | None]
    resolution: Mapped[str | None]
    resolved_by: Mapped[str | None]
    note: Mapped[str | None]


_NEWEST: Final = """
SELECT s.phone, max(coalesce(i.sent_at, i.received_at))
FROM subscribers s JOIN inbound_texts i ON i.subscriber_id = s.id
WHERE s.phone = ANY(%s) GROUP BY s.phone
"""
_KNOWN: Final = "SELECT message_sid FROM inbound_texts WHERE message_sid = ANY(%s)"


def newest(connection: Connection, phones: Sequence[str]) -> dict[str, datetime]:
    """When these people wrote last, of all that we have; those who never did are left out."""
    return dict(connection.execute(_NEWEST, (list(phones),)).fetchall())


def known(connection: Connection, sids: Sequence[str]) -> frozenset[str]:
    """Which of these MessageSids we have."""
    return frozenset(sid for (sid,) in connection.execute(_KNOWN, (list(sids),)))


class Resolution(StrEnum):
    """What a person decided about a text in the inbox."""

    OPT_OUT = "opt_out"
    KEEP = "keep"
    HANDLED = "handled"
