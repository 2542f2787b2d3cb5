"""Planning a campaign: its recipients as rows, written once, a chunk at a time.

A chunk is one statement, from the audience's conditions to the rows: who gets which variant and
who is held out is computed on the way (``splitting``), and the codes of links need no row at all
(``worker.texts.codes``). Where the next chunk begins is read from the rows that are there, so a
planner that dies loses nothing, one that runs twice adds nothing, and there is no cursor to lose.

People who are paused are planned too: a pause may be over before the campaign goes, and if it is
not, their row says so.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg.rows import class_row

from storage.database import Connection
from storage.due_facts import Link
from storage.segments.saved import Audience
from storage.segments.sql import PEOPLE
from storage.splitting import Split, holdout_sql, variant_sql
from storage.tallies import ADD_SQL

CHUNK: Final = 50_000
LOCAL_CHUNK: Final = 5_000
# How many SMS segments a text is taken for when it is reckoned how long a campaign will take.
_SEGMENTS: Final = 2

# Where the last chunk ended. A value of its own, so that the planner knows how much is left; for
# both tables, or one of them would be read from its beginning.
_MARK: Final = """
SELECT coalesce(max(subscriber_id), 0) FROM recipients WHERE campaign_id = %s
"""
_AUDIENCE: Final = """
    FROM {people}
    WHERE s.id > %(mark)s AND t.subscriber_id > %(mark)s
      AND t.state IN ('subscribed', 'paused') AND {where}
    ORDER BY s.id LIMIT %(chunk)s
"""
_TOGETHER: Final = "SELECT s.id, t.method, %(not_before)s::timestamptz AS not_before" + _AUDIENCE
_EACH: Final = """
    SELECT v.id, t.method, v.not_before
    FROM unnest(%(ids)s::bigint[], %(moments)s::timestamptz[]) AS v (id, not_before)
    LEFT JOIN subscriptions t ON t.subscriber_id = v.id AND t.program = %(program)s
    ORDER BY v.id
"""
# As plain as it can be: a common table expression around it would cost a quarter more.
_PLAN: Final = """
INSERT INTO recipients (campaign_id, subscriber_id, variant, state, not_before, method)
SELECT %(campaign)s, id, {variant}, CASE WHEN {holdout} THEN 'holdout' ELSE 'planned' END,
       not_before, method
FROM ({audience}) AS audience
"""
_NOTE: Final = """
UPDATE campaigns SET planned = coalesce(planned, 0) + %s, updated_at = assent_now() WHERE id = %s
"""
# Rows of a chunk that is in the planner's own transaction still: nobody can have claimed one.
_COUNT: Final = f"""
WITH added AS (
    SELECT campaign_id, variant, coalesce(method, '') AS method, state, count(*) AS n
    FROM recipients WHERE campaign_id = %(campaign)s AND subscriber_id > %(mark)s
    GROUP BY campaign_id, variant, method, state
), counted AS (
    SELECT campaign_id, variant, method, NULL::timestamptz AS hour, what, '' AS why, n
    FROM added, LATERAL (VALUES ('plan'), (nullif(state, 'planned'))) AS w (what)
    WHERE what IS NOT NULL
), {ADD_SQL} SELECT
"""  # noqa: S608 - constants of this module
# Profiles are among the people that conditions are asked about.
_PAGE: Final = (
    "SELECT s.id, s.phone, p.zip, p.state, p.country, p.time_zone, p.place_source" + _AUDIENCE
)
_LOCK: Final = """
SELECT c.id, c.audience, c.program, c.sender, c.holdout, c.schedule, c.starts_at, c.local_at,
       c.planned, c.settings, c.launched_at,
       (SELECT count(*) FROM variants v WHERE v.campaign_id = c.id) AS variants
