"""Which life of this installation a database belongs to.

A database that was restored from a backup, or cloned, has forgotten whom it texted since. So it
sends nothing until an operator has looked and confirmed (reliability I13); texts that come in are
answered all the same. It is recognised by its place (the cluster's identity, its timeline and the
database's number, which a restore or a failover changes), and by what ``ASSENT_HOME`` remembers
(``worker.instance``): an epoch that the database has not reached, or more of a log than it has.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import class_row
from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class InstanceRow(Base):
    """The one row. ``epoch`` grows with each confirmation; claims name the one they belong to.

    ``place`` is None until the first start; ``seen_at`` is when a process last found all well.
    ``held_since`` is set while nothing may be sent.
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


# The log that reached the disk: unlike the rest it survives a crash of the server.
_LOOK: Final = """
SELECT i.epoch, i.place, (SELECT system_identifier FROM pg_control_system()) || '/'
       || left(pg_walfile_name(pg_current_wal_flush_lsn()), 8) || '/'
       || (SELECT oid FROM pg_database WHERE datname = current_database()) AS here,
       pg_wal_lsn_diff(pg_current_wal_flush_lsn(), '0/0')::bigint AS log,
       assent_now() - i.seen_at AS unseen, i.held_since, i.held_reason
FROM instance i
"""
_SETTLE: Final = """
UPDATE instance SET place = %s, seen_at = assent_now()
WHERE held_since IS NULL AND (place IS NULL OR seen_at IS NULL
      OR seen_at < assent_now() - interval '30 seconds')
"""
_HOLD: Final = """
UPDATE instance SET held_since = assent_now(), held_reason = %s, changed_by = %s,
                    changed_at = assent_now() WHERE held_since IS NULL
"""
_CONFIRM: Final = """
UPDATE instance SET epoch = greatest(epoch, %s) + 1, place = %s, seen_at = assent_now(),
    held_since = NULL, held_reason = NULL, changed_by = %s, changed_at = assent_now()
RETURNING epoch
"""


@dataclass(frozen=True, slots=True)
class Instance:
    """The database as it is. ``here`` is its place now, ``place`` the one that was confirmed.

    ``log`` is how many bytes of log it has written; ``unseen`` how long ago a process last found
    all well, None if none ever did.
    """

    epoch: int
    place: str | None
    here: str
    log: int
    unseen: timedelta | None
    held_since: datetime | None
    held_reason: str | None


def look(connection: Connection) -> Instance:
    """The instance as it is now."""
    with connection.cursor(row_factory=class_row(Instance)) as cursor:
        found = cursor.execute(_LOOK).fetchone()
    assert found is not None
    return found


def settle(connection: Connection, here: str) -> None:
    """All is well: note where the database is, and that somebody looked."""
    connection.execute(_SETTLE, (here,))


def hold(connection: Connection, reason: str, by: str) -> bool:
    """Send nothing until somebody confirms; answers whether that is news."""
    return connection.execute(_HOLD, (reason, by)).rowcount > 0


def confirm(connection: Connection, reached: int, by: str) -> int:
    """Begin a new life here, beyond the epoch ``reached`` elsewhere; answers its epoch."""
    here = look(connection).here
    ((epoch,),) = connection.execute(_CONFIRM, (reached, here, by)).fetchall()
    return int(epoch)
