"""Texts that were on the wire when the person withdrew: each is flagged, whatever became of it.

A STOP waits for a text in mid-call, for a moment (see ``conversation``). Where it does not wait,
or the carrier hangs, the text may be accepted after the STOP. Nobody can call it back; it can be
counted, and every one is.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Identity, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.rowsets import Rowset


class RaceRow(Base):
    """One message that was being sent when its person's consent ended by ``change``."""

    __tablename__ = "races"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    recipient_id: Mapped[int]
    attempt_id: Mapped[UUID]
    subscriber_id: Mapped[int]
    change: Mapped[str]
    at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


ROWS: Final = Rowset(
    "races",
    {
        "recipient_id": "bigint",
        "attempt_id": "uuid",
        "subscriber_id": "bigint",
        "change": "text",
        "at": "timestamptz",
    },
)
