"""Subscribers and their subscriptions: the current state, which is a projection of the ledger."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, Index, LargeBinary, text
from sqlalchemy.orm import Mapped, mapped_column

from keywords.consent import State
from storage.base import Base

_STATES = ", ".join(repr(str(s)) for s in State)


class SubscriberRow(Base):
    """A phone number. ``ref`` stands for it wherever the number itself must not be.

    ``chain_n`` and ``chain_head`` are the end of the person's ledger, kept here so that the row
    lock which orders a person's texts also orders their entries.
    """

    __tablename__ = "subscribers"
    __table_args__ = (
        CheckConstraint("octet_length(chain_head) = 32", name="chain_head"),
        Index(
            "ix_subscribers_unreached",
            "id",
            postgresql_where=text(
                "reachability IN ('doubtful', 'unreachable', 'invalid', 'deactivated')"
            ),
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    ref: Mapped[UUID] = mapped_column(unique=True, server_default=text("gen_random_uuid()"))
    phone: Mapped[str] = mapped_column(unique=True)
    language: Mapped[str | None]
    suspended: Mapped[bool] = mapped_column(server_default=text("false"))
    reachability: Mapped[str] = mapped_column(server_default="unknown")
    reachability_at: Mapped[datetime | None]
    chain_n: Mapped[int] = mapped_column(server_default=text("0"))
    chain_head: Mapped[bytes] = mapped_column(
        LargeBinary, server_default=text(r"'\x" + "00" * 32 + "'")
    )
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class SubscriptionRow(Base):
    """Where a subscriber stands with a program. No foreign keys: this table is written hot."""

    __tablename__ = "subscriptions"
    __table_args__ = (
        CheckConstraint(f"state IN ({_STATES})", name="state"),
        Index("ix_subscriptions_open", "expires_at", postgresql_where=text("state = 'pending'")),
        Index("ix_subscriptions_paused", "paused_until", postgresql_where=text("state = 'paused'")),
        {"postgresql_with": {"fillfactor": 70}},
    )

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    prior: Mapped[str]
    frequency: Mapped[str | None]
    asked_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]
    reminded_at: Mapped[datetime | None]
    question: Mapped[str | None]
    confirmed_at: Mapped[datetime | None]
    paused_until: Mapped[datetime | None]
    unsubscribed_at: Mapped[datetime | None]
    method: Mapped[str | None]
    version: Mapped[int | None]
