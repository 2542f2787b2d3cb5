"""``coupons``: pools of codes for new subscribers, what is in them, and who was given which."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Final, Self
from uuid import UUID

from pydantic import Field, StringConstraints

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Model, Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from keywords.replies import LONGEST_CODE
from storage import coupon_pools
from storage.coupon_pools import LENGTH, SHORTEST, Pool, Stock
from storage.coupons import CODE, LOW_WATER, POOL
from storage.keys import Scope

MOST_CODES: Final = 5_000
PoolName = Annotated[str, StringConstraints(pattern=POOL)]
Code = Annotated[str, StringConstraints(pattern=f"^{CODE.pattern}$")]
Prefix = Annotated[str, StringConstraints(pattern=r"^(?:[A-Za-z0-9][A-Za-z0-9_-]{0,15})?$")]
Label = Annotated[str, StringConstraints(max_length=200, pattern=r"^[^\x00-\x1f\x7f]*$")]


class Money(Model):
    """A sum in the smallest unit of an ISO 4217 currency: 500 and "USD" are five dollars."""

    minor: Annotated[int, Field(strict=True, ge=0, le=10**12)]
    currency: Annotated[str, StringConstraints(pattern="^[A-Z]{3}$")]


class PoolFields(Model):
    """A pool without its name.

    ``label`` says what a code is worth, ``amount`` the same where it is a sum. A code counts for
    ``valid_days`` from the day it is given, and none after ``ends_on``; null is no end.
    """

    label: Label = ""
    amount: Money | None = None
    valid_days: Annotated[int, Field(strict=True, ge=1, le=3650)] | None = None
    ends_on: date | None = None
    low_water: Annotated[int, Field(strict=True, ge=0, le=1_000_000)] = LOW_WATER

    def named(self, pool: str) -> Pool:
        """The pool with these fields."""
        return Pool(
            pool,
            self.label,
            self.amount.minor if self.amount else None,
            self.amount.currency if self.amount else None,
            self.valid_days,
            self.ends_on,
            self.low_water,
        )


class NewPool(PoolFields):
    """A pool to be made."""

    pool: PoolName


class PoolAnswer(PoolFields):
    """A pool and what is in it.

    ``missed`` counts people who confirmed and got no code; ``low`` says that codes should be added;
    ``programs`` are those whose new subscribers get a code of it.
    """

    pool: str
    total: int
    free: int
    given: int
    missed: int
    low: bool
    programs: list[str]
    created_at: datetime

    @classmethod
    def of(cls, stock: Stock) -> Self:
        """The model of a pool."""
        money = None
        if stock.amount_minor is not None and stock.currency is not None:
            money = Money(minor=stock.amount_minor, currency=stock.currency)
        same = ("pool", "label", "valid_days", "ends_on", "low_water", "total", "free", "missed")
        values = {name: getattr(stock, name) for name in (*same, "low", "programs", "created_at")}
        return cls(amount=money, given=stock.total - stock.free, **values)


class Pools(Model):
    """A page of pools, by name."""

    items: list[PoolAnswer]
    next: str | None


class NewCodes(Model):
    """Codes that exist in the shop. Capitals and small letters are the same code."""

    codes: Annotated[list[Code], Field(min_length=1, max_length=MOST_CODES)]


class KnownCode(Model):
    """A code that is somewhere already, and where."""

    code: str
    pool: str


class CodesAdded(Model):
    """How many codes are new in the pool; those that were known stay where they are."""

    added: int
    known: list[KnownCode]


class Generate(Model):
    """Codes to be made: ``prefix`` and then ``length`` random characters without look-alikes."""

    count: Annotated[int, Field(strict=True, ge=1, le=MOST_CODES)]
    prefix: Prefix = ""
    length: Annotated[int, Field(strict=True, ge=SHORTEST, le=LONGEST_CODE)] = LENGTH


class CodesMade(Model):
    """The codes that were made, for the shop to be told of."""

    codes: list[str]


class GivenCode(Model):
    """A code that is somebody's. ``expires_at`` null has no end."""

    code: str
    phone: str
    ref: UUID
    program: str
    given_at: datetime
    expires_at: datetime | None


class GivenCodes(Model):
    """A page of codes that were given, oldest first."""

    items: list[GivenCode]
    next: str | None


