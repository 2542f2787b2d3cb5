"""A sample of an audience, with all that "may this message go now?" depends on.

The same facts as of a planned message (``due_facts``), for people who are not planned yet. The
sample is by a hash of the person and the question, so that asking again shows the same people, and
another campaign others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import dict_row

from storage.database import Connection
from storage.due_facts import DuePerson
from storage.segments.saved import Audience
from storage.segments.sql import PEOPLE

_SAMPLE: Final = """
SELECT s.id, s.id AS subscriber_id, 0 AS variant, NULL::timestamptz AS not_before,
       NULL::timestamptz AS not_after, s.phone, s.language, s.suspended, s.reachability,
       t.state AS consent, t.frequency, t.confirmed_at, t.paused_until, t.method, t.version,
       p.zip, p.city, p.state, p.country, p.time_zone, p.first_name, p.last_name, p.birth_date,
       p.attributes,
       (SELECT e.event FROM consent_events e
        WHERE e.subject = s.ref AND e.program = %(program)s AND e.change = 'optin_confirmed'
        ORDER BY e.n DESC LIMIT 1) AS entry,
       (SELECT json_agg(json_build_array(
            extract(epoch FROM o.claimed_at), c.program, o.state = 'sending',
            coalesce(c.settings ->> 'subject', c.program)))
        FROM recipients o JOIN campaigns c ON c.id = o.campaign_id
        WHERE o.subscriber_id = s.id AND o.claimed_at > %(since)s
          AND o.state IN ('accepted', 'unknown', 'sending')) AS sent
FROM {people}
WHERE t.state IN ('subscribed', 'paused') AND {where}
ORDER BY hashint8extended(s.id, %(seed)s) LIMIT %(limit)s
"""
_WORLD: Final = """
SELECT EXISTS (SELECT FROM switches WHERE name = 'kill' AND on_since IS NOT NULL),
       i.held_since IS NULL, assent_now()
FROM instance i
"""


@dataclass(frozen=True, slots=True)
class World:
    """What is true for every message: the kill switch, a confirmed instance, the time."""

    stopped: bool
    confirmed: bool
    now: datetime


def world(connection: Connection) -> World:
    """The state of the service at this moment."""
    ((stopped, confirmed, now),) = connection.execute(_WORLD).fetchall()
    return World(stopped, confirmed, now)


def sample(
    connection: Connection, audience: Audience, since: datetime, seed: int, limit: int
) -> list[DuePerson]:
    """At most ``limit`` people who get the program, in an order that chance made once."""
    query = audience.query()
    values: Mapping[str, Any] = {
        **query.parameters,
        "since": since,
        "seed": seed,
        "limit": limit,
    }
    statement = _SAMPLE.format(people=PEOPLE, where=query.where)
    with connection.cursor(row_factory=dict_row) as cursor:
        return [DuePerson(**row) for row in cursor.execute(statement, values)]
