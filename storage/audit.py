"""The audit log: who did what to what. Rows are added, never altered (see the migration)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from psycopg.types.json import Jsonb
from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.access import AuditRow
from storage.database import Connection

_NOTE: Final = "INSERT INTO audit_log (actor, act, subject, detail) VALUES (%s, %s, %s, %s)"


def record(session: Session, actor: str, act: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Note one act in the transaction that does it.

    ``subject`` is "program:deals", "sender:54321" or "subscriber:<ref>": never a person's number.
    ``detail`` is kept for ever, so it holds no text that a person wrote either.
    """
    session.add(AuditRow(actor=actor, act=act, subject=subject, detail=dict(detail)))


def note(
    connection: Connection, actor: str, act: str, subject: str, detail: Mapping[str, Any]
) -> None:
    """The same on a plain connection, for what the ticker does by itself."""
    connection.execute(_NOTE, (actor, act, subject, Jsonb(dict(detail))))


def page(session: Session, before: int | None, limit: int) -> Sequence[AuditRow]:
    """Acts, newest first, from the one before the id ``before``."""
    statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditRow.id < before)
    return session.scalars(statement).all()
