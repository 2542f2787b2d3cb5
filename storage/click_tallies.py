"""Counts of clicks, kept up by the same transaction that stores them, so that reports are quick.

Clicks of several machines' logs come in any order, so who clicked first is looked at again with
every click that is earlier than those that were known.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Index, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class ClickTallyRow(Base):
    """Hits of one link of a variant by people who had joined in one way: all, and those of people.

    ``clickers`` counts people whose first human click on the campaign was on this link, so that
    the sum over a campaign is the number of different people; ``link_clickers`` all different
    people who clicked this link.
    """

    __tablename__ = "click_tallies"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    variant: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    link_number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    method: Mapped[str] = mapped_column(primary_key=True)
    raw: Mapped[int]
    human: Mapped[int]
    clickers: Mapped[int]
    link_clickers: Mapped[int]


class ClickHourRow(Base):
    """Hits of a campaign in one hour; ``clickers`` are people whose first human click fell in."""

    __tablename__ = "click_hours"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    raw: Mapped[int]
    human: Mapped[int]
    clickers: Mapped[int]


class ClickerRow(Base):
    """A recipient who clicked as a person: when first, where, and so long after the text came.

    ``click_id`` is that first click.
    """

    __tablename__ = "clickers"
    __table_args__ = (Index("ix_clickers_campaign", "campaign_id", "seconds"),)

    recipient_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campaign_id: Mapped[int]
    first_at: Mapped[datetime]
    click_id: Mapped[int]
    variant: Mapped[int] = mapped_column(SmallInteger)
    link_number: Mapped[int] = mapped_column(SmallInteger)
    method: Mapped[str]
    seconds: Mapped[int | None]


class LinkClickerRow(Base):
    """A recipient who clicked one link as a person."""

    __tablename__ = "link_clickers"

    recipient_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    link_number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    campaign_id: Mapped[int]


# Whoever adds hits may do so beside others, but not beside somebody who counts all of them: hits
# whose transaction is open are in neither count, or in both.
_ADDING: Final = "SELECT pg_advisory_xact_lock_shared(hashtextextended('click tallies', 17))"
_ANEW: Final = "SELECT pg_advisory_xact_lock(hashtextextended('click tallies', 17))"
# The first human clicks among those that ``{where}`` chooses, with what is known of their texts.
_FIRST: Final = """
    SELECT DISTINCT ON (c.recipient_id) c.recipient_id, c.campaign_id, c.at AS first_at,
           c.id AS click_id, c.variant, c.link_number, coalesce(r.method, '') AS method,
           greatest(extract(epoch FROM c.at - coalesce(r.delivered_at, r.settled_at)), 0)::bigint
               AS seconds
    FROM clicks c JOIN recipients r ON r.id = c.recipient_id
    WHERE {where} AND c.label = 'human' ORDER BY c.recipient_id, c.at, c.id
"""
_PEOPLE: Final = """
    SELECT DISTINCT c.recipient_id, c.link_number, c.campaign_id, c.variant
    FROM clicks c WHERE {where} AND c.label = 'human'
"""
_HITS: Final = """
    SELECT c.campaign_id, c.variant, c.link_number, coalesce(r.method, '') AS method,
           date_trunc('hour', c.at, 'UTC') AS hour, 1 AS raw, (c.label = 'human')::int AS human
    FROM clicks c JOIN recipients r ON r.id = c.recipient_id WHERE {where}
