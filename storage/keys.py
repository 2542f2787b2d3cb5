"""API keys: made once, shown once, kept as a digest, found by it, and ended.

A key is 32 random bytes, so a plain SHA-256 is enough to keep it (OWASP ASVS 5.0, 6.5.2), and
finding it by that digest tells nothing by its timing (11.2.4).
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

from sqlalchemy import String, cast, func, or_, select, update
from sqlalchemy.orm import Session

from storage.access import KeyRow

START: Final = "ask_"
SHOWN: Final = len(START) + 6
_BYTES: Final = 32
_STALE: Final = timedelta(minutes=1)


class Scope(StrEnum):
    """What a key may do. ``ADMIN`` includes all others."""

    READ = "read"  # see programs, senders, subscribers and the ledger
    WRITE = "write"  # set up programs and senders
    CAMPAIGNS = "campaigns"  # segments and lists; plan, launch, pause and cancel campaigns
    ORDERS = "orders"  # tell of orders and what became of them
    OPTIN = "optin"  # record opt-ins and opt-outs: a till, a checkout, a page
    IMPORT = "import"  # bring in lists of people
    INBOX = "inbox"  # see and resolve the texts that need a person
    METRICS = "metrics"  # see in figures how the service is doing: what Prometheus needs
    COMPLIANCE = "compliance"  # exports, erasure, legal holds, the suppression list
    ADMIN = "admin"


class AmbiguousKey(LookupError):
    """Several live keys share the prefix that was given."""


@dataclass(frozen=True, slots=True)
class Key:
    """A live key, as a request sees it."""

    id: UUID
    name: str
    prefix: str
    scopes: frozenset[str]

    def may(self, scope: Scope) -> bool:
        """Whether this key holds ``scope``, itself or through ``admin``."""
        return not self.scopes.isdisjoint({scope, Scope.ADMIN})

    @property
    def actor(self) -> str:
        """Who acts, as the audit log and the ledger write it."""
        return f"key:{self.name}"


def create(
    session: Session, name: str, scopes: Iterable[Scope], lasting: timedelta | None = None
) -> tuple[str, KeyRow]:
    """A new key and its row. The key itself is kept nowhere; ``lasting`` None never expires."""
    token = START + secrets.token_urlsafe(_BYTES)
    row = KeyRow(
        name=name,
        prefix=token[:SHOWN],
        digest=_digest(token),
        scopes=sorted(set(scopes)),
        expires_at=None if lasting is None else func.now() + lasting,
    )
    session.add(row)
    session.flush()
    session.refresh(row)
    return token, row


def authenticate(session: Session, token: str) -> Key | None:
    """The live key that ``token`` is, or None: unknown, expired and revoked look the same.

    Notes the use of the key, at most once a minute.
    """
    digest = _digest(token)
    row = session.execute(
        select(
            KeyRow,
            or_(KeyRow.last_used_at.is_(None), KeyRow.last_used_at < func.now() - _STALE),
        ).where(
            KeyRow.digest == digest,
            KeyRow.revoked_at.is_(None),
            or_(KeyRow.expires_at.is_(None), KeyRow.expires_at > func.now()),
        )
    ).one_or_none()
    if row is None or not hmac.compare_digest(row[0].digest, digest):
        return None
    key, stale = row
    if stale:
        session.execute(
            update(KeyRow)
            .where(KeyRow.id == key.id)
            .values(last_used_at=func.now())
            .execution_options(synchronize_session=False)
        )
    return Key(key.id, key.name, key.prefix, frozenset(key.scopes))


def revoke(session: Session, which: str) -> KeyRow | None:
    """End the key with this id or prefix; None when there is no live one.

    Raises :class:`AmbiguousKey` when several live keys have the prefix.
    """
    statement = select(KeyRow).where(
        or_(KeyRow.prefix == which, cast(KeyRow.id, String) == which.lower()),
        KeyRow.revoked_at.is_(None),
    )
    rows = session.scalars(statement.with_for_update()).all()
    if len(rows) > 1:
        raise AmbiguousKey(which)
    if not rows:
        return None
    rows[0].revoked_at = func.now()
    session.flush()
    session.refresh(rows[0])
    return rows[0]


def page(session: Session, after: UUID | None = None, limit: int = 200) -> Sequence[KeyRow]:
    """Keys by id, from the one after ``after``."""
    statement = select(KeyRow).order_by(KeyRow.id).limit(limit)
    if after is not None:
        statement = statement.where(KeyRow.id > after)
    return session.scalars(statement).all()


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
