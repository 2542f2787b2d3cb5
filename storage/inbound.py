"""Inbound texts, kept for ever by their MessageSid, and the inbox of those that need a person."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class InboundRow(Base):
    """One text as it came. ``raw`` is the signed form, byte for byte; ``body`` a readable copy.

    ``review`` says why a person should look at it; the inbox is the rows where that is open.
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


class Resolution(StrEnum):
    """What a person decided about a text in the inbox."""

    OPT_OUT = "opt_out"
    KEEP = "keep"
    HANDLED = "handled"
