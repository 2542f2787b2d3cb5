"""The kinds of field: for each way to compare, what value it takes and the SQL that does it.

``{c}`` is the field's column or relation, ``{v}`` the parameter. Every expression is true or
false for somebody of whom nothing is known, never null, so that ``not`` means what it says.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Any, Final

from storage.bands import BANDS
from storage.orders import CHANGES, NET
from storage.segments.conditions import Operator

LONGEST_TEXT: Final = 200
MOST_VALUES: Final = 200
MOST_DAYS: Final = 3660
MOST_COUNTED: Final = 10**6
MOST_MONEY: Final = 10**15
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


class Kind(StrEnum):
    """What a field holds."""

    TEXT = "text"
    MOMENT = "moment"
    DATE = "date"
    FLAG = "flag"
    NUMBER = "number"
    MEMBER = "member"  # a relation that a value is looked up in; {c} is its FROM … WHERE
    ACTIVITY = "activity"  # things that happened; {c} is FROM … WHERE, {at} their time
    SILENCE = "silence"  # things that did not happen; {c} as for ACTIVITY
    COUNT = "count"  # how many there are; never unknown
    MONEY = "money"  # what was spent in one currency; {c} is a condition on orders ``o``
    BAND = "band"  # from 1 to BANDS, or unknown


@dataclass(frozen=True, slots=True)
class Comparison:
    """One way to compare: the SQL, how a value is read (ValueError says why not), the words.

    A value that is read as a mapping has several parts; the SQL names each as ``{v[part]}``.
    """

    sql: str
    read: Callable[[Any], Any]
    words: str


def text(value: Any) -> str:
    """A short text that PostgreSQL can store."""
    if not isinstance(value, str) or not value or "\0" in value or len(value) > LONGEST_TEXT:
        raise ValueError(f"Give a text of 1 to {LONGEST_TEXT} characters.")
    return value


def several(value: Any) -> list[str]:
    """A list of short texts."""
    if not isinstance(value, list) or not 1 <= len(value) <= MOST_VALUES:
        raise ValueError(f"Give a list of 1 to {MOST_VALUES} texts.")
    return [text(each) for each in value]


def flag(value: Any) -> bool:
    """True or false."""
    if not isinstance(value, bool):
        raise ValueError("Give true or false.")
    return value


def days(value: Any) -> int:
    """A number of days."""
    if type(value) is not int or not 1 <= value <= MOST_DAYS:
        raise ValueError(f"Give a whole number of days from 1 to {MOST_DAYS}.")
    return value


def number(value: Any) -> float:
    """A number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or abs(value) > 1e15:
        raise ValueError("Give a number.")
    return float(value)


def whole(value: Any) -> int:
    """How many."""
    if type(value) is not int or not 0 <= value <= MOST_COUNTED:
        raise ValueError(f"Give a whole number from 0 to {MOST_COUNTED}.")
    return value


def band(value: Any) -> int:
    """A band: 1 is the lowest, 5 the best."""
    if type(value) is not int or not 1 <= value <= BANDS:
        raise ValueError(f"Give a band from 1 to {BANDS}.")
    return value


def money(value: Any) -> Mapping[str, Any]:
    """An amount in the smallest unit of a currency."""
    parts = value if isinstance(value, Mapping) else {}
    amount, currency = parts.get("amount_minor"), parts.get("currency")
    fits = type(amount) is int and 0 <= amount <= MOST_MONEY
    known = isinstance(currency, str) and _CURRENCY.fullmatch(currency)
    if len(parts) != 2 or not fits or not known:
        raise ValueError('Give an amount: {"amount_minor": 5000, "currency": "USD"}.')
    return {"amount": amount, "currency": currency}


def moment(value: Any) -> datetime:
    """A date, or a moment with its zone; a date is its midnight in UTC."""
    try:
        read = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Give a date (2026-11-30) or a moment with its zone.") from None
    if read.tzinfo is None:
        if len(value) > len("2026-11-30"):
            raise ValueError("Give the moment's zone, such as 2026-11-30T18:00:00Z.")
        read = read.replace(tzinfo=UTC)
    return read


def day(value: Any) -> date:
    """A calendar date."""
    try:
        return date.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("Give a date, such as 1990-12-31.") from None


