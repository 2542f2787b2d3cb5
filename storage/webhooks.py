"""Endpoints of a shop's own systems, and what is delivered to each: once made, kept until it is.

An endpoint's secret is encrypted with a key derived from SECRET_KEY, which lies outside the
database: a dump lets nobody sign in our name. A delivery keeps the very bytes that are signed.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from uuid import UUID

from cryptography.fernet import Fernet
from psycopg.rows import dict_row
from sqlalchemy import ARRAY, Identity, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class Event(StrEnum):
    """What an endpoint may be told of."""

    CONSENT = "consent.changed"
    CLICK = "link.clicked"
    ORDER = "order.credited"
    DELIVERY = "message.delivery"


class DeliveryState(StrEnum):
    """How far one delivery is."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"


class EndpointRow(Base):
    """Where a shop wants to be told. ``disabled_at``: by a person, or after days of failure."""

    __tablename__ = "webhook_endpoints"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    url: Mapped[str]
    events: Mapped[list[str]] = mapped_column(ARRAY(Text))
    secret: Mapped[bytes]
    description: Mapped[str]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    disabled_at: Mapped[datetime | None]
    disabled_reason: Mapped[str | None]
    failing_since: Mapped[datetime | None]


class DeliveryRow(Base):
    """One event for one endpoint. ``id`` is the webhook-id, the same at each attempt."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        Index("ix_webhook_deliveries_due", "next_at", postgresql_where=text("state = 'pending'")),
        Index("ix_webhook_deliveries_endpoint", "endpoint_id", "created_at"),
        Index("ix_webhook_deliveries_subscriber", "subscriber_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("uuidv7()"))
    endpoint_id: Mapped[int]
    event: Mapped[str]
    subscriber_id: Mapped[int | None]
    body: Mapped[bytes]
    state: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default=text("0"))
    next_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    status: Mapped[int | None]
    error: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    delivered_at: Mapped[datetime | None]


@dataclass(frozen=True, slots=True)
class Due:
    """A delivery whose time has come, claimed until ``lease`` runs out."""

    id: UUID
    endpoint_id: int
    url: str
    secret: bytes
    body: bytes
    attempts: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Attempt:
    """What became of one attempt. ``wait`` None: it was the last one."""

    id: UUID
    delivered: bool
    status: int | None
    error: str | None
    wait: timedelta | None


_WANTED: Final = """
SELECT EXISTS (SELECT 1 FROM webhook_endpoints WHERE disabled_at IS NULL AND %s = ANY(events))
"""
_EMIT: Final = """
INSERT INTO webhook_deliveries (endpoint_id, event, subscriber_id, body)
SELECT e.id, %(event)s, v.person, convert_to(v.body, 'UTF8')
FROM webhook_endpoints e,
     unnest(%(people)s::bigint[], %(bodies)s::text[]) WITH ORDINALITY AS v (person, body, n)
WHERE e.disabled_at IS NULL AND %(event)s = ANY(e.events) ORDER BY v.n
"""
# A lease, not a lock: nothing is held while the other side answers.
_CLAIM: Final = """
WITH due AS (
    SELECT d.id FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
    WHERE d.state = 'pending' AND d.next_at <= assent_now() AND e.disabled_at IS NULL
    ORDER BY d.next_at LIMIT %(limit)s FOR UPDATE OF d SKIP LOCKED
)
UPDATE webhook_deliveries d SET next_at = assent_now() + %(lease)s, attempts = d.attempts + 1
FROM due, webhook_endpoints e WHERE d.id = due.id AND e.id = d.endpoint_id
RETURNING d.id, d.endpoint_id, e.url, e.secret, d.body, d.attempts, assent_now() AS now
"""
_SETTLE: Final = """
UPDATE webhook_deliveries SET
    state = CASE WHEN %(delivered)s THEN 'delivered'
                 WHEN %(wait)s::interval IS NULL THEN 'failed' ELSE 'pending' END,
    status = %(status)s, error = %(error)s,
    delivered_at = CASE WHEN %(delivered)s THEN assent_now() END,
    next_at = coalesce(assent_now() + %(wait)s::interval, next_at)
