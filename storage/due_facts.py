"""All that "may this message go now?" and its text depend on, read fresh for a batch.

Two statements: one for the campaign, one for its people. Call them after the messages are fenced
(``claiming.fence``): a statement sees what was committed before it began, so a withdrawal that came
before the fence is seen, and one that comes after waits for it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from psycopg.rows import class_row

from storage.campaigns import CampaignState
from storage.database import Connection

_CAMPAIGN: Final = """
SELECT c.id, c.program, c.sender, c.preset, c.state, c.grace, c.settings, p.version,
       cat.version AS catalogue_version,
       EXISTS (SELECT FROM switches WHERE name = 'kill' AND on_since IS NOT NULL) AS stopped,
       i.epoch, i.held_since IS NULL AS confirmed, assent_now() AS now
FROM campaigns c JOIN programs p ON p.slug = c.program, instance i, catalogue cat
WHERE c.id = %s
"""
_PEOPLE: Final = """
WITH chosen AS MATERIALIZED (
    SELECT id, subscriber_id, variant, not_before, not_after FROM recipients
    WHERE id = ANY(%(ids)s)
)
SELECT r.id, r.subscriber_id, r.variant, r.not_before, r.not_after,
       s.phone, s.language, s.suspended, s.reachability,
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
        WHERE o.subscriber_id = r.subscriber_id AND o.id <> r.id
          AND o.claimed_at > %(since)s AND o.state IN ('accepted', 'unknown', 'sending')) AS sent
FROM chosen r JOIN subscribers s ON s.id = r.subscriber_id
LEFT JOIN subscriptions t ON t.subscriber_id = r.subscriber_id AND t.program = %(program)s
LEFT JOIN profiles p ON p.subscriber_id = r.subscriber_id
ORDER BY r.id
"""
_PROMISE: Final = """
SELECT body ->> 'frequency' FROM program_versions WHERE program = %s AND version = %s
"""
_VARIANTS: Final = "SELECT number, body FROM variants WHERE campaign_id = %s ORDER BY number"
_LINKS: Final = """
SELECT number, variant, destination FROM links WHERE campaign_id = %s ORDER BY number
"""


@dataclass(frozen=True, slots=True)
class DueCampaignFacts:
    """A campaign as it is now. ``grace`` is how long after its time a message may go.

    ``stopped`` is the kill switch; ``confirmed`` is False after a restore; ``version`` that of the
    program, ``catalogue_version`` that of the whole shop.
    """

    id: int
    program: str
    sender: str
    preset: str
    state: str
    grace: timedelta | None
    settings: Mapping[str, Any]
    version: int
    catalogue_version: int
    stopped: bool
    epoch: int
    confirmed: bool
    now: datetime

    def goes(self, epoch: int) -> bool:
        """Whether the campaign may send at all, for a process that knows this ``epoch``."""
        running = self.state == CampaignState.RUNNING and not self.stopped
        return running and self.confirmed and self.epoch == epoch


@dataclass(frozen=True, slots=True)
class DuePerson:
    """One message of a campaign and the person it is for.

    ``consent`` to ``version`` are the standing with the campaign's program, None where there is
    none; ``entry`` is the ledger entry by which the person agreed to it last. ``sent`` are other
    campaign texts: seconds since 1970, program, whether it is in mid-call at this moment, and its
    subject.
    """

    id: int
    subscriber_id: int
    variant: int
    not_before: datetime | None
    not_after: datetime | None
    phone: str
    language: str | None
    suspended: bool
    reachability: str
    consent: str | None
    frequency: str | None
    confirmed_at: datetime | None
    paused_until: datetime | None
    method: str | None
    version: int | None
    zip: str | None
    city: str | None
    state: str | None
    country: str | None
    time_zone: str | None
    first_name: str | None
    last_name: str | None
    birth_date: Any
    attributes: Mapping[str, Any] | None
    entry: UUID | None
    sent: Sequence[tuple[float, str, bool, str]] | None


@dataclass(frozen=True, slots=True)
class Link:
    """A destination of a variant, with the number that is part of its codes."""

    number: int
    variant: int
    destination: str


def campaign(connection: Connection, campaign_id: int) -> DueCampaignFacts | None:
    """The campaign as it is now; None when it, or its program, is gone."""
    with connection.cursor(row_factory=class_row(DueCampaignFacts)) as cursor:
        return cursor.execute(_CAMPAIGN, (campaign_id,), prepare=True).fetchone()


def people(
    connection: Connection, program: str, ids: Sequence[int], since: datetime
) -> list[DuePerson]:
    """The people of these messages, by the messages' ids; ``sent`` goes back to ``since``."""
    values = {"ids": list(ids), "program": program, "since": since}
    with connection.cursor(row_factory=class_row(DuePerson)) as cursor:
        return cursor.execute(_PEOPLE, values, prepare=True).fetchall()


def promise(connection: Connection, program: str, version: int) -> str | None:
    """The frequency that a version of a program promises ("4/month"). Versions never change."""
    row = connection.execute(_PROMISE, (program, version)).fetchone()
    return row[0] if row else None


def variants(connection: Connection, campaign_id: int) -> dict[int, str]:
    """The templates of a campaign's variants, by number."""
    return dict(connection.execute(_VARIANTS, (campaign_id,)).fetchall())


def links(connection: Connection, campaign_id: int) -> list[Link]:
    """The destinations of a campaign's links, by number."""
    return [Link(*row) for row in connection.execute(_LINKS, (campaign_id,))]
