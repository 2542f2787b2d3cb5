"""What forms asked for, counted in buckets of time; shared by all processes and hosts.

A form that may not pass costs one read and writes nothing here. One that may is counted under one
lock that all of them take: what was read under it is exact, and the limits themselves bound how
often it is taken. Keys hold no number and no address, only keyed digests (``blind``).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class FormCounterRow(Base):
    """How much was admitted under ``key`` in one bucket of ``width`` seconds since 1970."""

    __tablename__ = "form_counters"

    key: Mapped[str] = mapped_column(primary_key=True)
    width: Mapped[int] = mapped_column(primary_key=True)
    bucket: Mapped[int] = mapped_column(primary_key=True)
    amount: Mapped[int]
    expires_at: Mapped[datetime] = mapped_column(index=True)


class FormBreakerRow(Base):
    """A breaker, by its key. ``until`` is None while it is closed; see ``worker.policy``.

    ``asked`` and ``confirmed`` are what it was judged by when it opened last.
    """

    __tablename__ = "form_breakers"

    key: Mapped[str] = mapped_column(primary_key=True)
    since: Mapped[datetime]
    until: Mapped[datetime | None]
    trips: Mapped[int]
    probes: Mapped[int]
    asked: Mapped[int]
    confirmed: Mapped[int]
    changed_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


@dataclass(frozen=True, slots=True)
class Count:
    """One counter: its key, the seconds of a bucket, the first bucket that counts, the one that
    is counted in now, for how many seconds that one matters, and what is added to it.
    """

    key: str
    width: int
    oldest: int
    bucket: int
    lasts: int
    step: int


@dataclass(frozen=True, slots=True)
class Counted:
    """What is counted already, in the order that was asked for, and the breakers that are not
    closed: how many forms each lets pass on trial, 0 for none.
    """

    amounts: tuple[int, ...]
    tripped: Mapping[str, int]


# Any fixed number: whoever counts a form waits for each other here until their commit.
_LOCK: Final = 4_151_900_027
_TAKE_TURN: Final = """
WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock(%s)) SELECT assent_now() FROM turn
"""
_READ: Final = """
SELECT v.n, NULL AS key, coalesce(sum(c.amount), 0)::bigint AS amount
FROM unnest(%(keys)s::text[], %(widths)s::bigint[], %(oldest)s::bigint[])
     WITH ORDINALITY AS v (key, width, oldest, n)
LEFT JOIN form_counters c ON c.key = v.key AND c.width = v.width AND c.bucket >= v.oldest
GROUP BY v.n
UNION ALL
SELECT 0, key, CASE WHEN until > assent_now() THEN 0 ELSE probes END
FROM form_breakers WHERE key = ANY(%(watched)s::text[]) AND until IS NOT NULL
ORDER BY 1
"""
_ADD: Final = """
WITH tried AS (
    UPDATE form_breakers SET probes = probes - 1
    WHERE key = ANY(%(watched)s::text[]) AND until <= assent_now() AND probes > 0
)
INSERT INTO form_counters AS c (key, width, bucket, amount, expires_at)
SELECT key, width, bucket, step, to_timestamp((bucket + 1) * width + lasts)
FROM unnest(%(keys)s::text[], %(widths)s::bigint[], %(buckets)s::bigint[], %(steps)s::bigint[],
            %(lasts)s::bigint[]) AS v (key, width, bucket, step, lasts)
ON CONFLICT (key, width, bucket) DO UPDATE SET amount = c.amount + excluded.amount
"""
_FORGET: Final = """
DELETE FROM form_counters WHERE (key, width, bucket) IN (
    SELECT key, width, bucket FROM form_counters WHERE expires_at < assent_now()
    ORDER BY expires_at LIMIT %s FOR UPDATE SKIP LOCKED)
"""


def blind(pepper: str, kind: str, value: str) -> str:
    """What stands for a number or an address in a key; nobody reads it back without PHONE_PEPPER.

    Another digest than that of the suppression list, so that the two cannot be joined.
    """
    message = f"form\n{kind}\n{value}".encode()
    return hmac.digest(pepper.encode(), message, hashlib.sha256)[:16].hex()


def take_turn(connection: Connection) -> datetime:
    """Wait until no other form is being counted; answers the moment. Ends with the transaction."""
    now: datetime = connection.execute(_TAKE_TURN, (_LOCK,)).fetchall()[0][0]
    return now


def read(connection: Connection, counts: Sequence[Count], watched: Sequence[str]) -> Counted:
    """What was counted so far, and the breakers with these keys."""
    given = {
        "keys": [c.key for c in counts],
        "widths": [c.width for c in counts],
        "oldest": [c.oldest for c in counts],
        "watched": list(watched),
    }
    rows = connection.execute(_READ, given).fetchall()
    tripped = {key: probes for n, key, probes in rows if n == 0}
    return Counted(tuple(amount for n, _, amount in rows if n), tripped)


def add(connection: Connection, counts: Sequence[Count], watched: Sequence[str]) -> None:
    """Count a form that passes. Call after ``take_turn`` and a ``read`` in the same transaction."""
    given = {
        "keys": [c.key for c in counts],
        "widths": [c.width for c in counts],
        "buckets": [c.bucket for c in counts],
        "steps": [c.step for c in counts],
        "lasts": [c.lasts for c in counts],
        "watched": list(watched),
    }
    connection.execute(_ADD, given)


def forget(connection: Connection, limit: int) -> int:
    """Delete buckets that no limit counts any more; answers how many."""
    return connection.execute(_FORGET, (limit,)).rowcount
