"""Plan what was launched: chunk by chunk, each in a transaction of its own.

A chunk holds the campaign's row, so two processes never plan the same one, and pausing or
canceling takes effect between two chunks.
"""

from __future__ import annotations

import time
from typing import Final

from storage import planning
from storage.database import Connection
from storage.planning import Unplanned
from storage.segments.saved import Audience
from storage.segments.saved import audience as stored_audience
from storage.splitting import split
from storage.transaction import atomic

_LAUNCHED: Final = "SELECT id FROM campaigns WHERE state = 'planning' ORDER BY launched_at, id"


def plan_launched(connection: Connection, secret: str, until: float) -> int:
    """Plan campaigns that were launched; answers how many rows were added.

    ``secret`` is SECRET_KEY. Stops at ``until`` (by ``time.monotonic``), to go on the next time.
    """
    launched = [number for (number,) in connection.execute(_LAUNCHED).fetchall()]
    total = 0
    for number in launched:
        while time.monotonic() < until:
            added = plan_chunk(connection, secret, number)
            if added is None:
                break
            total += added
    return total


def plan_chunk(
    connection: Connection, secret: str, campaign_id: int, size: int = planning.CHUNK
) -> int | None:
    """Plan the next people of one campaign, committed; None when there is nothing left to plan."""
    with atomic(connection):
        campaign = planning.lock(connection, campaign_id)
        if campaign is None:
            return None
        audience = audience_of(campaign)
        divided = split(secret, campaign.id, campaign.variants, campaign.holdout)
        chunk = planning.plan(connection, campaign, audience, divided, size)
        if not chunk.people:
            planning.finish(connection, campaign.id)
            return None
        return chunk.added


def audience_of(campaign: Unplanned) -> Audience:
    """Whom a campaign is for: its conditions, or everybody in its program."""
    return stored_audience(campaign.audience) if campaign.audience else Audience(campaign.program)
