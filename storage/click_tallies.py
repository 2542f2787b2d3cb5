"""Counts of clicks, kept up by the same transaction that stores them, so that reports are quick."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class ClickTallyRow(Base):
    """Hits of one link of a variant in one hour: all, and those of people.

    ``clickers`` counts people whose first human click on the campaign fell into the row, so that
    the sum over a campaign is the number of different people.
    """

    __tablename__ = "click_tallies"
    __table_args__ = ({"postgresql_with": {"fillfactor": 50}},)

    campaign_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    variant: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    link_number: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    raw: Mapped[int]
    human: Mapped[int]
    clickers: Mapped[int]


class ClickerRow(Base):
    """A recipient who clicked as a person, and when first."""

    __tablename__ = "clickers"

    recipient_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    campaign_id: Mapped[int]
    first_at: Mapped[datetime]


_CLICKERS: Final = """
INSERT INTO clickers (recipient_id, campaign_id, first_at)
SELECT recipient_id, campaign_id, min(at) FROM clicks
WHERE id = ANY(%(ids)s) AND label = 'human' GROUP BY recipient_id, campaign_id
ON CONFLICT (recipient_id) DO NOTHING RETURNING recipient_id
"""
_TALLY: Final = """
INSERT INTO click_tallies AS t (campaign_id, variant, link_number, hour, raw, human, clickers)
SELECT campaign_id, variant, link_number, date_trunc('hour', at, 'UTC'), count(*),
       count(*) FILTER (WHERE label = 'human'),
       count(*) FILTER (WHERE first AND recipient_id = ANY(%(new)s))
FROM (SELECT c.*, c.label = 'human' AND row_number() OVER (
          PARTITION BY recipient_id, label = 'human' ORDER BY at, id) = 1 AS first
      FROM clicks c WHERE id = ANY(%(ids)s)) c
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
ON CONFLICT (campaign_id, variant, link_number, hour) DO UPDATE
SET raw = t.raw + excluded.raw, human = t.human + excluded.human,
    clickers = t.clickers + excluded.clickers
"""
_REBUILD: Final = (
    "DELETE FROM click_tallies WHERE campaign_id = ANY(%(campaigns)s)",
    "DELETE FROM clickers WHERE campaign_id = ANY(%(campaigns)s)",
    """
    INSERT INTO clickers (recipient_id, campaign_id, first_at)
    SELECT recipient_id, campaign_id, min(at) FROM clicks
    WHERE campaign_id = ANY(%(campaigns)s) AND label = 'human' GROUP BY 1, 2
    """,
    """
    INSERT INTO click_tallies (campaign_id, variant, link_number, hour, raw, human, clickers)
    SELECT campaign_id, variant, link_number, date_trunc('hour', at, 'UTC'), count(*),
           count(*) FILTER (WHERE label = 'human'), count(*) FILTER (WHERE first)
    FROM (SELECT c.*, c.label = 'human' AND row_number() OVER (
              PARTITION BY recipient_id, label = 'human' ORDER BY at, id) = 1 AS first
          FROM clicks c WHERE campaign_id = ANY(%(campaigns)s)) c
    GROUP BY 1, 2, 3, 4
    """,
)


def tally(connection: Connection, ids: Sequence[int]) -> None:
    """Count hits that have just been stored."""
    new = [key for (key,) in connection.execute(_CLICKERS, {"ids": list(ids)})]
    connection.execute(_TALLY, {"ids": list(ids), "new": new})


def rebuild(connection: Connection, campaigns: Sequence[int]) -> None:
    """Count all hits of campaigns anew, after labels have changed."""
    for statement in _REBUILD:
        connection.execute(statement, {"campaigns": list(campaigns)})
