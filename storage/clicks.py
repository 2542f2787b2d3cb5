"""Clicks: every hit on a link, with the label of the rule that judged it.

A hit is first appended to a log on disk (``bot.links``), so that the redirect neither waits for
this table nor loses a click; the ticker drains the log into it. The id is made with the hit, so a
log that is drained twice adds nothing. What tells machines from people (agent, cropped address) is
kept for a limited time; the label stays.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base


class ClickAgentRow(Base):
    """A User-Agent, once: millions of hits have a few thousand agents."""

    __tablename__ = "click_agents"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    agent: Mapped[str] = mapped_column(unique=True)


class ClickRow(Base):
    """One hit. ``label`` is "human" or the rule that caught it, by ``label_version`` of the rules.

    ``address`` is cropped (/24, /48); ``address_key`` a keyed hash of the whole, with which hits
    of one machine on many codes are found. Both, ``agent_id`` and ``headers`` are null once their
    time is over. No foreign keys: written by the thousand, read by indexes.
    """

    __tablename__ = "clicks"
    __table_args__ = (
        Index("ix_clicks_recipient", "recipient_id", "at"),
        Index("ix_clicks_person", "subscriber_id", "at", postgresql_where=text("label = 'human'")),
        Index("ix_clicks_campaign", "campaign_id", "at"),
        Index("ix_clicks_address", "address_key", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recipient_id: Mapped[int]
    link_number: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[int]
    variant: Mapped[int] = mapped_column(SmallInteger)
    subscriber_id: Mapped[int]
    at: Mapped[datetime]
    method: Mapped[str]
    agent_id: Mapped[int | None]
    address: Mapped[str | None]
    address_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any] | None]
    label: Mapped[str]
    label_version: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