_EXISTS: Final = Comparison("({c} IS NOT NULL) = {v}", flag, "is known")
# In a sub-select: a volatile function would be called for each row, and keep indexes out of it.
_SINCE: Final = "(SELECT assent_now()) - make_interval(days => {v}::int)"
# Asked first: it is quick, and most people of most shops have never ordered.
_CUSTOMER: Final = "EXISTS (SELECT FROM orders c WHERE c.subscriber_id = s.id)"
_TEXT: Final = {
    Operator.IS: Comparison("coalesce({c} = {v}, false)", text, "is"),
    Operator.IS_NOT: Comparison("{c} IS DISTINCT FROM {v}", text, "is not"),
    Operator.IN: Comparison("coalesce({c} = ANY({v}), false)", several, "is one of"),
    Operator.CONTAINS: Comparison(
        "coalesce(position(lower({v}) IN lower({c})) > 0, false)", text, "contains"
    ),
    Operator.STARTS_WITH: Comparison("coalesce(starts_with({c}, {v}), false)", text, "starts with"),
    Operator.EXISTS: _EXISTS,
}
_MOMENT: Final = {
    Operator.BEFORE: Comparison("coalesce({c} < {v}, false)", moment, "is before"),
    Operator.AFTER: Comparison("coalesce({c} >= {v}, false)", moment, "is not before"),
    Operator.WITHIN_DAYS: Comparison(
        f"coalesce({{c}} > {_SINCE}, false)", days, "is within the last days:"
    ),
    Operator.NOT_WITHIN_DAYS: Comparison(
        f"NOT coalesce({{c}} > {_SINCE}, false)", days, "is not within the last days:"
    ),
    Operator.EXISTS: _EXISTS,
}
_DATE: Final = {
    Operator.BEFORE: Comparison("coalesce({c} < {v}, false)", day, "is before"),
    Operator.AFTER: Comparison("coalesce({c} >= {v}, false)", day, "is not before"),
    Operator.EXISTS: _EXISTS,
}
_NUMBER: Final = {
    Operator.IS: Comparison("coalesce({c} = {v}, false)", number, "is"),
    Operator.IS_NOT: Comparison("{c} IS DISTINCT FROM {v}", number, "is not"),
    Operator.ABOVE: Comparison("coalesce({c} > {v}, false)", number, "is above"),
    Operator.BELOW: Comparison("coalesce({c} < {v}, false)", number, "is below"),
    Operator.EXISTS: _EXISTS,
}
_MEMBER: Final = {
    Operator.IS: Comparison("EXISTS (SELECT {c} = {v})", text, "is"),
    Operator.IS_NOT: Comparison("NOT EXISTS (SELECT {c} = {v})", text, "is not"),
    Operator.IN: Comparison("EXISTS (SELECT {c} = ANY({v}))", several, "is one of"),
}
_ACTIVITY: Final = {
    Operator.WITHIN_DAYS: Comparison(
        f"EXISTS (SELECT {{c}} > {_SINCE})", days, "in the last days:"
    ),
    Operator.NOT_WITHIN_DAYS: Comparison(
        f"NOT EXISTS (SELECT {{c}} > {_SINCE})", days, "not in the last days:"
    ),
    Operator.EXISTS: Comparison(
        "EXISTS (SELECT {c} > '-infinity'::timestamptz) = {v}", flag, "ever:"
    ),
}
_SILENCE: Final = {
    # Nobody has been silent for longer than we have known them.
    Operator.FOR_DAYS: Comparison(
        f"(s.created_at <= {_SINCE} AND NOT EXISTS (SELECT {{c}} > {_SINCE}))",
        days,
        "in the last days:",
    ),
}
_COUNT: Final = {
    Operator.IS: Comparison("{c} = {v}", whole, "is"),
    Operator.IS_NOT: Comparison("{c} <> {v}", whole, "is not"),
    Operator.ABOVE: Comparison("{c} > {v}", whole, "is above"),
    Operator.BELOW: Comparison("{c} < {v}", whole, "is below"),
}
_SPENT: Final = (
    f"(SELECT coalesce(sum({NET}), 0) FROM orders o {CHANGES}"  # noqa: S608 - constants of ours
    " WHERE {c} AND o.currency = {v[currency]})"
)
_MONEY: Final = {
    Operator.ABOVE: Comparison(f"({_CUSTOMER} AND {_SPENT} > {{v[amount]}})", money, "is above"),
    Operator.BELOW: Comparison(f"{_SPENT} < {{v[amount]}}", money, "is below"),
}
_BAND: Final = {
    Operator.IS: Comparison(f"({_CUSTOMER} AND coalesce({{c}} = {{v}}, false))", band, "is"),
    Operator.IS_NOT: Comparison("{c} IS DISTINCT FROM {v}", band, "is not"),
    Operator.ABOVE: Comparison(
        f"({_CUSTOMER} AND coalesce({{c}} > {{v}}, false))", band, "is above"
    ),
    Operator.BELOW: Comparison(
        f"({_CUSTOMER} AND coalesce({{c}} < {{v}}, false))", band, "is below"
    ),
    Operator.EXISTS: _EXISTS,
}
COMPARISONS: Final[Mapping[Kind, Mapping[Operator, Comparison]]] = {
    Kind.TEXT: _TEXT,
    Kind.MOMENT: _MOMENT,
    Kind.DATE: _DATE,
    Kind.FLAG: {Operator.IS: Comparison("coalesce({c}, false) = {v}", flag, "is")},
    Kind.NUMBER: _NUMBER,
    Kind.MEMBER: _MEMBER,
    Kind.ACTIVITY: _ACTIVITY,
    Kind.SILENCE: _SILENCE,
    Kind.COUNT: _COUNT,
    Kind.MONEY: _MONEY,
    Kind.BAND: _BAND,
}
