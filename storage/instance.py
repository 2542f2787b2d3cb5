"""Which life of this installation a database belongs to.

A database that was restored from a backup, or cloned, has forgotten whom it texted since. So it
sends no marketing until an operator has looked and confirmed (reliability I13). It is recognised
by its place (the cluster's identity, its timeline and the database's number, which a restore
changes) and by what ``ASSENT_HOME`` remembers of it (see ``worker.instance``).
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class InstanceRow(Base):
    """The one row. ``epoch`` grows with each confirmation; claims name the one they belong to.

    ``place`` is None until the first start. ``held_since`` is set while nothing may be sent.
    """

    __tablename__ = "instance"
    __table_args__ = (CheckConstraint("id = 1", name="single"),)

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    epoch: Mapped[int]
    place: Mapped[str | None]
    seen_at: Mapped[datetime | None]
    held_since: Mapped[datetime | None]
    held_reason: Mapped[str | None]
    changed_by: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


_EPOCH: Final = "SELECT epoch FROM instance WHERE held_since IS NULL"


def epoch(connection: Connection) -> int | None:
    """The epoch that texts are sent in; None while nothing may be sent."""
    row = connection.execute(_EPOCH).fetchone()
    return row[0] if row else None
