"""How lists grow, read from the ledger: who came, came back, left, and answered when asked.

Nothing is kept for this. The ledger lies in the order of its recording, so a period is found
without reading the rest; the chains of the people in it say how each had joined.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row

from storage.database import Connection

# A year of a large ledger takes seconds; nobody waits for it at a till.
TIMEOUT_MS: Final = 30_000

# The last thing that ended or began a question or a consent before an entry ``e``. A confirmation
# that follows a request was asked for by the method of the request.
_BEFORE: Final = """
LATERAL (
    SELECT q.change, q.method FROM consent_events q
    WHERE q.subject = e.subject AND q.n < e.n AND q.program = e.program
      AND q.change IN ('optin_requested', 'resubscribe_requested', 'optin_confirmed', 'optout',
                       'optin_declined', 'optin_expired', 'lapsed')
    ORDER BY q.n DESC LIMIT 1)
"""
_ASKED_BY: Final = """
CASE WHEN {0}.change IN ('optin_requested', 'resubscribe_requested') THEN {0}.method END
"""
_MOVES: Final = f"""
WITH e AS MATERIALIZED (
    SELECT subject, n, program, change, method, date_trunc(%(by)s, recorded_at, 'UTC') AS period,
           CASE WHEN change IN ('optout', 'lapsed')
                THEN convert_from(envelope, 'UTF8')::json ->> 'before' END AS before
    FROM consent_events
    WHERE recorded_at >= %(since)s AND recorded_at < %(until)s
      AND change IN ('optin_confirmed', 'optout', 'lapsed')
      AND (%(program)s::text IS NULL OR program = %(program)s)
), came AS (
    SELECT e.period, e.program, coalesce({_ASKED_BY.format("b")}, e.method) AS method,
           CASE WHEN EXISTS (SELECT FROM consent_events o WHERE o.subject = e.subject
                             AND o.n < e.n AND o.program = e.program
                             AND o.change = 'optin_confirmed')
                THEN 'returned' ELSE 'confirmed' END AS what
    FROM e LEFT JOIN {_BEFORE} b ON true WHERE e.change = 'optin_confirmed'
), went AS (
    SELECT w.period, w.program, coalesce({_ASKED_BY.format("b")}, e.method, '') AS method,
           CASE w.change WHEN 'optout' THEN 'left' ELSE 'removed' END AS what
    FROM e w LEFT JOIN LATERAL (
        SELECT c.subject, c.n, c.program, c.method FROM consent_events c
        WHERE c.subject = w.subject AND c.n < w.n AND c.program = w.program
          AND c.change = 'optin_confirmed' ORDER BY c.n DESC LIMIT 1) e ON true
    LEFT JOIN {_BEFORE} b ON true
    WHERE w.before IN ('subscribed', 'paused')
)
SELECT period, program, method, what, count(*) AS n
FROM (SELECT * FROM came UNION ALL SELECT * FROM went) moves
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""  # noqa: S608 - parts of statements, which are our own
# On a list are those subscribed or paused; what has moved since is taken back.
_NOW: Final = """
SELECT count(*) FROM subscriptions
WHERE state IN ('subscribed', 'paused') AND (%(program)s::text IS NULL OR program = %(program)s)
"""
_SINCE: Final = """
SELECT count(*) FILTER (WHERE change = 'optin_confirmed')
       - count(*) FILTER (WHERE change <> 'optin_confirmed'
                          AND convert_from(envelope, 'UTF8')::json ->> 'before'
                              IN ('subscribed', 'paused'))
FROM consent_events
WHERE recorded_at >= %(moment)s AND change IN ('optin_confirmed', 'optout', 'lapsed')
  AND (%(program)s::text IS NULL OR program = %(program)s)
"""
# A request that is made again while it is open is the same question.
_QUESTIONS: Final = f"""
WITH asked AS (
    SELECT e.subject, e.n, e.program, e.method, e.occurred_at
    FROM consent_events e LEFT JOIN {_BEFORE} b ON true
    WHERE e.recorded_at >= %(since)s AND e.recorded_at < %(until)s
      AND e.change IN ('optin_requested', 'resubscribe_requested')
      AND (%(program)s::text IS NULL OR e.program = %(program)s)
      AND coalesce(b.change, '') NOT IN ('optin_requested', 'resubscribe_requested')
), answered AS (
    SELECT a.method, z.change, CASE WHEN z.change = 'optin_confirmed'
        THEN greatest(extract(epoch FROM z.occurred_at - coalesce(p.occurred_at, a.occurred_at)), 0)
        END::bigint AS seconds
    FROM asked a LEFT JOIN LATERAL (
        SELECT x.change, x.n, x.occurred_at FROM consent_events x
        WHERE x.subject = a.subject AND x.n > a.n AND x.program = a.program
          AND x.change IN ('optin_confirmed', 'optin_declined', 'optin_expired', 'optout', 'lapsed')
        ORDER BY x.n LIMIT 1) z ON true
    LEFT JOIN LATERAL (
        SELECT y.occurred_at FROM consent_events y
        WHERE y.subject = a.subject AND y.n > a.n AND y.n < z.n AND y.program = a.program
          AND y.change = 'optin_asked' ORDER BY y.n DESC LIMIT 1) p ON true
)
SELECT method, count(*) AS asked, count(*) FILTER (WHERE change = 'optin_confirmed') AS confirmed,
       count(*) FILTER (WHERE change IN ('optin_declined', 'optout')) AS declined,
       count(*) FILTER (WHERE change IN ('optin_expired', 'lapsed')) AS expired,
       percentile_disc(array[0.25, 0.5, 0.75]) WITHIN GROUP (ORDER BY seconds) AS quartiles
FROM answered GROUP BY method ORDER BY method
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Move:
    """``n`` people in a period: "confirmed" (new), "returned", "left", or "removed".

    ``method`` is how they had joined, also of those who went.
    """

    period: datetime
    program: str
    method: str
    what: str
    n: int


@dataclass(frozen=True, slots=True)
class Question:
    """What came of the questions of a period by the method of the request, until now.

    ``quartiles`` are seconds from the question to the yes; None where nobody said yes.
    """

    method: str
    asked: int
    confirmed: int
    declined: int
    expired: int
    quartiles: list[int] | None

    @property
    def open(self) -> int:
        """Questions that wait for their answer still."""
        return self.asked - self.confirmed - self.declined - self.expired


@dataclass(frozen=True, slots=True)
class Span:
    """A time from ``since`` to before ``until``, of one program or of all."""

    since: datetime
    until: datetime
    program: str | None = None

    @property
    def values(self) -> dict[str, Any]:
        """The parameters of the statements."""
        return {"since": self.since, "until": self.until, "program": self.program}


def patient(connection: Connection) -> None:
    """Let the statements of this transaction take longer than usual."""
    connection.execute(f"SET LOCAL statement_timeout = {TIMEOUT_MS}")


def moves(connection: Connection, span: Span, by: str) -> Sequence[Move]:
    """Who came and who went, by "day", "week" or "month"."""
    with connection.cursor(row_factory=class_row(Move)) as cursor:
        return cursor.execute(_MOVES, span.values | {"by": by}).fetchall()


def listed(connection: Connection, moment: datetime, program: str | None) -> int:
    """How many subscriptions there were at a moment: those of now, less what has moved since."""
    values = {"program": program, "moment": moment}
    ((now,),) = connection.execute(_NOW, values).fetchall()
    ((since,),) = connection.execute(_SINCE, values).fetchall()
    return int(now) - int(since)


def questions(connection: Connection, span: Span) -> Sequence[Question]:
    """What came of the requests to join that were made in a time."""
    with connection.cursor(row_factory=class_row(Question)) as cursor:
        return cursor.execute(_QUESTIONS, span.values).fetchall()
