"""Coupons: pools of codes, and who was given which.

A code is one person's for ever: a claim is an update of its row in the transaction that confirms
the consent, and two unique indexes hold whatever the code above them does: one code of a pool for
a person, and one code for a person and program. Whoever finds the pool empty is noted as missed.
Codes are compared without regard to case, as shops do.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final

from sqlalchemy import CheckConstraint, Identity, Index, text
from sqlalchemy.orm import Mapped, mapped_column

from keywords.replies import LONGEST_CODE
from storage.base import Base
from storage.database import Connection

POOL: Final = r"^[a-z][a-z0-9-]{0,39}$"
LOW_WATER: Final = 100
# Letters and digits, and - or _ between them: nothing that a phone would make a link of, that
# costs more than one septet, or that somebody would read out wrongly.
CODE: Final = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_-]{{1,{LONGEST_CODE - 2}}}[A-Za-z0-9]", re.ASCII)
# The last day of a code ends when it has ended everywhere on earth (UTC-12).
_DAY_ENDS: Final = timedelta(hours=12)


class CouponPoolRow(Base):
    """A pool of codes and what they are worth.

    ``label`` says it for people ("10% off the first order"); ``amount_minor`` and ``currency`` say
    it for reports where it is a sum. A code counts for ``valid_days`` from the day it was given,
    and no code after ``ends_on``; None is no end. Below ``low_water`` free codes somebody is told.
    """

    __tablename__ = "coupon_pools"
    __table_args__ = (
        CheckConstraint(f"pool ~ '{POOL}'", name="pool"),
        CheckConstraint("(amount_minor IS NULL) = (currency IS NULL)", name="amount"),
    )

    pool: Mapped[str] = mapped_column(primary_key=True)
    label: Mapped[str] = mapped_column(server_default="")
    amount_minor: Mapped[int | None]
    currency: Mapped[str | None]
    valid_days: Mapped[int | None]
    ends_on: Mapped[date | None]
    low_water: Mapped[int] = mapped_column(server_default=text(str(LOW_WATER)))
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class CouponRow(Base):
    """One code. ``key`` is its upper case; ``expires_at`` is set with the rest when it is given."""

    __tablename__ = "coupons"
    __table_args__ = (
        Index("ix_coupons_free", "pool", "id", postgresql_where=text("subscriber_id IS NULL")),
        Index(
            "uq_coupons_subscriber_id_pool",
            "subscriber_id",
            "pool",
            unique=True,
            postgresql_where=text("subscriber_id IS NOT NULL"),
        ),
        Index(
            "uq_coupons_subscriber_id_program",
            "subscriber_id",
            "program",
            unique=True,
            postgresql_where=text("subscriber_id IS NOT NULL"),
        ),
        Index(
            "ix_coupons_given",
            "pool",
            "given_at",
            "key",
            postgresql_where=text("subscriber_id IS NOT NULL"),
        ),
    )

    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(Identity())
    pool: Mapped[str]
    code: Mapped[str]
    subscriber_id: Mapped[int | None]
    program: Mapped[str | None]
    given_at: Mapped[datetime | None]
    expires_at: Mapped[datetime | None]


class CouponMissRow(Base):
    """Somebody who confirmed when there was no code left for them."""

    __tablename__ = "coupon_misses"

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    program: Mapped[str] = mapped_column(primary_key=True)
    pool: Mapped[str] = mapped_column(index=True)
    missed_at: Mapped[datetime]


@dataclass(frozen=True, slots=True)
class Wish:
    """A code wanted for a person and the program they confirmed, out of a pool."""

    subscriber_id: int
    program: str
    pool: str


@dataclass(frozen=True, slots=True)
class Given:
    """A code that is a person's now. ``expires_at`` None has no end."""

    subscriber_id: int
    program: str
    pool: str
    code: str
    given_at: datetime
    expires_at: datetime | None

    @property
    def last_day(self) -> date | None:
        """The last day on which the code counts, as people are told."""
        if self.expires_at is None:
            return None
        return (self.expires_at - _DAY_ENDS - timedelta(microseconds=1)).date()


# Codes that somebody else is taking at this moment are passed over, so nobody waits for anybody.
_GIVE: Final = """
WITH wish AS MATERIALIZED (
    SELECT w.*, row_number() OVER (PARTITION BY w.pool ORDER BY w.place) AS n
    FROM unnest(%(subscribers)s::bigint[], %(programs)s::text[], %(pools)s::text[])
         WITH ORDINALITY AS w (subscriber_id, program, pool, place)
    WHERE NOT EXISTS (SELECT FROM coupons c WHERE c.subscriber_id = w.subscriber_id
                      AND (c.pool = w.pool OR c.program = w.program))
), source AS MATERIALIZED (
    SELECT p.pool, least(
        (p.ends_on + 1)::timestamp AT TIME ZONE 'UTC' + interval '12 hours',
        date_trunc('day', %(now)s::timestamptz, 'UTC')
            + make_interval(days => p.valid_days::int + 1, hours => 12)) AS expires_at
    FROM coupon_pools p WHERE p.pool = ANY(%(pools)s)
), free AS MATERIALIZED (
    SELECT s.pool, s.expires_at, f.key, row_number() OVER (PARTITION BY s.pool ORDER BY f.id) AS n
    FROM (SELECT pool, count(*) AS wanted FROM wish GROUP BY pool) w
    JOIN source s ON s.pool = w.pool AND (s.expires_at > %(now)s) IS NOT FALSE
    CROSS JOIN LATERAL (
        SELECT c.key, c.id FROM coupons c WHERE c.pool = w.pool AND c.subscriber_id IS NULL
        ORDER BY c.id LIMIT w.wanted FOR UPDATE SKIP LOCKED
    ) f
), missed AS (
    INSERT INTO coupon_misses (subscriber_id, program, pool, missed_at)
    SELECT w.subscriber_id, w.program, w.pool, %(now)s
    FROM wish w LEFT JOIN free f USING (pool, n) WHERE f.key IS NULL
    ON CONFLICT DO NOTHING
)
UPDATE coupons c
SET subscriber_id = w.subscriber_id, program = w.program, given_at = %(now)s,
    expires_at = f.expires_at
FROM wish w JOIN free f USING (pool, n) WHERE c.key = f.key
RETURNING c.subscriber_id, c.program, c.pool, c.code, c.given_at, c.expires_at
"""
_FIND: Final = """
SELECT subscriber_id, program, pool, code, given_at, expires_at FROM coupons
WHERE key = upper(%s) AND subscriber_id IS NOT NULL
"""


def give(connection: Connection, now: datetime, wishes: Sequence[Wish]) -> list[Given]:
    """Give each wish a code of its pool, in one statement; those that get none are left out.

    Nobody gets a second code of a pool, or for a program. Call inside the transaction that
    confirms the consents, with the people locked.
    """
    once = {(wish.subscriber_id, wish.pool): wish for wish in reversed(wishes)}
    ordered = [wish for wish in wishes if once[wish.subscriber_id, wish.pool] is wish]
    values = {
        "now": now,
        "subscribers": [wish.subscriber_id for wish in ordered],
        "programs": [wish.program for wish in ordered],
        "pools": [wish.pool for wish in ordered],
    }
    return [Given(*row) for row in connection.execute(_GIVE, values, prepare=True)]


def find(connection: Connection, code: str) -> Given | None:
    """Who has this code, however it is capitalised; None where nobody was given it."""
    row = connection.execute(_FIND, (code,)).fetchone()
    return None if row is None else Given(*row)
