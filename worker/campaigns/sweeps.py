"""What the ticker does for campaigns: finds rows of dead workers, and closes what is over."""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import Final

from storage import campaign_states, campaign_sweeps, optouts
from storage.database import Connection
from storage.transaction import atomic

# A batch lasts 2.5 s until the last call begins and 10 s until it ends; its outcomes are written
# for another 10 s. Whoever has not settled after this is dead, or will not send any more.
GIVE_UP_AFTER: Final = timedelta(seconds=60)
MOST_CRASHES: Final = 3
_MANY: Final = 5_000

_log = logging.getLogger(__name__)


def tidy(connection: Connection) -> int:
    """Close what is over; answers how many rows changed."""
    with atomic(connection):
        unknown = campaign_sweeps.give_up(connection, GIVE_UP_AFTER, _MANY)
        poisoned = campaign_sweeps.quarantine(connection, MOST_CRASHES, _MANY)
    with atomic(connection):
        canceled = campaign_sweeps.close_canceled(connection, _MANY)
        campaign_states.finish_done(connection)
    with atomic(connection):
        optouts.again(connection)
    if unknown:
        _log.warning(
            "%d texts of campaigns were left in mid-call: unknown, not sent again", unknown
        )
    if poisoned:
        _log.error("%d messages were refused: workers died with them", poisoned)
    return unknown + poisoned + canceled
