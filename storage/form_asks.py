"""Questions that forms and the API asked for, until it is known whether YES came; and breakers.

A row lives for two days. It names the person by our own number for them, and the range and
country that breakers are judged by.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class FormAskRow(Base):
    """One question. ``prefix`` is the number without its last four digits."""

    __tablename__ = "form_asks"
    __table_args__ = (Index("ix_form_asks_subscriber", "subscriber_id", "program"),)

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    subscriber_id: Mapped[int]
    program: Mapped[str]
    door: Mapped[str]
    prefix: Mapped[str]
    country: Mapped[str]
    asked_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"), index=True)
    confirmed: Mapped[bool] = mapped_column(server_default=text("false"))


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to be kept: of whom, for which program, by which door, and where it goes."""

    phone: str
    program: str
    door: str
    prefix: str
    country: str


@dataclass(frozen=True, slots=True)
class Found:
    """What is known under one breaker's key. ``since`` None: there is no breaker yet."""

    key: str
    scope: str
    since: datetime | None
    until: datetime | None
    trips: int
    probes: int
    asked: int
    confirmed: int
    waiting: int
    now: datetime


@dataclass(frozen=True, slots=True)
class Set:
    """A breaker as it is to be written."""

    key: str
    since: datetime
    until: datetime | None
    trips: int
    probes: int
    asked: int
    confirmed: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A breaker as somebody looks at it."""

    key: str
    since: datetime
    until: datetime | None
    trips: int
    probes: int
    asked: int
    confirmed: int
    changed_at: datetime
    now: datetime


# The same statement whether a question was asked or not: nobody is to tell by the time it takes.
_NOTE: Final = """
INSERT INTO form_asks (subscriber_id, program, door, prefix, country)
SELECT id, %s, %s, %s, %s FROM subscribers WHERE phone = %s AND %s
"""
_CONFIRM: Final = """
UPDATE form_asks a SET confirmed = true FROM subscriptions t
WHERE t.subscriber_id = a.subscriber_id AND t.program = a.program AND NOT a.confirmed
  AND t.state IN ('subscribed', 'paused')
"""
_FIND: Final = """
WITH counted AS (
    SELECT k.key, k.scope, a.asked_at, a.confirmed
    FROM form_asks a
    LEFT JOIN form_breakers p ON p.key = a.door || ':prefix:' || a.prefix AND p.until IS NOT NULL
    CROSS JOIN LATERAL (VALUES
        (a.door || ':prefix:' || a.prefix, 'prefix'),
        (a.door || ':country:' || a.country, 'country'),
        (a.door || ':global:', 'global')) AS k (key, scope)
    WHERE a.asked_at > assent_now() - %(window)s AND (p.key IS NULL OR k.scope = 'prefix')
), keys AS (
    SELECT key, scope FROM counted
    UNION SELECT key, split_part(key, ':', 2) FROM form_breakers
)
SELECT k.key, k.scope, b.since, b.until, coalesce(b.trips, 0), coalesce(b.probes, 0),
       count(c.asked_at) FILTER (WHERE c.confirmed OR c.asked_at <= assent_now() - %(grace)s),
       count(c.asked_at) FILTER (WHERE c.confirmed),
       count(c.asked_at) FILTER (WHERE NOT c.confirmed
                                   AND c.asked_at > assent_now() - %(grace)s),
       assent_now()
FROM keys k LEFT JOIN form_breakers b ON b.key = k.key
LEFT JOIN counted c ON c.key = k.key AND (b.since IS NULL OR c.asked_at >= b.since)
GROUP BY k.key, k.scope, b.key
"""
_SET: Final = """
INSERT INTO form_breakers (key, since, until, trips, probes, asked, confirmed)
SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::timestamptz[], %s::bigint[], %s::bigint[],
                     %s::bigint[], %s::bigint[])
ON CONFLICT (key) DO UPDATE
SET since = excluded.since, until = excluded.until, trips = excluded.trips,
    probes = excluded.probes, asked = excluded.asked, confirmed = excluded.confirmed,
    changed_at = assent_now()
"""
_FORGET: Final = """
WITH quiet AS (
    DELETE FROM form_breakers WHERE until IS NULL AND changed_at < assent_now() - %(kept)s
)
DELETE FROM form_asks WHERE id IN (
    SELECT id FROM form_asks WHERE asked_at < assent_now() - %(kept)s
    ORDER BY asked_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED)
"""
_STANDING: Final = """
SELECT key, since, until, trips, probes, asked, confirmed, changed_at, assent_now()
FROM form_breakers WHERE until IS NOT NULL ORDER BY key LIMIT %s
"""
_CLOSE: Final = """
UPDATE form_breakers SET since = assent_now(), until = NULL, trips = 0, probes = 0,
                         changed_at = assent_now()
WHERE key = %s AND until IS NOT NULL
"""
# Begins with the breakers: in peace there are none, and nothing else is looked at.
_HELD: Final = """
SELECT DISTINCT m.id FROM form_breakers b
JOIN form_asks a ON b.key IN (a.door || ':prefix:' || a.prefix, a.door || ':country:' || a.country,
                              a.door || ':global:')
JOIN messages m ON m.subscriber_id = a.subscriber_id AND m.program = a.program
WHERE b.until > assent_now() AND m.id = ANY(%s) AND m.kind = 'confirmation'
  AND a.asked_at BETWEEN m.created_at AND m.created_at + interval '1 minute'
"""


def note(connection: Connection, ask: Ask, *, asked: bool) -> None:
    """Keep one question, if it was ``asked``."""
    given = (ask.program, ask.door, ask.prefix, ask.country, ask.phone, asked)
    connection.execute(_NOTE, given)


def confirm(connection: Connection) -> int:
    """Note which of them were answered YES; answers how many."""
    return connection.execute(_CONFIRM).rowcount


def find(connection: Connection, window: timedelta, grace: timedelta) -> list[Found]:
    """What breakers are to be judged by: questions not older than ``window``."""
    rows = connection.execute(_FIND, {"window": window, "grace": grace})
    return [Found(*row) for row in rows]


def write(connection: Connection, breakers: Sequence[Set]) -> None:
    """Write breakers as they are now."""
    if breakers:
        rows = [
            (b.key, b.since, b.until, b.trips, b.probes, b.asked, b.confirmed) for b in breakers
        ]
        connection.execute(_SET, [list(column) for column in zip(*rows, strict=True)])


def forget(connection: Connection, kept: timedelta, limit: int) -> int:
    """Delete questions, and closed breakers, that are older than ``kept``; answers how many."""
    return connection.execute(_FORGET, {"kept": kept, "limit": limit}).rowcount


def standing(connection: Connection, limit: int) -> list[Standing]:
    """The breakers that are not closed."""
    return [Standing(*row) for row in connection.execute(_STANDING, (limit,))]


def close(connection: Connection, key: str) -> bool:
    """Close a breaker by hand: what was asked before counts no more. False if it is not open."""
    return connection.execute(_CLOSE, (key,)).rowcount > 0


def held(connection: Connection, messages: Sequence[UUID]) -> frozenset[UUID]:
    """Which of these queued messages are questions whose breaker has opened since."""
    rows = connection.execute(_HELD, (list(messages),))
    return frozenset(row[0] for row in rows)
