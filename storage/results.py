"""The sums that reports are made of, as rows: a campaign's own, and those of all campaigns at once.

Everything here is read from tables that the writers keep up in their own transactions, so a report
is true to the last commit and does not grow with the number of messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row

from storage.database import Connection

Rows = Sequence[tuple[Any, ...]]

_CAMPAIGN: Final = (
    """
    SELECT variant, method, what, why, n FROM tallies WHERE campaign_id = %(campaign)s AND n <> 0
    """,
    """
    SELECT variant, link_number, method, raw, human, clickers, link_clickers
    FROM click_tallies WHERE campaign_id = %(campaign)s
    """,
    """
    SELECT variant, link_number, method, basis, currency, orders, canceled, gross_minor, net_minor
    FROM sale_tallies WHERE campaign_id = %(campaign)s AND orders <> 0
    """,
)
_LINKS: Final = """
SELECT number, variant, destination FROM links WHERE campaign_id = %s ORDER BY number
"""
_HELD: Final = """
SELECT coalesce(reason, ''), count(*) FROM recipients
WHERE campaign_id = %s AND state = 'planned' AND not_before > assent_now() GROUP BY 1
"""
# One walk along an index. The quartiles are those of the nearest rank.
_DELAYS: Final = """
SELECT count(*), percentile_disc(array[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY seconds)
FROM clickers WHERE campaign_id = %s AND seconds IS NOT NULL
"""
_CHOSEN: Final = """
SELECT c.id, c.name, c.program, c.sender, c.state, c.planned, c.holdout, c.starts_at,
       c.launched_at, c.finished_at, (c.settings -> 'asked' ->> 'segment')::bigint AS segment,
       s.name AS segment_name
FROM campaigns c LEFT JOIN segments s ON s.id = (c.settings -> 'asked' ->> 'segment')::bigint
WHERE (c.launched_at IS NOT NULL OR %(campaign)s::bigint IS NOT NULL)
  AND (%(since)s::timestamptz IS NULL OR c.launched_at >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR c.launched_at < %(until)s)
  AND (%(program)s::text IS NULL OR c.program = %(program)s)
  AND (%(campaign)s::bigint IS NULL OR c.id = %(campaign)s)
ORDER BY c.id DESC
"""
_OVER_ALL: Final = (
    """
    SELECT {key}, what, CASE what WHEN 'delivery' THEN why ELSE '' END, sum(n)::bigint
    FROM tallies WHERE campaign_id = ANY(%(campaigns)s) GROUP BY 1, 2, 3
    """,
    """
    SELECT {key}, sum(raw)::bigint, sum(human)::bigint, sum(clickers)::bigint
    FROM click_tallies WHERE campaign_id = ANY(%(campaigns)s) GROUP BY 1
    """,
    """
    SELECT {key}, basis, currency, sum(orders)::bigint, sum(canceled)::bigint,
           sum(gross_minor)::bigint, sum(net_minor)::bigint
    FROM sale_tallies WHERE campaign_id = ANY(%(campaigns)s)
    GROUP BY 1, 2, 3 HAVING sum(orders) <> 0
    """,
)
# Orders that a program earned without a campaign: by a coupon that was given on joining.
_BESIDE: Final = """
SELECT program, basis, currency, count(*), sum(canceled)::bigint, sum(gross_minor)::bigint,
       sum(net_minor)::bigint
FROM sales WHERE campaign_id = 0
  AND (%(since)s::timestamptz IS NULL OR hour >= %(since)s)
  AND (%(until)s::timestamptz IS NULL OR hour < %(until)s)
  AND (%(program)s::text IS NULL OR program = %(program)s)
GROUP BY 1, 2, 3
"""
_HOURS: Final = (
    """
    SELECT date_trunc(%(by)s, hour, 'UTC'), what, sum(n)::bigint
    FROM hour_tallies WHERE campaign_id = %(campaign)s GROUP BY 1, 2
    """,
    """
    SELECT date_trunc(%(by)s, hour, 'UTC'), sum(raw)::bigint, sum(human)::bigint,
           sum(clickers)::bigint
    FROM click_hours WHERE campaign_id = %(campaign)s GROUP BY 1
    """,
    """
    SELECT date_trunc(%(by)s, hour, 'UTC'), basis, currency, count(*), sum(canceled)::bigint,
           sum(gross_minor)::bigint, sum(net_minor)::bigint
    FROM sales WHERE campaign_id = %(campaign)s GROUP BY 1, 2, 3
    """,
)


@dataclass(frozen=True, slots=True)
class Counted:
    """Rows of texts, clicks and sales; their columns are those of the statement that was asked."""

    texts: Rows
    clicks: Rows
    sales: Rows


@dataclass(frozen=True, slots=True)
class Launched:
    """A campaign. ``segment`` is the saved one that it is for, if any."""

    id: int
    name: str
    program: str
    sender: str
    state: str
    planned: int | None
    holdout: float
    starts_at: datetime | None
    launched_at: datetime | None
    finished_at: datetime | None
    segment: int | None
    segment_name: str | None


@dataclass(frozen=True, slots=True)
class Delays:
    """How many people clicked; when a quarter, half and three quarters of them had, in seconds."""

    people: int
    quartiles: tuple[int, int, int] | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Which campaigns: launched from ``since`` to before ``until``, of one program; or all."""

    since: datetime | None = None
    until: datetime | None = None
    program: str | None = None


def campaign(connection: Connection, number: int) -> Counted:
    """A campaign's counts by variant and method, and by link."""
    return _counted(connection, _CAMPAIGN, {"campaign": number})


def links(connection: Connection, number: int) -> Sequence[tuple[int, int, str]]:
    """Number, variant and destination of a campaign's links."""
    return [(n, v, to) for n, v, to in connection.execute(_LINKS, (number,))]


def held(connection: Connection, number: int) -> dict[str, int]:
    """Messages that wait for a later moment, by the reason ("" for the plan's own time)."""
    return dict(connection.execute(_HELD, (number,)).fetchall())


def delays(connection: Connection, number: int) -> Delays:
    """How long people took to click first."""
    ((people, quartiles),) = connection.execute(_DELAYS, (number,)).fetchall()
    return Delays(people, tuple(quartiles) if quartiles else None)


def launched(connection: Connection, choice: Choice, number: int | None = None) -> list[Launched]:
    """Launched campaigns, newest first; or the one, launched or not."""
    values = {
        "since": choice.since,
        "until": choice.until,
        "program": choice.program,
        "campaign": number,
    }
    with connection.cursor(row_factory=class_row(Launched)) as cursor:
        return cursor.execute(_CHOSEN, values).fetchall()


def over_all(connection: Connection, campaigns: Sequence[int], key: str = "campaign_id") -> Counted:
    """Counts of these campaigns, by campaign or by another column of all sums ("method")."""
    assert key in ("campaign_id", "method")
    statements = [statement.format(key=key) for statement in _OVER_ALL]
    return _counted(connection, statements, {"campaigns": list(campaigns)})


def beside(connection: Connection, choice: Choice) -> Rows:
    """Sales of programs that no campaign has earned: program, basis, currency and sums."""
    values = {"since": choice.since, "until": choice.until, "program": choice.program}
    return connection.execute(_BESIDE, values).fetchall()


def hours(connection: Connection, number: int, by: str) -> Counted:
    """A campaign's counts by hour or by day (UTC); ``by`` is "hour" or "day"."""
    return _counted(connection, _HOURS, {"campaign": number, "by": by})


def _counted(connection: Connection, statements: Sequence[str], values: dict[str, Any]) -> Counted:
    return Counted(
        *(connection.execute(each, values, prepare=True).fetchall() for each in statements)
    )