def list_coupon_pools(call: Call, query_data: Page) -> Pools:
    """The pools with what is left in them, by name."""
    after = decode(query_data.cursor or None, str)
    stocks = coupon_pools.stocks(
        call.work.connection, after[0] if after else "", query_data.limit + 1
    )
    shown, following = split(stocks, query_data.limit, lambda stock: (stock.pool,))
    return Pools(items=[PoolAnswer.of(stock) for stock in shown], next=following)


def create_coupon_pool(call: Call, json_data: NewPool) -> PoolAnswer:
    """Make an empty pool. 409 when there is one of this name."""
    if coupon_pools.stock(call.work.connection, json_data.pool) is not None:
        raise Problem(Kind.CONFLICT, "There is a pool of this name.")
    return _save(call, json_data.named(json_data.pool), "coupons.created")


def get_coupon_pool(call: Call, pool: str) -> PoolAnswer:
    """One pool with what is left in it."""
    return PoolAnswer.of(_find(call, pool))


def replace_coupon_pool(call: Call, pool: str, json_data: PoolFields) -> PoolAnswer:
    """Change what is said of a pool. Codes that were given keep their end."""
    _find(call, pool)
    return _save(call, json_data.named(pool), "coupons.changed")


def add_coupon_codes(call: Call, pool: str, json_data: NewCodes) -> CodesAdded:
    """Put codes into a pool. A code that is in a pool already stays where it is."""
    _find(call, pool)
    added = coupon_pools.add(call.work.connection, pool, json_data.codes)
    call.audit("coupons.added", f"coupons:{pool}", added=added.added, known=len(added.known))
    known = [KnownCode(code=code, pool=where) for code, where in added.known.items()]
    return CodesAdded(added=added.added, known=known)


def generate_coupon_codes(call: Call, pool: str, json_data: Generate) -> CodesMade:
    """Make codes, for shops that take over codes from outside."""
    _find(call, pool)
    if len(json_data.prefix) + json_data.length > LONGEST_CODE:
        message = f"Prefix and random characters are longer than {LONGEST_CODE} together."
        raise invalid([FieldError("length", message, "long")])
    made = coupon_pools.generate(
        call.work.connection, pool, json_data.count, json_data.prefix, json_data.length
    )
    call.audit("coupons.generated", f"coupons:{pool}", made=len(made))
    return CodesMade(codes=made)


def list_given_coupons(call: Call, pool: str, query_data: Page) -> GivenCodes:
    """Who was given which code of a pool, oldest first."""
    _find(call, pool)
    after = decode(query_data.cursor or None, datetime, str)
    place = (after[0], after[1]) if after else None
    holders = coupon_pools.holders(call.work.connection, pool, place, query_data.limit + 1)
    shown, following = split(holders, query_data.limit, lambda h: (h.given_at, h.key))
    items = [
        GivenCode.model_validate({name: getattr(h, name) for name in GivenCode.model_fields})
        for h in shown
    ]
    return GivenCodes(items=items, next=following)


def _find(call: Call, pool: str) -> Stock:
    plain = pool.isascii() and "\0" not in pool
    found = coupon_pools.stock(call.work.connection, pool) if plain else None
    if found is None:
        raise not_found("pool of coupons")
    return found


def _save(call: Call, pool: Pool, act: str) -> PoolAnswer:
    coupon_pools.save(call.work.connection, pool)
    call.audit(act, f"coupons:{pool.pool}", label=pool.label)
    return PoolAnswer.of(_find(call, pool.pool))


OPERATIONS: Final = (
    (Operation("GET", "/coupons", Scope.READ, Pools, query=Page), list_coupon_pools),
    (
        Operation("POST", "/coupons", Scope.WRITE, PoolAnswer, status=201, body=NewPool),
        create_coupon_pool,
    ),
    (Operation("GET", "/coupons/<pool>", Scope.READ, PoolAnswer), get_coupon_pool),
    (
        Operation("PUT", "/coupons/<pool>", Scope.WRITE, PoolAnswer, body=PoolFields),
        replace_coupon_pool,
    ),
    (
        Operation("POST", "/coupons/<pool>/codes", Scope.WRITE, CodesAdded, body=NewCodes),
        add_coupon_codes,
    ),
    (
        Operation("POST", "/coupons/<pool>/generate", Scope.WRITE, CodesMade, body=Generate),
        generate_coupon_codes,
    ),
    (
        Operation("GET", "/coupons/<pool>/given", Scope.READ, GivenCodes, query=Page),
        list_given_coupons,
    ),
)
