"""Filling pools of coupons, and seeing what is in them."""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from uuid import UUID

from psycopg.rows import class_row

from keywords.replies import LONGEST_CODE
from storage.coupons import LOW_WATER
from storage.database import Connection

# Without vowels, so that no word is spelled by chance, and without look-alikes (0 O, 1 I L, 2 Z,
# 5 S, 8 B, U V): a code is read out and typed in.
ALPHABET: Final = "CDFGHJKMNPQRTWXY34679"
SHORTEST: Final = 8
LENGTH: Final = 10
MOST: Final = 10_000


@dataclass(frozen=True, slots=True)
class Pool:
    """A pool as somebody sets it up; see ``storage.coupons.CouponPoolRow``."""

    pool: str
    label: str = ""
    amount_minor: int | None = None
    currency: str | None = None
    valid_days: int | None = None
    ends_on: date | None = None
    low_water: int = LOW_WATER


@dataclass(frozen=True, slots=True)
class Stock:
    """A pool with what is in it: codes in all and free, people who got none, its programs."""

    pool: str
    label: str
    amount_minor: int | None
    currency: str | None
    valid_days: int | None
    ends_on: date | None
    low_water: int
    created_at: datetime
    total: int
    free: int
    missed: int
    programs: list[str]

    @property
    def low(self) -> bool:
        """Whether somebody should add codes."""
        return self.free < self.low_water


@dataclass(frozen=True, slots=True)
class Added:
    """What became of codes: how many are new here, and those that are there already, by pool."""

    added: int
    known: dict[str, str]


@dataclass(frozen=True, slots=True)
class Holder:
    """Who was given a code, and for which program."""

    code: str
    key: str
    pool: str
    phone: str
    ref: UUID
    program: str
    given_at: datetime
    expires_at: datetime | None


_SAVE: Final = """
INSERT INTO coupon_pools (pool, label, amount_minor, currency, valid_days, ends_on, low_water)
VALUES (%(pool)s, %(label)s, %(amount_minor)s, %(currency)s, %(valid_days)s, %(ends_on)s,
        %(low_water)s)
ON CONFLICT (pool) DO UPDATE SET
    (label, amount_minor, currency, valid_days, ends_on, low_water)
    = (excluded.label, excluded.amount_minor, excluded.currency, excluded.valid_days,
       excluded.ends_on, excluded.low_water)
"""
_STOCK: Final = """
SELECT p.pool, p.label, p.amount_minor, p.currency, p.valid_days, p.ends_on, p.low_water,
       p.created_at, coalesce(c.total, 0) AS total, coalesce(c.free, 0) AS free,
       (SELECT count(*) FROM coupon_misses m WHERE m.pool = p.pool) AS missed,
       ARRAY(SELECT g.slug FROM programs g WHERE g.body ->> 'coupon_pool' = p.pool
             ORDER BY g.slug) AS programs
FROM coupon_pools p
LEFT JOIN LATERAL (
    SELECT count(*) AS total, count(*) FILTER (WHERE subscriber_id IS NULL) AS free
    FROM coupons WHERE pool = p.pool
) c ON true
WHERE (%(pool)s::text IS NULL OR p.pool = %(pool)s) AND p.pool > %(after)s
ORDER BY p.pool LIMIT %(limit)s
"""
# In the order of the keys, so that two files cannot wait for each other in a circle.
_ADD: Final = """
WITH wanted AS MATERIALIZED (
    SELECT DISTINCT ON (upper(code)) code, upper(code) AS key
    FROM unnest(%(codes)s::text[]) code ORDER BY upper(code)
), made AS (
    INSERT INTO coupons (key, pool, code) SELECT key, %(pool)s, code FROM wanted
    ON CONFLICT (key) DO NOTHING RETURNING key
)
SELECT w.code, coalesce(c.pool, %(pool)s)
FROM wanted w LEFT JOIN made USING (key) LEFT JOIN coupons c USING (key) WHERE made.key IS NULL
"""
_HOLDERS: Final = """
SELECT c.code, c.key, c.pool, s.phone, s.ref, c.program, c.given_at, c.expires_at
FROM coupons c JOIN subscribers s ON s.id = c.subscriber_id
WHERE c.pool = %(pool)s AND (c.given_at, c.key) > (%(at)s, %(key)s)
ORDER BY c.given_at, c.key LIMIT %(limit)s
"""
_CODES: Final = """
SELECT code FROM coupons WHERE pool = %s AND (subscriber_id IS NULL OR NOT %s) ORDER BY id
"""
# Counted up to the mark only: a full pool costs no more than a low one.
_LOW: Final = """
SELECT p.pool, f.free FROM coupon_pools p CROSS JOIN LATERAL (
    SELECT count(*) AS free FROM (
        SELECT FROM coupons c WHERE c.pool = p.pool AND c.subscriber_id IS NULL LIMIT p.low_water
    ) counted
) f
WHERE f.free < p.low_water
  AND EXISTS (SELECT FROM programs g WHERE g.body ->> 'coupon_pool' = p.pool)
ORDER BY p.pool
"""


