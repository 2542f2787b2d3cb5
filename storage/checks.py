"""When something that takes its time was last looked into, and whether all was well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection

LEDGER: Final = "ledger"


class CheckRow(Base):
    """The last look at one thing. ``well_at`` is when it was last found well."""

    __tablename__ = "checks"

    name: Mapped[str] = mapped_column(primary_key=True)
    ok: Mapped[bool]
    at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    well_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Check:
    """As in the table."""

    ok: bool
    at: datetime
    well_at: datetime | None


_NOTE: Final = """
INSERT INTO checks (name, ok, well_at)
VALUES (%(name)s, %(ok)s, CASE WHEN %(ok)s THEN assent_now() END)
ON CONFLICT (name) DO UPDATE SET ok = excluded.ok, at = assent_now(),
    well_at = coalesce(excluded.well_at, checks.well_at)
"""
_FIND: Final = "SELECT ok, at, well_at FROM checks WHERE name = %s"


def note(connection: Connection, name: str, *, ok: bool) -> None:
    """Keep what a look has found."""
    connection.execute(_NOTE, {"name": name, "ok": ok})


def find(connection: Connection, name: str) -> Check | None:
    """The last look; None when there was none."""
    row = connection.execute(_FIND, (name,)).fetchone()
    return Check(*row) if row else None