"""
# Rows of the WITH queries hits, moved (clickers that came, or went with -1) and linked.
_ADD: Final = """
moves AS (
    SELECT *, 0 AS clickers, 0 AS link_clickers FROM hits
    UNION ALL
    SELECT campaign_id, variant, link_number, method, hour, 0, 0, n, 0 FROM moved
    UNION ALL
    SELECT l.campaign_id, l.variant, l.link_number, coalesce(r.method, ''), NULL, 0, 0, 0, 1
    FROM linked l JOIN recipients r ON r.id = l.recipient_id
), by_link AS (
    INSERT INTO click_tallies AS t (campaign_id, variant, link_number, method, raw, human, clickers,
                                    link_clickers)
    SELECT campaign_id, variant, link_number, method, sum(raw), sum(human), sum(clickers),
           sum(link_clickers)
    FROM moves GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
    ON CONFLICT (campaign_id, variant, link_number, method) DO UPDATE
    SET raw = t.raw + excluded.raw, human = t.human + excluded.human,
        clickers = t.clickers + excluded.clickers,
        link_clickers = t.link_clickers + excluded.link_clickers
)
INSERT INTO click_hours AS t (campaign_id, hour, raw, human, clickers)
SELECT campaign_id, hour, sum(raw), sum(human), sum(clickers) FROM moves
WHERE hour IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2
ON CONFLICT (campaign_id, hour) DO UPDATE
SET raw = t.raw + excluded.raw, human = t.human + excluded.human,
    clickers = t.clickers + excluded.clickers
"""
_NEW: Final = "c.id = ANY(%(ids)s)"
_ALL: Final = "c.campaign_id = ANY(%(campaigns)s)"
_TALLY: Final = f"""
WITH first AS MATERIALIZED ({_FIRST.format(where=_NEW)}), kept AS (
    INSERT INTO clickers AS k (recipient_id, campaign_id, first_at, click_id, variant, link_number,
                               method, seconds)
    SELECT * FROM first ORDER BY recipient_id
    ON CONFLICT (recipient_id) DO UPDATE SET (first_at, click_id, link_number, method, seconds)
        = (excluded.first_at, excluded.click_id, excluded.link_number, excluded.method,
           excluded.seconds)
    WHERE (excluded.first_at, excluded.click_id) < (k.first_at, k.click_id)
    RETURNING new.campaign_id, new.variant, new.link_number, new.method, new.first_at,
              old.link_number AS old_link, old.method AS old_method, old.first_at AS old_first
), moved AS (
    SELECT campaign_id, variant, link_number, method, date_trunc('hour', first_at, 'UTC') AS hour,
           1 AS n FROM kept
    UNION ALL
    SELECT campaign_id, variant, old_link, old_method, date_trunc('hour', old_first, 'UTC'), -1
    FROM kept WHERE old_first IS NOT NULL
), linked AS (
    INSERT INTO link_clickers AS l (recipient_id, link_number, campaign_id)
    SELECT recipient_id, link_number, campaign_id FROM ({_PEOPLE.format(where=_NEW)}) p
    ORDER BY 1, 2 ON CONFLICT DO NOTHING
    RETURNING l.recipient_id, l.link_number, l.campaign_id,
        (SELECT f.variant FROM first f WHERE f.recipient_id = l.recipient_id) AS variant
), hits AS ({_HITS.format(where=_NEW)}), {_ADD}
"""  # noqa: S608 - constants of this module
_REBUILD: Final = (
    *(
        f"DELETE FROM {table} WHERE campaign_id = ANY(%(campaigns)s)"  # noqa: S608
        for table in ("click_tallies", "click_hours", "clickers", "link_clickers")
    ),
    f"""
    WITH kept AS (
        INSERT INTO clickers AS k (recipient_id, campaign_id, first_at, click_id, variant,
                                   link_number, method, seconds)
        {_FIRST.format(where=_ALL)} RETURNING k.*
    ), moved AS (
        SELECT campaign_id, variant, link_number, method,
               date_trunc('hour', first_at, 'UTC') AS hour, 1 AS n FROM kept
    ), linked AS MATERIALIZED ({_PEOPLE.format(where=_ALL)}), remembered AS (
        INSERT INTO link_clickers (recipient_id, link_number, campaign_id)
        SELECT recipient_id, link_number, campaign_id FROM linked
    ), hits AS ({_HITS.format(where=_ALL)}), {_ADD}
    """,  # noqa: S608
)


def tally(connection: Connection, ids: Sequence[int]) -> None:
    """Count hits that have just been stored."""
    connection.execute(_ADDING)
    connection.execute(_TALLY, {"ids": list(ids)})


def rebuild(connection: Connection, campaigns: Sequence[int]) -> None:
    """Count all hits of campaigns anew, after labels have changed."""
    connection.execute(_ANEW)
    for statement in _REBUILD:
        connection.execute(statement, {"campaigns": list(campaigns)})