def save(connection: Connection, pool: Pool) -> None:
    """Make a pool, or change what is said of it. Codes that were given keep their end."""
    connection.execute(_SAVE, {name: getattr(pool, name) for name in Pool.__slots__})


def stocks(connection: Connection, after: str = "", limit: int = 1000) -> list[Stock]:
    """Pools with what is in them, by name, from the one after ``after``."""
    return _stocks(connection, None, after, limit)


def stock(connection: Connection, pool: str) -> Stock | None:
    """One pool, None where there is none of this name."""
    return next(iter(_stocks(connection, pool, "", 1)), None)


def _stocks(connection: Connection, pool: str | None, after: str, limit: int) -> list[Stock]:
    with connection.cursor(row_factory=class_row(Stock)) as cursor:
        values = {"pool": pool, "after": after, "limit": limit}
        return cursor.execute(_STOCK, values).fetchall()


def add(connection: Connection, pool: str, codes: Sequence[str]) -> Added:
    """Put codes into a pool; those that exist anywhere stay where they are.

    Each must match ``storage.coupons.CODE``. A code given twice counts once.
    """
    known: dict[str, str] = {}
    total = 0
    for start in range(0, len(codes), MOST):
        some = codes[start : start + MOST]
        found: dict[str, str] = dict(
            connection.execute(_ADD, {"pool": pool, "codes": list(some)}).fetchall()
        )
        total += len({code.upper() for code in some}) - len(found)
        known |= found
    return Added(total, known)


def generate(
    connection: Connection, pool: str, count: int, prefix: str = "", length: int = LENGTH
) -> list[str]:
    """Make ``count`` new codes of ``length`` random characters after ``prefix``; all are new.

    Ten characters of 21 are 44 bits: a million codes, and a guess hits one in 16 million times.
    """
    assert SHORTEST <= length <= LONGEST_CODE - len(prefix)
    made: list[str] = []
    while len(made) < count:
        wanted = min(count - len(made), MOST)
        drawn = list({prefix + _random(length) for _ in range(wanted)})
        known = add(connection, pool, drawn).known
        made += [code for code in drawn if code not in known]
    return made


def _random(length: int) -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def holders(
    connection: Connection, pool: str, after: tuple[datetime, str] | None, limit: int
) -> list[Holder]:
    """Who was given codes of a pool, in the order of time, from the one after ``after``."""
    at, key = after or ("-infinity", "")
    with connection.cursor(row_factory=class_row(Holder)) as cursor:
        values = {"pool": pool, "at": at, "key": key, "limit": limit}
        return cursor.execute(_HOLDERS, values).fetchall()


def codes(connection: Connection, pool: str, *, free_only: bool) -> Iterator[str]:
    """The codes of a pool in the order in which they came, for the shop to be told of them."""
    with connection.cursor() as cursor:
        for (code,) in cursor.execute(_CODES, (pool, free_only)):
            yield code


def low(connection: Connection) -> list[tuple[str, int]]:
    """The pools of programs that have fewer free codes than their mark, with how many."""
    return list(connection.execute(_LOW).fetchall())
