"""Clicks: every hit on a link, with the label of the rule that judged it.

A hit is first appended to a log on disk (``storage.click_log``), so that the redirect neither
waits for this table nor loses a click; the ticker drains the log into it. The id is made with the
hit, so a log that is drained twice adds nothing. What tells machines from people (agent, cropped
address) is kept for a limited time; the label stays.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import Identity, Index, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.click_log import LoggedHit
from storage.database import Connection


class ClickAgentRow(Base):
    """A User-Agent, once: millions of hits have a few thousand agents."""

    __tablename__ = "click_agents"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    agent: Mapped[str] = mapped_column(unique=True)


class ClickRow(Base):
    """One hit. ``label`` is "human" or the rule that caught it, by ``label_version`` of the rules.

    ``address`` is cropped (/24, /48); ``address_key`` a keyed hash of the whole, with which hits
    of one machine on many codes are found. Both, ``agent_id`` and ``headers`` are null once their
    time is over. No foreign keys: written by the thousand, read by indexes.
    """

    __tablename__ = "clicks"
    __table_args__ = (
        Index("ix_clicks_recipient", "recipient_id", "at"),
        Index("ix_clicks_person", "subscriber_id", "at", postgresql_where=text("label = 'human'")),
        Index("ix_clicks_campaign", "campaign_id", "at"),
        Index("ix_clicks_address", "address_key", "at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    recipient_id: Mapped[int]
    link_number: Mapped[int] = mapped_column(SmallInteger)
    campaign_id: Mapped[int]
    variant: Mapped[int] = mapped_column(SmallInteger)
    subscriber_id: Mapped[int]
    at: Mapped[datetime]
    method: Mapped[str]
    agent_id: Mapped[int | None]
    address: Mapped[str | None]
    address_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    headers: Mapped[dict[str, Any] | None]
    label: Mapped[str]
    label_version: Mapped[str]
    recorded_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


@dataclass(frozen=True, slots=True)
class Origin:
    """The message behind a code: whose it was, and when it reached the phone (or was accepted)."""

    campaign_id: int
    variant: int
    subscriber_id: int
    reached_at: datetime | None


@dataclass(frozen=True, slots=True)
class Judged:
    """A hit with its origin and its label."""

    hit: LoggedHit
    at: datetime
    origin: Origin
    label: str


class Asked(NamedTuple):
    """A hit, as far as it tells how many codes a machine asks for."""

    id: int
    recipient_id: int
    at: datetime


_ORIGINS: Final = """
SELECT id, campaign_id, variant, subscriber_id, coalesce(delivered_at, settled_at)
FROM recipients r WHERE id = ANY(%s) AND NOT EXISTS (
    SELECT FROM erasures e WHERE e.subscriber_id = r.subscriber_id AND e.done_at IS NOT NULL)
"""
_AGENTS: Final = """
INSERT INTO click_agents (agent) SELECT DISTINCT unnest(%s::text[])
ON CONFLICT (agent) DO NOTHING
"""
_ROWS: Final = """
json_to_recordset(%(rows)s::json) AS r (
    id bigint, recipient_id bigint, link_number smallint, campaign_id bigint, variant smallint,
    subscriber_id bigint, at timestamptz, method text, agent text, address text, address_key text,
    headers jsonb, label text, label_version text)
"""
_INSERT: Final = f"""
INSERT INTO clicks (id, recipient_id, link_number, campaign_id, variant, subscriber_id, at, method,
                    agent_id, address, address_key, headers, label, label_version)
SELECT r.id, r.recipient_id, r.link_number, r.campaign_id, r.variant, r.subscriber_id, r.at,
       r.method, a.id, r.address, decode(r.address_key, 'hex'), r.headers, r.label, r.label_version
