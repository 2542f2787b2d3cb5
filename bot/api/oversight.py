"""``ledger``, ``keys`` and ``audit``: what those who answer for the service look at."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Model, Page
from bot.api.operation import Operation
from storage import audit, checkpoints, keys, reading_ledger, sealing
from storage.database import raw
from storage.keys import Scope


class Ledger(Model):
    """The ledger as a whole. ``log`` is its identity, part of every hashed entry.

    ``size`` and ``root`` are those of the newest checkpoint: entries that are sealed, and their
    Merkle root in hexadecimal. What is ``unsealed`` for more than a minute waits for something.
    """

    log: UUID
    created_at: datetime
    entries: int
    subjects: int
    size: int
    root: str | None
    sealed_at: datetime | None
    unsealed: int
    oldest_unsealed_s: float | None


class ApiKey(Model):
    """A key, without the key: only its first characters are known."""

    id: UUID
    name: str
    prefix: str
    scopes: list[Scope]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class ApiKeys(Model):
    """A page of keys."""

    items: list[ApiKey]
    next: str | None


class AuditEntry(Model):
    """One act: who did what to what."""

    id: int
    at: datetime
    actor: str
    act: str
    subject: str
    detail: dict[str, Any]


class AuditEntries(Model):
    """A page of acts, newest first."""

    items: list[AuditEntry]
    next: str | None


def get_ledger(call: Call) -> Ledger:
    """The identity and the size of the consent ledger, and how far it is sealed."""
    connection = raw(call.session)
    sealed, waiting = checkpoints.newest(connection), sealing.waiting(connection, 1)
    found = reading_ledger.summary(call.session)
    return Ledger(
        log=found.log,
        created_at=found.created_at,
        entries=found.entries,
        subjects=found.subjects,
        size=sealed.size if sealed else 0,
        root=sealed.root.hex() if sealed else None,
        sealed_at=sealed.sealed_at if sealed else None,
        unsealed=found.entries - (sealed.size if sealed else 0),
        oldest_unsealed_s=waiting.oldest.total_seconds() if waiting.oldest else None,
    )


def list_keys(call: Call, query_data: Page) -> ApiKeys:
    """Every key that was made, live or not."""
    after = decode(query_data.cursor or None, UUID)
    rows = keys.page(call.session, after[0] if after else None, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return ApiKeys(items=[_shown(ApiKey, row) for row in shown], next=following)


def list_audit(call: Call, query_data: Page) -> AuditEntries:
    """What operators and keys did, newest first."""
    after = decode(query_data.cursor or None, int)
    rows = audit.page(call.session, after[0] if after else None, query_data.limit + 1)
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return AuditEntries(items=[_shown(AuditEntry, row) for row in shown], next=following)


def _shown(model: Any, row: object) -> Any:
    return model.model_validate({name: getattr(row, name) for name in model.model_fields})


OPERATIONS: Final = (
    (Operation("GET", "/ledger", Scope.READ, Ledger), get_ledger),
    (Operation("GET", "/keys", Scope.ADMIN, ApiKeys, query=Page), list_keys),
    (Operation("GET", "/audit", Scope.ADMIN, AuditEntries, query=Page), list_audit),
)
