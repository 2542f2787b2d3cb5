"""A crowd of subscribers and campaigns to send them, made in a few statements."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from psycopg.types.json import Jsonb

from storage import campaign_states
from storage.database import Connection
from storage.transaction import atomic
from tests.texting import SENDER

_PEOPLE: Final = """
WITH people AS (
    INSERT INTO subscribers (phone)
    SELECT %(prefix)s::text || (2000000 + i) FROM generate_series(%(first)s::int, %(last)s::int) i
    ON CONFLICT (phone) DO NOTHING RETURNING id
), placed AS (
    INSERT INTO profiles (subscriber_id, time_zone, place_source)
    SELECT id, %(zone)s::text, 'profile' FROM people
)
INSERT INTO subscriptions (subscriber_id, program, state, prior, confirmed_at, method, version)
SELECT id, %(program)s::text, %(state)s::text, 'none',
       assent_now() - interval '30 days', 'import', 1
FROM people
"""


def crowd(
    connection: Connection,
    count: int,
    *,
    first: int = 1,
    state: str = "subscribed",
    program: str = "deals",
    prefix: str = "+1415",
    zone: str | None = None,
) -> list[str]:
    """So many new people in a program; their numbers, in the order of their ids.

    Unless ``zone`` says otherwise they live where it is noon, so that no test depends on the hour.
    """
    values = {
        "prefix": prefix,
        "first": first,
        "last": first + count - 1,
        "program": program,
        "state": state,
        "zone": zone or noon(),
    }
    connection.execute(_PEOPLE, values)
    return [f"{prefix}{2_000_000 + i}" for i in range(first, first + count)]


def noon(hour: int = 12) -> str:
    """A time zone in which it is about ``hour`` o'clock now."""
    ahead = (hour - datetime.now(UTC).hour + 11) % 24 - 11
    return f"Etc/GMT{-ahead:+d}"


def campaign(
    connection: Connection, bodies: Sequence[str] = ("Acme: 20% off.",), **over: Any
) -> int:
    """A draft with these variants; its number."""
    values: dict[str, Any] = {
        "name": "Sale",
        "program": "deals",
        "sender": SENDER,
        "preset": "federal",
        "created_by": "test",
        **over,
    }
    columns = {name: Jsonb(v) if isinstance(v, Mapping) else v for name, v in values.items()}
    names = ", ".join(columns)
    marks = ", ".join(f"%({name})s" for name in columns)
    ((number,),) = connection.execute(
        f"INSERT INTO campaigns ({names}) VALUES ({marks}) RETURNING id", columns
    ).fetchall()
    for index, body in enumerate(bodies):
        connection.execute(
            "INSERT INTO variants (campaign_id, number, label, body) VALUES (%s, %s, %s, %s)",
            (number, index, chr(ord("A") + index), body),
        )
    return int(number)


def launched(connection: Connection, **over: Any) -> int:
    """A campaign that somebody has launched."""
    number = campaign(connection, **over)
    with atomic(connection):
        campaign_states.launch(connection, number)
    return number


def states(connection: Connection, number: int) -> dict[str, int]:
    """How many recipients are in each state."""
    rows = connection.execute(
        "SELECT state, count(*) FROM recipients WHERE campaign_id = %s GROUP BY 1", (number,)
    )
    return dict(rows.fetchall())


def row(connection: Connection, number: int) -> dict[str, Any]:
    """A campaign's columns, as JSON has them."""
    ((found,),) = connection.execute(
        "SELECT to_jsonb(c) FROM campaigns c WHERE id = %s", (number,)
    ).fetchall()
    assert isinstance(found, dict)
    return found
