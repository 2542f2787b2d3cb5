"""What became of people by the month in which they first agreed, and by how: month after month."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from psycopg.rows import class_row

from storage.database import Connection
from storage.growth import Span

Row = TypeVar("Row")
# Everybody who first confirmed in the time, with the method of the request that led to it.
_PEOPLE: Final = """
WITH cohort_people AS MATERIALIZED (
SELECT s.id AS subscriber_id, e.subject, e.program, e.n,
       date_trunc('month', e.recorded_at, 'UTC') AS month,
       CASE WHEN b.change IN ('optin_requested', 'resubscribe_requested') THEN b.method
            ELSE e.method END AS method
FROM consent_events e JOIN subscribers s ON s.ref = e.subject
LEFT JOIN LATERAL (
    SELECT q.change, q.method FROM consent_events q
    WHERE q.subject = e.subject AND q.n < e.n AND q.program = e.program
      AND q.change IN ('optin_requested', 'resubscribe_requested', 'optout', 'optin_declined',
                       'optin_expired', 'lapsed')
    ORDER BY q.n DESC LIMIT 1) b ON true
WHERE e.recorded_at >= %(since)s AND e.recorded_at < %(until)s AND e.change = 'optin_confirmed'
  AND (%(program)s::text IS NULL OR e.program = %(program)s)
  AND NOT EXISTS (SELECT FROM consent_events o WHERE o.subject = e.subject AND o.n < e.n
                  AND o.program = e.program AND o.change = 'optin_confirmed')
)
"""
_SIZES: Final = """
SELECT month, method, count(*) AS people FROM cohort_people GROUP BY 1, 2 ORDER BY 1, 2
"""
# Where each person stood when each month since ended; a month that is not over ends now.
_STAYED: Final = """
SELECT p.month, p.method, m.after,
       count(*) FILTER (WHERE z.change <> ALL('{optout,lapsed}')) AS retained
FROM cohort_people p
CROSS JOIN LATERAL generate_series(0, %(months)s) AS m (after)
CROSS JOIN LATERAL (
    SELECT y.change FROM consent_events y
    WHERE y.subject = p.subject AND y.program = p.program AND y.n >= p.n
      AND y.change IN ('optin_confirmed', 'optout', 'lapsed')
      AND y.recorded_at < p.month + make_interval(months => m.after + 1)
    ORDER BY y.n DESC LIMIT 1) z
WHERE p.month + make_interval(months => m.after) <= assent_now()
GROUP BY 1, 2, 3
"""
_LEFT: Final = """
SELECT p.month, p.method, {after} AS after, count(DISTINCT p.subscriber_id) AS n
FROM cohort_people p JOIN consent_events y ON y.subject = p.subject AND y.program = p.program
     AND y.n > p.n AND y.change = 'optout'
WHERE y.recorded_at < p.month + make_interval(months => %(months)s + 1)
GROUP BY 1, 2, 3
"""
_CLICKED: Final = """
SELECT p.month, p.method, {after} AS after, count(DISTINCT p.subscriber_id) AS n
FROM cohort_people p JOIN clicks y ON y.subscriber_id = p.subscriber_id AND y.label = 'human'
     AND y.at >= p.month AND y.at < p.month + make_interval(months => %(months)s + 1)
JOIN campaigns c ON c.id = y.campaign_id AND c.program = p.program
GROUP BY 1, 2, 3
"""
_BOUGHT: Final = """
SELECT p.month, p.method, {after} AS after, x.basis, x.currency, count(*) AS orders,
       sum(x.net_minor)::bigint AS net_minor
FROM cohort_people p JOIN orders y ON y.subscriber_id = p.subscriber_id AND y.ordered_at >= p.month
     AND y.ordered_at < p.month + make_interval(months => %(months)s + 1)
JOIN sales x ON x.order_pk = y.id AND x.program = p.program
GROUP BY 1, 2, 3, 4, 5
"""
_AFTER: Final = """
(extract(year FROM age({0}, p.month)) * 12 + extract(month FROM age({0}, p.month)))::int
"""


@dataclass(frozen=True, slots=True)
class Size:
    """How many people a cohort has."""

    month: datetime
    method: str
    people: int


@dataclass(frozen=True, slots=True)
class Stayed:
    """How many of a cohort were on the list at the end of the month so many months ``after``."""

    month: datetime
    method: str
    after: int
    retained: int


@dataclass(frozen=True, slots=True)
class Did:
    """How many people of a cohort did something in the month so many months ``after``."""

    month: datetime
    method: str
    after: int
    n: int


@dataclass(frozen=True, slots=True)
class Bought:
    """Orders of a cohort that the program earned in a month, by basis and currency."""

    month: datetime
    method: str
    after: int
    basis: str
    currency: str
    orders: int
    net_minor: int


@dataclass(frozen=True, slots=True)
class Cohorts:
    """All that is known of the cohorts of a time."""

    sizes: Sequence[Size]
    stayed: Sequence[Stayed]
    left: Sequence[Did]
    clicked: Sequence[Did]
    bought: Sequence[Bought]


def cohorts(connection: Connection, span: Span, months: int) -> Cohorts:
    """The people who first agreed in a time, up to ``months`` months on."""
    values = span.values | {"months": months}

    def read(kind: type[Row], statement: str) -> Sequence[Row]:
        with connection.cursor(row_factory=class_row(kind)) as cursor:
            return cursor.execute(_PEOPLE + statement, values).fetchall()

    return Cohorts(
        read(Size, _SIZES),
        read(Stayed, _STAYED),
        read(Did, _LEFT.format(after=_AFTER.format("y.recorded_at"))),
        read(Did, _CLICKED.format(after=_AFTER.format("y.at"))),
        read(Bought, _BOUGHT.format(after=_AFTER.format("y.ordered_at"))),
    )