FROM {_ROWS} JOIN click_agents a ON a.agent = r.agent
ORDER BY r.id ON CONFLICT (id) DO NOTHING RETURNING id
"""  # noqa: S608 - constants of this module
# Who asked for many codes at about the time of some hits: usually nobody, so it is asked first.
_BUSY: Final = """
SELECT address_key FROM clicks
WHERE address_key = ANY(%(keys)s) AND at BETWEEN %(start)s AND %(end)s
GROUP BY address_key HAVING count(DISTINCT recipient_id) >= %(codes)s
"""
_OF_MACHINES: Final = """
SELECT address_key, id, recipient_id, at FROM clicks
WHERE address_key = ANY(%(keys)s) AND at BETWEEN %(start)s AND %(end)s
ORDER BY address_key, at, id
"""
_MARK: Final = """
UPDATE clicks SET label = %s WHERE id = ANY(%s) AND label = 'human' RETURNING id, campaign_id
"""
_AGAIN: Final = """
SELECT c.id, c.recipient_id, c.link_number, (extract(epoch FROM c.at) * 1000)::bigint, c.method,
       a.agent, c.address, encode(c.address_key, 'hex'), c.headers, c.label, c.at,
       coalesce(r.delivered_at, r.settled_at)
FROM clicks c JOIN click_agents a ON a.id = c.agent_id JOIN recipients r ON r.id = c.recipient_id
WHERE c.at >= %(start)s AND c.at < %(end)s AND c.id > %(after)s ORDER BY c.id LIMIT %(limit)s
"""
_RELABEL: Final = """
UPDATE clicks c SET label = v.label, label_version = %s
FROM unnest(%s::bigint[], %s::text[]) AS v (id, label) WHERE c.id = v.id
RETURNING c.campaign_id
"""


def origins(connection: Connection, recipients: Sequence[int]) -> dict[int, Origin]:
    """The messages behind codes, by recipient; those that are not there any more are left out."""
    rows = connection.execute(_ORIGINS, (list(recipients),))
    return {key: Origin(*rest) for key, *rest in rows}


def store(connection: Connection, judged: Sequence[Judged], version: str) -> list[int]:
    """Store hits with their labels; answers the ids that were not there before."""
    connection.execute(_AGENTS, ([each.hit.agent for each in judged],))
    rows = [_row(each, version) for each in judged]
    found = connection.execute(_INSERT, {"rows": json.dumps(rows)})
    return [key for (key,) in found]


def of_busy_machines(
    connection: Connection, judged: Sequence[Judged], codes: int, within: timedelta
) -> dict[bytes, list[Asked]]:
    """By machine, what those asked for that want ``codes`` different codes about the time of hits.

    In the order of time, and with all that lies ``within`` the same time of what might be marked.
    """
    keys = {bytes.fromhex(each.hit.address_key) for each in judged}
    times = [each.at for each in judged]
    start, end = min(times) - within, max(times) + within
    values = {"keys": list(keys), "start": start, "end": end, "codes": codes}
    busy = [key for (key,) in connection.execute(_BUSY, values)]
    found: dict[bytes, list[Asked]] = {}
    if busy:
        wider = {"keys": busy, "start": start - within, "end": end + within}
        for key, *asked in connection.execute(_OF_MACHINES, wider):
            found.setdefault(key, []).append(Asked(*asked))
    return found


def mark(connection: Connection, ids: Sequence[int], label: str) -> dict[int, int]:
    """Label hits that had counted as a person's; answers the campaign of each that changed."""
    return dict(connection.execute(_MARK, (label, list(ids))).fetchall())


def again(
    connection: Connection, start: datetime, end: datetime, after: int, limit: int
) -> list[tuple[LoggedHit, str, datetime, datetime | None]]:
    """Hits of a time that can still be judged: hit, label, time, when the text had reached.

    One page by id, from the one after ``after``.
    """
    values = {"start": start, "end": end, "after": after, "limit": limit}
    rows = connection.execute(_AGAIN, values)
    return [(LoggedHit(*row[:9]), *row[9:]) for row in rows]


def relabel(connection: Connection, labels: Mapping[int, str], version: str) -> set[int]:
    """Change labels of hits; answers the campaigns concerned."""
    values = (version, list(labels), list(labels.values()))
    return {key for (key,) in connection.execute(_RELABEL, values)}


def _row(judged: Judged, version: str) -> dict[str, Any]:
    hit, origin = judged.hit, judged.origin
    return {
        "id": hit.id,
        "recipient_id": hit.recipient_id,
        "link_number": hit.link_number,
        "campaign_id": origin.campaign_id,
        "variant": origin.variant,
        "subscriber_id": origin.subscriber_id,
        "at": judged.at.isoformat(),
        "method": hit.method,
        "agent": hit.agent,
        "address": hit.address,
        "address_key": hit.address_key,
        "headers": dict(hit.headers),
        "label": judged.label,
        "label_version": version,
    }
