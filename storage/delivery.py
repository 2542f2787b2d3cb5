"""What the carrier reports of a text after it took it: each report once, in the order it came.

The webhook only appends here; a worker applies the reports to the messages they are about. A
report names the attempt by itself, so it is understood even before the answer of the call that it
belongs to has been written down.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import Identity, Index, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.ledger import Xid8


class ReportRow(Base):
    """One status of one text. Narrow, without foreign keys, never altered.

    ``recipient_id`` or ``message_id`` says which text; neither is set for a text that is not ours
    or carried no attempt. ``xid`` lets a reader take reports in an order that late commits cannot
    break.
    """

    __tablename__ = "delivery_reports"
    __table_args__ = (Index("ix_delivery_reports_order", "xid", "seq"),)

    sid: Mapped[str] = mapped_column(primary_key=True)
    status: Mapped[str] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    rank: Mapped[int] = mapped_column(SmallInteger)
    code: Mapped[int | None]
    recipient_id: Mapped[int | None]
    message_id: Mapped[UUID | None]
    attempt_id: Mapped[UUID | None]


class ReadMarkRow(Base):
    """How far a reader of an append-only table has come: everything up to (xid, seq) is applied."""

    __tablename__ = "read_marks"

    reader: Mapped[str] = mapped_column(primary_key=True)
    xid: Mapped[int] = mapped_column(Xid8)
    seq: Mapped[int]


class StrikeRow(Base):
    """A failure that may mean that a number does not work; a delivery clears a person's strikes."""

    __tablename__ = "number_strikes"

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    sid: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[int]
    at: Mapped[datetime]
