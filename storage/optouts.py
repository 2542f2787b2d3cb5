"""Opt-outs soon after a text: each is one message's, and counted with the opt-out itself.

An opt-out belongs to the last accepted text of the programs that the person left, if that was
handed over at most a day before. A text that was in mid-call, or whose outcome nobody knew, when
the person withdrew may turn out to be accepted later: such opt-outs stay ``open`` and are looked at
again until that is known.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ARRAY, Index, SmallInteger, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from keywords.consent import Change
from keywords.turn import ConsentChange
from storage.base import Base
from storage.database import Connection
from storage.rowsets import Rowset
from storage.tallies import ADD_SQL

WITHIN: Final = timedelta(hours=24)


class OptoutRow(Base):
    """One moment at which a person left ``programs``, and the message that it counts for.

    Only those with such a message, or one that may become it, are here. One message has one
    opt-out: whoever leaves, comes back and leaves again within a day is one person.
    """

    __tablename__ = "optouts"
    __table_args__ = (
        Index(
            "uq_optouts_recipient_id",
            "recipient_id",
            unique=True,
            postgresql_where=text("recipient_id IS NOT NULL"),
        ),
        Index("ix_optouts_open", "at", postgresql_where=text("open")),
    )

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    at: Mapped[datetime] = mapped_column(primary_key=True)
    programs: Mapped[list[str]] = mapped_column(ARRAY(Text))
    recipient_id: Mapped[int | None]
    campaign_id: Mapped[int | None]
    variant: Mapped[int | None] = mapped_column(SmallInteger)
    method: Mapped[str | None]
    hour: Mapped[datetime | None]
    open: Mapped[bool]


_WITHIN: Final = f"interval '{WITHIN.total_seconds():.0f} seconds'"
# The texts that may have led to the moments ``v``, the last one first.
_TEXTS: Final = f"""
    SELECT r.id, r.campaign_id, r.variant, coalesce(r.method, '') AS method,
           date_trunc('hour', r.claimed_at, 'UTC') AS hour, r.state, r.claimed_at
    FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
    WHERE r.subscriber_id = v.subscriber_id AND c.program = ANY(v.programs)
      AND r.claimed_at <= v.at AND r.claimed_at > v.at - {_WITHIN}
"""  # noqa: S608 - constants of this module
# A message that has its opt-out keeps that one.
_JUDGED: Final = f"""
    SELECT v.subscriber_id, v.at, v.programs, t.id AS recipient_id, t.campaign_id, t.variant,
           t.method, t.hour,
           EXISTS (SELECT FROM ({_TEXTS}) o WHERE o.state IN ('sending', 'unknown')
                   AND (t.claimed_at IS NULL OR o.claimed_at > t.claimed_at)
                   AND v.at > assent_now() - {_WITHIN}) AS open
    FROM v LEFT JOIN LATERAL (
        SELECT * FROM (SELECT * FROM ({_TEXTS}) s WHERE s.state = 'accepted'
                       ORDER BY s.claimed_at DESC, s.id DESC LIMIT 1) last
        WHERE NOT EXISTS (SELECT FROM optouts x WHERE x.recipient_id = last.id
                          AND x.at <> v.at)) t ON true
"""  # noqa: S608 - constants of this module
MOMENTS: Final = Rowset(
    "optouts",
    {"subscriber_id": "bigint", "at": "timestamptz", "programs": "text[]"},
    statement="SELECT * FROM {rows}",
)
# What follows from moments that are called ``v`` in a statement: the messages they count for.
THEN: Final = f"""
, judged AS MATERIALIZED ({_JUDGED}), kept AS (
    INSERT INTO optouts AS o (subscriber_id, at, programs, recipient_id, campaign_id, variant,
                              method, hour, open)
    SELECT j.* FROM judged j WHERE j.recipient_id IS NOT NULL OR j.open
    ORDER BY j.subscriber_id, j.at ON CONFLICT DO NOTHING
    RETURNING o.campaign_id, o.variant, o.method, o.hour
), counted AS (
    SELECT campaign_id, variant, method, hour, 'optout' AS what, '' AS why, 1 AS n
    FROM kept WHERE campaign_id IS NOT NULL
), {ADD_SQL}
"""  # noqa: S608
# One moment of each person at a time, so that two of them cannot both take one message.
_AGAIN: Final = f"""
WITH v AS MATERIALIZED (
    SELECT o.subscriber_id, o.at, o.programs FROM optouts o WHERE o.open AND NOT EXISTS (
        SELECT FROM optouts e WHERE e.subscriber_id = o.subscriber_id AND e.open AND e.at < o.at)
    ORDER BY o.at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
), judged AS MATERIALIZED ({_JUDGED}), moved AS (
    SELECT j.*, o.campaign_id AS old_campaign, o.variant AS old_variant, o.method AS old_method,
           o.hour AS old_hour
    FROM judged j JOIN optouts o USING (subscriber_id, at)
    WHERE j.recipient_id IS DISTINCT FROM o.recipient_id
), changed AS (
    UPDATE optouts o SET (recipient_id, campaign_id, variant, method, hour)
        = (m.recipient_id, m.campaign_id, m.variant, m.method, m.hour)
    FROM moved m WHERE o.subscriber_id = m.subscriber_id AND o.at = m.at
), counted AS (
    SELECT campaign_id, variant, method, hour, 'optout' AS what, '' AS why, 1 AS n
    FROM moved WHERE campaign_id IS NOT NULL
    UNION ALL
    SELECT old_campaign, old_variant, old_method, old_hour, 'optout', '', -1
    FROM moved WHERE old_campaign IS NOT NULL
), {ADD_SQL}
SELECT subscriber_id, at, open FROM judged
"""  # noqa: S608
_CLOSE: Final = """
UPDATE optouts o SET open = false FROM unnest(%s::bigint[], %s::timestamptz[]) AS v (id, at)
WHERE o.subscriber_id = v.id AND o.at = v.at
"""


def rows(
    changes: Sequence[tuple[str, ConsentChange]], ids: Mapping[str, int]
) -> Iterator[dict[str, Any]]:
    """The rows of :data:`MOMENTS`: when people left programs, one for each person and moment."""
    left: dict[tuple[str, datetime], list[str]] = {}
    for phone, change in changes:
        entry = change.entry
        if entry.change is Change.OPTOUT and entry.program is not None:
            left.setdefault((phone, entry.occurred_at), []).append(entry.program)
    for (phone, at), programs in sorted(left.items()):
        yield {"subscriber_id": ids[phone], "at": at, "programs": programs}


def again(connection: Connection, limit: int = 500) -> int:
    """Judge open opt-outs again, in a transaction; answers how many are settled now."""
    judged = connection.execute(_AGAIN, {"limit": limit}).fetchall()
    closed = [(person, at) for person, at, still_open in judged if not still_open]
    if closed:
        connection.execute(_CLOSE, ([p for p, _ in closed], [at for _, at in closed]))
    return len(closed)