FROM campaigns c WHERE c.id = %s AND c.state = 'planning' FOR UPDATE OF c SKIP LOCKED
"""
_LINK: Final = """
INSERT INTO links (campaign_id, number, variant, destination) VALUES (%s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""
_FINISH: Final = """
UPDATE campaigns c SET state = 'scheduled', updated_at = assent_now(),
    planned = coalesce(c.planned, 0),
    starts_at = coalesce(
        (SELECT min(r.not_before) FROM recipients r
         WHERE r.campaign_id = c.id AND r.state = 'planned'), c.starts_at),
    grace = c.max_lateness + coalesce(c.planned, 0) * %s
            / (SELECT s.segments_per_second FROM senders s WHERE s.number = c.sender)
            * interval '1 second'
WHERE c.id = %s AND c.state = 'planning'
"""


@dataclass(frozen=True, slots=True)
class Unplanned:
    """A campaign that is being planned, locked until the transaction ends.

    ``starts_at`` is when it may begin to go; ``local_at`` a wall-clock time without a zone, for
    ``Schedule.LOCAL``; ``planned`` is None before the first chunk; ``variants`` how many texts
    it has. Bands of customers are those of ``launched_at``, whatever the chunk.
    """

    id: int
    audience: Mapping[str, Any]
    program: str
    sender: str
    holdout: float
    schedule: str
    starts_at: datetime
    local_at: str | None
    planned: int | None
    settings: Mapping[str, Any]
    launched_at: datetime | None
    variants: int


@dataclass(frozen=True, slots=True)
class Placed:
    """Somebody whose moment depends on where they are: the number, and what a profile says."""

    id: int
    phone: str
    zip: str | None
    state: str | None
    country: str | None
    time_zone: str | None
    place_source: str | None


def lock(connection: Connection, campaign_id: int) -> Unplanned | None:
    """The campaign, if it is to be planned and nobody else plans it; call inside a transaction."""
    with connection.cursor(row_factory=class_row(Unplanned)) as cursor:
        return cursor.execute(_LOCK, (campaign_id,)).fetchone()


def plan(
    connection: Connection,
    campaign: Unplanned,
    audience: Audience,
    split: Split,
    chunk: int = CHUNK,
) -> int:
    """Plan the next people of a campaign that goes to everybody at one moment; how many."""
    query = audience.query()
    values = _bounds(connection, campaign, query.parameters, chunk)
    values["not_before"] = campaign.starts_at
    together = _TOGETHER.format(people=PEOPLE, where=query.where)
    return _insert(connection, campaign, split, together, values)


def page(
    connection: Connection, campaign: Unplanned, audience: Audience, chunk: int = LOCAL_CHUNK
) -> list[Placed]:
    """The next people of a campaign that goes to each at a local time."""
    query = audience.query()
    values = _bounds(connection, campaign, query.parameters, chunk)
    statement = _PAGE.format(people=PEOPLE, where=query.where)
    with connection.cursor(row_factory=class_row(Placed)) as cursor:
        return cursor.execute(statement, values, prepare=False).fetchall()


def plan_each(
    connection: Connection,
    campaign: Unplanned,
    split: Split,
    moments: Sequence[tuple[int, datetime]],
) -> int:
    """Plan these people, each for a moment of their own; answers how many."""
    values = {
        **_bounds(connection, campaign, {"program": campaign.program}, len(moments)),
        "ids": [person for person, _ in moments],
        "moments": [moment for _, moment in moments],
    }
    return _insert(connection, campaign, split, _EACH, values)


def store_links(connection: Connection, campaign_id: int, links: Sequence[Link]) -> None:
    """Store where the links of a campaign's texts lead; what is there already stays."""
    for link in links:
        connection.execute(_LINK, (campaign_id, link.number, link.variant, link.destination))


def finish(connection: Connection, campaign_id: int) -> None:
    """Say that everybody is planned, and how long the campaign may take."""
    connection.execute(_FINISH, (_SEGMENTS, campaign_id))


def _bounds(
    connection: Connection, campaign: Unplanned, parameters: Mapping[str, Any], chunk: int
) -> dict[str, Any]:
    ((mark,),) = connection.execute(_MARK, (campaign.id,)).fetchall()
    return {**parameters, "mark": mark, "chunk": chunk}


def _insert(
    connection: Connection,
    campaign: Unplanned,
    split: Split,
    audience: str,
    values: Mapping[str, Any],
) -> int:
    statement = _PLAN.format(
        audience=audience, variant=variant_sql("id"), holdout=holdout_sql("id")
    )
    given = {**values, **split.parameters, "campaign": campaign.id}
    # Never prepared: what is left differs from chunk to chunk, and so does the best plan.
    added = connection.execute(statement, given, prepare=False).rowcount
    connection.execute(_NOTE, (added, campaign.id))
    if added:
        connection.execute(_COUNT, given)
    return added
