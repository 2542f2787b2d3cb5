"""The audit log: who did what to what. Rows are added, never altered (see the migration)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from storage.access import AuditRow


def record(session: Session, actor: str, act: str, subject: str, detail: Mapping[str, Any]) -> None:
    """Note one act in the transaction that does it.

    ``subject`` is "program:deals", "sender:54321" or "subscriber:<ref>": never a person's number.
    ``detail`` is kept for ever, so it holds no text that a person wrote either.
    """
    session.add(AuditRow(actor=actor, act=act, subject=subject, detail=dict(detail)))


def page(session: Session, before: int | None, limit: int) -> Sequence[AuditRow]:
    """Acts, newest first, from the one before the id ``before``."""
    statement = select(AuditRow).order_by(AuditRow.id.desc()).limit(limit)
    if before is not None:
        statement = statement.where(AuditRow.id < before)
    return session.scalars(statement).all()
