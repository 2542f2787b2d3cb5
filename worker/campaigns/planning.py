"""Plan what was launched: chunk by chunk, each in a transaction of its own.

A chunk holds the campaign's row, so two processes never plan the same one, and pausing or
canceling takes effect between two chunks. The first chunk also stores where the links of the texts
lead, numbered through all variants.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from storage import campaign_states, due_facts, planning
from storage.campaigns import Schedule
from storage.database import Connection
from storage.planning import Placed, Unplanned
from storage.segments.saved import Audience
from storage.segments.saved import audience as stored_audience
from storage.settings import Settings
from storage.shop import load_shop
from storage.splitting import Split, split
from storage.transaction import atomic
from worker.campaigns.texts import compile_all, link_rows
from worker.policy.places import Evidence, locate
from worker.policy.windows import at_local
from worker.texts.links import link_prefix

BROKEN_TEXT: Final = "text.broken"
_LAUNCHED: Final = "SELECT id FROM campaigns WHERE state = 'planning' ORDER BY launched_at, id"


def plan_launched(connection: Connection, settings: Settings, until: float) -> int:
    """Plan campaigns that were launched; answers how many rows were added.

    Stops at ``until`` (by ``time.monotonic``), to go on the next time.
    """
    launched = [number for (number,) in connection.execute(_LAUNCHED).fetchall()]
    total = 0
    for number in launched:
        while time.monotonic() < until:
            added = plan_chunk(connection, settings, number)
            if added is None:
                break
            total += added
    return total


def plan_chunk(
    connection: Connection, settings: Settings, campaign_id: int, size: int | None = None
) -> int | None:
    """Plan the next people of one campaign, committed; None when there is nothing left to plan.

    ``size`` is how many; by default what is good for the campaign's schedule.
    """
    with atomic(connection):
        campaign = planning.lock(connection, campaign_id)
        if campaign is None:
            return None
        if campaign.planned is None and not _store_links(connection, settings, campaign):
            campaign_states.pause(connection, campaign.id, BROKEN_TEXT)
            return None
        divided = split(settings.secret_key, campaign.id, campaign.variants, campaign.holdout)
        added = _chunk(connection, campaign, divided, size)
        if not added:
            planning.finish(connection, campaign.id)
            return None
        return added


def audience_of(campaign: Unplanned) -> Audience:
    """Whom a campaign is for: its conditions as of its launch, or everybody in its program."""
    if not campaign.audience:
        return Audience(campaign.program)
    return replace(stored_audience(campaign.audience), as_of=campaign.launched_at)


def _chunk(connection: Connection, campaign: Unplanned, divided: Split, size: int | None) -> int:
    audience = audience_of(campaign)
    if campaign.schedule != Schedule.LOCAL:
        return planning.plan(connection, campaign, audience, divided, size or planning.CHUNK)
    assert campaign.local_at is not None
    at = datetime.fromisoformat(campaign.local_at)
    page = planning.page(connection, campaign, audience, size or planning.LOCAL_CHUNK)
    return planning.plan_each(connection, campaign, divided, _moments(page, at))


def _moments(page: Sequence[Placed], at: datetime) -> list[tuple[int, datetime]]:
    """When it is that wall-clock time where each person is; the last of several places counts."""
    minute = at.hour * 60 + at.minute
    found = []
    for each in page:
        evidence = Evidence(each.phone, each.time_zone, each.zip, each.state, each.country)
        found.append((each.id, at_local(locate(evidence), at.date(), minute)))
    return found


def _store_links(connection: Connection, settings: Settings, campaign: Unplanned) -> bool:
    """Store where the links lead; false when one of the texts cannot be sent at all."""
    program = load_shop(connection).programs[campaign.program]
    sources = due_facts.variants(connection, campaign.id)
    prefix = link_prefix(settings.link_base_url, settings.public_base_url)
    compiled = compile_all(sources, program, prefix)
    if any(text.plan is None for text in compiled.values()):
        return False
    planning.store_links(connection, campaign.id, link_rows(compiled))
    return True