WHERE id = %(id)s AND state = 'pending' RETURNING endpoint_id
"""
_WELL: Final = "UPDATE webhook_endpoints SET failing_since = NULL WHERE id = %s"
_ILL: Final = """
UPDATE webhook_endpoints SET failing_since = coalesce(failing_since, assent_now()),
    disabled_at = CASE WHEN failing_since < assent_now() - %s THEN assent_now() END,
    disabled_reason = CASE WHEN failing_since < assent_now() - %s THEN 'failing' END
WHERE id = %s AND disabled_at IS NULL
"""
_REPLAY: Final = """
UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = assent_now()
WHERE id = %s AND state <> 'pending'
"""
_READ: Final = """
SELECT id, endpoint_id, event, state, attempts, next_at, status, error, created_at, delivered_at,
       convert_from(body, 'UTF8') AS body
FROM webhook_deliveries
"""


def sealed(secret_key: str, shown: str) -> bytes:
    """A secret as it is stored."""
    return _fernet(secret_key).encrypt(shown.encode())


def opened(secret_key: str, kept: bytes) -> str:
    """The secret that :func:`sealed` stored."""
    return _fernet(secret_key).decrypt(kept).decode()


def _fernet(secret_key: str) -> Fernet:
    key = hashlib.sha256(b"webhook secrets\0" + secret_key.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))


def wanted(connection: Connection, event: Event) -> bool:
    """Whether any endpoint wants to be told of this; asked first, as most shops have none."""
    row = connection.execute(_WANTED, (str(event),)).fetchone()
    return bool(row and row[0])


def emit(connection: Connection, event: Event, bodies: Sequence[tuple[int | None, str]]) -> None:
    """Queue JSON documents, each with the subscriber it is about, for all who want this event."""
    if bodies:
        people, documents = [person for person, _ in bodies], [body for _, body in bodies]
        values = {"event": str(event), "people": people, "bodies": documents}
        connection.execute(_EMIT, values)


def claim(connection: Connection, limit: int, lease: timedelta) -> list[Due]:
    """Deliveries to attempt now; whoever dies with them lets others try after ``lease``."""
    with connection.cursor(row_factory=dict_row) as cursor:
        rows = cursor.execute(_CLAIM, {"limit": limit, "lease": lease})
        return [Due(**row) for row in rows]


def settle(connection: Connection, attempt: Attempt, patience: timedelta) -> None:
    """Note what became of an attempt; an endpoint that fails for ``patience`` is disabled."""
    values = {
        "id": attempt.id,
        "delivered": attempt.delivered,
        "status": attempt.status,
        "error": attempt.error,
        "wait": attempt.wait,
    }
    row = connection.execute(_SETTLE, values).fetchone()
    if row is None:
        return
    if attempt.delivered:
        connection.execute(_WELL, (row[0],))
    else:
        connection.execute(_ILL, (patience, patience, row[0]))


def replay(connection: Connection, delivery: UUID) -> bool:
    """Send a delivery again, with the same id; False when it waits already or is not there."""
    return connection.execute(_REPLAY, (delivery,)).rowcount == 1


def get(connection: Connection, delivery: UUID) -> dict[str, Any] | None:
    """One delivery as a row."""
    with connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(f"{_READ} WHERE id = %s", (delivery,)).fetchone()


def page(
    connection: Connection, endpoint: int, after: UUID | None, limit: int
) -> list[dict[str, Any]]:
    """Deliveries of an endpoint, newest first, from the one before ``after``."""
    where = "WHERE endpoint_id = %(endpoint)s"
    where += " AND id < %(after)s" if after else ""
    values = {"endpoint": endpoint, "after": after, "limit": limit}
    with connection.cursor(row_factory=dict_row) as cursor:
        statement = f"{_READ} {where} ORDER BY id DESC LIMIT %(limit)s"
        return cursor.execute(statement, values).fetchall()
