"""May one more question be asked for? A pure function of what was admitted before, and the limits.

Reliability T2 and I6. The limits are data (``worker/data/form_limits.toml``). What is counted lies
in buckets of time, a twelfth of the limit's length each; a limit counts every bucket that its
stretch touches, so it holds in every stretch of its length and is at most a twelfth too strict.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from keywords.data import load

BUCKETS: Final = 12
_LENGTHS: Final = {"minute": 60, "hour": 3_600, "day": 86_400}
_DATA: Final[Mapping[str, Any]] = load("form_limits", "worker.data")
_LAST_DIGITS: Final = 4


class Door(StrEnum):
    """By which way questions are asked for. Each has its own counts: a form that is under attack
    must not close the till.
    """

    FORM = "form"
    API = "api"


class Scope(StrEnum):
    """What is counted together. ``ABROAD`` is a country that is not the program's first one;
    ``SPEND`` counts money, all others count forms.
    """

    NUMBER = "number"
    ADDRESS = "address"
    NETWORK = "network"
    PREFIX = "prefix"
    COUNTRY = "country"
    ABROAD = "abroad"
    PROGRAM = "program"
    GLOBAL = "global"
    SPEND = "spend"


# What says something of the number alone is not told to whoever typed it in.
_UNTOLD: Final = frozenset({Scope.NUMBER, Scope.PREFIX})
BROKEN: Final = (Scope.PREFIX, Scope.COUNTRY, Scope.GLOBAL)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``most`` (forms, or millionths of a US dollar) in any ``window_s`` seconds."""

    scope: Scope
    per: str
    most: int

    @property
    def window_s(self) -> int:
        """Its length."""
        return _LENGTHS[self.per]

    @property
    def width_s(self) -> int:
        """The length of one of its buckets."""
        return self.window_s // BUCKETS


@dataclass(frozen=True, slots=True)
class Asking:
    """What one form asks for. ``number``, ``address`` and ``network`` are keyed digests, the last
    two None where the visitor's address is not known; ``prefix`` is the number without its last
    four digits; ``home`` says that ``country`` is the program's first one. ``cost`` is in
    millionths of a US dollar.
    """

    number: str
    prefix: str
    country: str
    home: bool
    program: str
    cost: int
    address: str | None = None
    network: str | None = None


@dataclass(frozen=True, slots=True)
class Meter:
    """One limit for one form: under which key it counts, and how much this form would add."""

    limit: Limit
    key: str
    step: int


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a form may not pass: "global.hour", or "breaker.prefix". ``told`` says whether the
    visitor may know: the reason would be the same for every number.
    """

    reason: str
    told: bool


LIMITS: Final[Mapping[Door, tuple[Limit, ...]]] = {
    door: tuple(Limit(Scope(row["scope"]), row["per"], row["most"]) for row in _DATA[door])
    for door in Door
}
_PRICES: Final[Mapping[str, int]] = _DATA["prices"]
_UNKNOWN_PRICE: Final[int] = _DATA["unknown_price_micros"]


def price(country: str, segments: int) -> int:
    """What a text of so many segments costs there at most, in millionths of a US dollar."""
    return _PRICES.get(country, _UNKNOWN_PRICE) * segments


def prefix_of(e164: str) -> str:
    """The range that a number lies in: all but its last four digits."""
    return e164[:-_LAST_DIGITS]


def key_of(door: Door, scope: Scope, value: str) -> str:
    """Under which name something is counted: "form:prefix:+1415555"."""
    return f"{door}:{scope}:{value}"


def meters(door: Door, asking: Asking, limits: Sequence[Limit] | None = None) -> tuple[Meter, ...]:
    """What this form counts for; without other wishes under the limits of the data."""
    return tuple(_meters(door, asking, LIMITS[door] if limits is None else limits))


def _meters(door: Door, asking: Asking, limits: Sequence[Limit]) -> Iterator[Meter]:
    values = _values(asking)
    for limit in limits:
        value = values[limit.scope]
        if value is not None:
            step = asking.cost if limit.scope is Scope.SPEND else 1
            yield Meter(limit, key_of(door, limit.scope, value), step)


def _values(asking: Asking) -> Mapping[Scope, str | None]:
    return {
        Scope.NUMBER: asking.number,
        Scope.ADDRESS: asking.address,
        Scope.NETWORK: asking.network,
        Scope.PREFIX: asking.prefix,
        Scope.COUNTRY: asking.country,
        Scope.ABROAD: None if asking.home else asking.country,
        Scope.PROGRAM: asking.program,
        Scope.GLOBAL: "",
        Scope.SPEND: "",
    }


def breakers(door: Door, asking: Asking) -> dict[str, Scope]:
    """The keys of the breakers that this form depends on."""
    values = _values(asking)
    return {key_of(door, scope, values[scope] or ""): scope for scope in BROKEN}


def bucket(limit: Limit, at: datetime) -> int:
    """The number of the bucket that a moment lies in."""
    return int(at.timestamp()) // limit.width_s


def oldest(limit: Limit, now: datetime) -> int:
    """The first bucket that counts: the one in which the stretch that ends now began."""
    return (int(now.timestamp()) - limit.window_s) // limit.width_s


def refused(
    given: Sequence[Meter],
    amounts: Sequence[int],
    tripped: Mapping[str, int],
    watched: Mapping[str, Scope],
) -> Refused | None:
    """Why the form may not pass, or None. ``amounts`` is what each meter counts already.

    ``tripped`` maps the key of each breaker that is not closed to how many forms may still pass
    on trial; ``watched`` are the keys that matter here. What is the same for every number comes
    first: else a refusal that is kept silent would stand out between those that are told.
    """
    found = [
        Refused(f"breaker.{scope}", scope not in _UNTOLD)
        for key, scope in watched.items()
        if tripped.get(key, 1) <= 0
    ]
    found += [
        Refused(f"{meter.limit.scope}.{meter.limit.per}", meter.limit.scope not in _UNTOLD)
        for meter, amount in zip(given, amounts, strict=True)
        if amount + meter.step > meter.limit.most
    ]
    return min(found, key=lambda each: not each.told, default=None)
