"""Two switches that stop campaigns: one that a person throws, and one that the carrier does.

They are read in every claim, so a thrown switch stops the next batch of every process. The
breaker opens when the carrier refuses everything (its credentials, the account), and lets one
text through now and then as a probe; the one that gets through closes it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.campaigns import one_of
from storage.database import Connection

PROBE_EVERY: Final = timedelta(seconds=60)


class Switch(StrEnum):
    """``KILL``: somebody stopped all marketing. ``BREAKER``: the carrier refuses every text."""

    KILL = "kill"
    BREAKER = "breaker"


class SwitchRow(Base):
    """One switch; on while ``on_since`` is set."""

    __tablename__ = "switches"
    __table_args__ = (CheckConstraint(one_of("name", Switch), name="name"),)

    name: Mapped[str] = mapped_column(primary_key=True)
    on_since: Mapped[datetime | None]
    reason: Mapped[str | None]
    changed_by: Mapped[str | None]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    probe_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Switched:
    """A switch that is on: since when, why, and who threw it."""

    since: datetime
    reason: str
    by: str


_ON: Final = """
UPDATE switches SET on_since = assent_now(), reason = %(reason)s, changed_by = %(by)s,
                    changed_at = assent_now(), probe_at = assent_now() + %(probe)s
WHERE name = %(name)s AND on_since IS NULL
"""
_OFF: Final = """
UPDATE switches SET on_since = NULL, reason = NULL, changed_by = %(by)s, changed_at = assent_now(),
                    probe_at = NULL
WHERE name = %(name)s AND on_since IS NOT NULL
"""
_READ: Final = """
SELECT name, on_since, reason, changed_by FROM switches WHERE on_since IS NOT NULL
"""
_PROBE: Final = """
UPDATE switches SET probe_at = assent_now() + %(probe)s
WHERE name = 'breaker' AND on_since IS NOT NULL AND probe_at <= assent_now()
"""


def throw(connection: Connection, switch: Switch, reason: str, by: str) -> bool:
    """Put a switch on; answers whether that is news. ``reason`` is for people to read."""
    values = {"name": str(switch), "reason": reason, "by": by, "probe": PROBE_EVERY}
    return connection.execute(_ON, values).rowcount > 0


def reset(connection: Connection, switch: Switch, by: str) -> bool:
    """Put a switch off; answers whether that is news."""
    return connection.execute(_OFF, {"name": str(switch), "by": by}).rowcount > 0


def thrown(connection: Connection) -> dict[Switch, Switched]:
    """The switches that are on."""
    rows = connection.execute(_READ)
    return {Switch(name): Switched(since, reason, by) for name, since, reason, by in rows}


def may_probe(connection: Connection) -> bool:
    """Whether this process may try one text although the breaker is open; once a minute for all."""
    return connection.execute(_PROBE, {"probe": PROBE_EVERY}).rowcount > 0
