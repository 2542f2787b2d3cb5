"""Campaigns, their variants, links and recipients: what was planned, and what became of each.

The recipient row is the message: planned once, unique on campaign and subscriber, and ending in
exactly one final state with a reason. There is no cursor that could be lost. Recipients and links
have no foreign keys: they are written by the million.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, Identity, Index, Interval, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class CampaignState(StrEnum):
    """How far a campaign is. Only RUNNING ones send."""

    DRAFT = "draft"
    PLANNING = "planning"
    SCHEDULED = "scheduled"
    RUNNING = "running"
    PAUSED = "paused"
    FINISHED = "finished"
    CANCELED = "canceled"


class RecipientState(StrEnum):
    """How far one recipient's message is.

    ``PLANNED`` waits for its time, ``SENDING`` is claimed by a worker; all others are final.
    ``REFUSED``: our own policy said no. ``REJECTED``: the carrier did. ``UNKNOWN``: handed over
    without an answer, and not settled by a callback or by asking the carrier; never sent again.
    """

    PLANNED = "planned"
    SENDING = "sending"
    ACCEPTED = "accepted"
    REJECTED = "rejected"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    EXPIRED = "expired"
    CANCELED = "canceled"
    HOLDOUT = "holdout"


class Schedule(StrEnum):
    """When a campaign goes: at launch, at one moment, or at a local time of each recipient."""

    NOW = "now"
    AT = "at"
    LOCAL = "local"


def one_of(column: str, values: type[StrEnum]) -> str:
    """A check that a text column holds a value of an enumeration."""
    return f"{column} IN ({', '.join(repr(str(v)) for v in values)})"


class CampaignRow(Base):
    """A campaign as it was set up, and how far it is.

    ``audience`` holds the conditions that planning resolves (see ``segments``); ``preset`` names
    the quiet-hours windows; ``local_at`` is a wall-clock time without a zone (``Schedule.LOCAL``);
    after ``max_lateness`` beyond its time a message expires instead of going out. ``holdout`` is
    the share of the audience, 0 to 0.5, that gets nothing and is compared with the rest.

    Set by launch and planning: ``starts_at`` is when it may begin to go; ``grace`` how long after
    its time a message may still go, which is ``max_lateness`` and the time that the sender needs
    for the whole campaign; ``paused_at`` since when somebody, or a rule, holds it;
    ``resumed_at`` when somebody last let it go on.
    """

    __tablename__ = "campaigns"
    __table_args__ = (
        CheckConstraint(one_of("state", CampaignState), name="state"),
        CheckConstraint(one_of("schedule", Schedule), name="schedule"),
        CheckConstraint("holdout BETWEEN 0 AND 0.5", name="holdout"),
        Index(
            "ix_campaigns_open",
            "state",
            postgresql_where=text("state IN ('planning', 'scheduled', 'running', 'paused')"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str]
    program: Mapped[str]
    sender: Mapped[str]
    state: Mapped[str] = mapped_column(server_default="draft")
    state_reason: Mapped[str | None]
    audience: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    holdout: Mapped[float] = mapped_column(server_default=text("0"))
    preset: Mapped[str] = mapped_column(server_default="state_table")
    schedule: Mapped[str] = mapped_column(server_default="now")
    send_at: Mapped[datetime | None]
    local_at: Mapped[str | None]
    max_lateness: Mapped[timedelta] = mapped_column(
        Interval, server_default=text("interval '30 minutes'")
    )
    settings: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))
    planned: Mapped[int | None]
    starts_at: Mapped[datetime | None]
    grace: Mapped[timedelta | None] = mapped_column(Interval)
    paused_at: Mapped[datetime | None]
    resumed_at: Mapped[datetime | None]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    launched_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class VariantRow(Base):
    """One text of a campaign: a Liquid template. ``label`` is "A", "B", …; ``number`` from 0."""

    __tablename__ = "variants"

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    label: Mapped[str]
    body: Mapped[str]


class LinkRow(Base):
    """A destination that a variant's text leads to; every recipient has a code of their own for it.

    ``number`` counts the links of a campaign from 0 and is part of the code.
    """

    __tablename__ = "links"

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    variant: Mapped[int] = mapped_column(SmallInteger)
    destination: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class RecipientRow(Base):
    """One message of a campaign to one subscriber.

    ``reason`` names the rule behind a state ("policy.unsubscribed", "carrier.21211", and for a
    planned one why it waits); ``decision`` is what "may it go now?" answered when it was claimed:
    rule, version, evidence. ``not_after`` is None where the campaign's ``grace`` says it.
    ``attempt_id`` is a random half, the same for all that were claimed together, and the id.
    ``crashes`` counts workers that died with this message in hand; ``asked_at`` is when the
    carrier was last asked about one without an answer.
    ``body`` is the text as it was handed over. ``delivery`` is the carrier's last status, never
    moving backwards by ``delivery_rank``; ``price_micros`` what the carrier says it cost, in
    millionths of a US dollar, and ``expected_micros`` what the list said when it went.
    ``method`` is how the person had joined when the campaign was planned.
    """

    __tablename__ = "recipients"
    __table_args__ = (
        CheckConstraint(one_of("state", RecipientState), name="state"),
        Index(
            "uq_recipients_campaign_id_subscriber_id", "campaign_id", "subscriber_id", unique=True
        ),
        Index(
            "ix_recipients_due",
            "campaign_id",
            "not_before",
            "id",
            postgresql_where=text("state = 'planned'"),
        ),
        # Partial, so that planning a million rows writes three indexes only; a STOP looks here
        # for what is on the wire at this moment, which is never much.
        Index(
            "ix_recipients_in_flight",
            "subscriber_id",
            postgresql_where=text("state = 'sending'"),
        ),
        Index(
            "ix_recipients_unknown",
            "claimed_at",
            postgresql_where=text("state = 'unknown' AND reason IS NULL"),
        ),
        Index(
            "ix_recipients_subscriber",
            "subscriber_id",
            "claimed_at",
            postgresql_where=text("claimed_at IS NOT NULL"),
        ),
        {"postgresql_with": {"fillfactor": 70}},
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    campaign_id: Mapped[int]
    subscriber_id: Mapped[int]
    variant: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str]
    reason: Mapped[str | None]
    not_before: Mapped[datetime | None]
    not_after: Mapped[datetime | None]
    attempt_id: Mapped[UUID | None]
    claimed_at: Mapped[datetime | None]
    settled_at: Mapped[datetime | None]
    asked_at: Mapped[datetime | None]
    crashes: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    decision: Mapped[dict[str, Any] | None]
    body: Mapped[str | None]
    sms_segments: Mapped[int | None] = mapped_column(SmallInteger)
    carrier_sid: Mapped[str | None]
    error_code: Mapped[str | None]
    delivery: Mapped[str | None]
    delivery_rank: Mapped[int | None] = mapped_column(SmallInteger)
    delivered_at: Mapped[datetime | None]
    price_micros: Mapped[int | None]
    expected_micros: Mapped[int | None]
    method: Mapped[str | None]
