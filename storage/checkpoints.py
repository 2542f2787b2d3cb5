"""Signed checkpoints as they are stored, and how far sealing had come at each."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection
from storage.ledger import Xid8

_COLUMNS: Final = "c.size, c.root, c.note, c.verifier_key, c.sealed_at"
_NEWEST: Final = f"SELECT {_COLUMNS} FROM ledger_checkpoints c ORDER BY size DESC LIMIT 1"  # noqa: S608
_AT: Final = f"SELECT {_COLUMNS} FROM ledger_checkpoints c WHERE size = %s"  # noqa: S608
_AFTER: Final = f"""
SELECT {_COLUMNS} FROM ledger_checkpoints c WHERE size > %s ORDER BY size LIMIT %s
"""  # noqa: S608 - the names are our own
_LOG: Final = "SELECT log FROM ledger_log ORDER BY created_at LIMIT 1"


class CheckpointRow(Base):
    """One checkpoint: the tree at ``size``, and the signed ``note`` that was published.

    ``floor`` is a promise to the next sealing, so that it need not look at the whole ledger: each
    entry with a ``seq`` up to it, committed by now or ever, is one of the ``size`` leaves.
    ``mark_seq`` and ``mark_xid`` are what the next floors are made of (``storage.sealing``).
    """

    __tablename__ = "ledger_checkpoints"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    root: Mapped[bytes]
    note: Mapped[str]
    verifier_key: Mapped[str]
    sealed_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    floor: Mapped[int]
    mark_seq: Mapped[int]
    mark_xid: Mapped[int] = mapped_column(Xid8)


@dataclass(frozen=True, slots=True)
class Sealed:
    """A checkpoint for reading. ``note`` is the signed text, ``verifier_key`` who signed it."""

    size: int
    root: bytes
    note: str
    verifier_key: str
    sealed_at: datetime


def newest(connection: Connection) -> Sealed | None:
    """The last checkpoint; None before the first."""
    row = connection.execute(_NEWEST).fetchone()
    return None if row is None else Sealed(*row)


def at(connection: Connection, size: int) -> Sealed | None:
    """The checkpoint of this size; None when none was made there."""
    row = connection.execute(_AT, (size,)).fetchone()
    return None if row is None else Sealed(*row)


def after(connection: Connection, size: int, *, page: int = 1_000) -> Iterator[Sealed]:
    """All checkpoints above ``size``, in order."""
    while rows := connection.execute(_AFTER, (size, page)).fetchall():
        yield from (Sealed(*row) for row in rows)
        size = rows[-1][0]


def log_id(connection: Connection) -> UUID:
    """The identity of this ledger."""
    ((log,),) = connection.execute(_LOG).fetchall()
    assert isinstance(log, UUID)
    return log
