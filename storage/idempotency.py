"""Answers to requests that may be repeated: same key, same request, same answer, work done once.

The answer is written by the transaction that did the work, so there is never one without the
other. Two requests with one key cannot be in progress at once: the second is told so.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from storage.access import AnswerRow


class InProgress(Exception):
    """A request with this key is being worked on at this moment."""


class KeyReused(Exception):
    """The key came before, with another request."""


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer as it was given: the HTTP status and the bytes of the body."""

    status: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """What makes a request the same: who asks, under which key, for what (a digest)."""

    actor: str
    key: str
    digest: bytes


_LOCK = text("SELECT pg_try_advisory_xact_lock(hashtextextended(:name, 4151900003))")


def earlier(session: Session, request: Request) -> Kept | None:
    """The answer that this request got before; None when it is new, and then it is now ours.

    Nobody else gets past here with the same key before this transaction ends. Raises
    :class:`InProgress` or :class:`KeyReused`.
    """
    if not session.scalar(_LOCK, {"name": f"{request.actor} {request.key}"}):
        raise InProgress
    row = session.get(AnswerRow, (request.actor, request.key))
    if row is None:
        return None
    if row.request != request.digest:
        raise KeyReused
    assert row.status is not None
    return Kept(row.status, row.body or b"")


def keep(session: Session, request: Request, answer: Kept) -> None:
    """Store the answer with the work that it answers."""
    session.add(
        AnswerRow(
            actor=request.actor,
            key=request.key,
            request=request.digest,
            status=answer.status,
            body=answer.body,
        )
    )
