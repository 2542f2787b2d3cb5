"""Send campaigns until nothing is due or the time is used up: what a wake-up runs.

Lanes work side by side, each on its own connection and one batch at a time: while one waits for
the carrier another one claims and checks. Each takes the campaigns in turn, so that they share a
sender, and the sender's bucket keeps all processes together to its pace.
"""

from __future__ import annotations

import logging
import time
from itertools import cycle, islice
from typing import Final

import psycopg

from storage import campaign_states, claiming, paces, switches
from storage.claiming import Claimant, DueCampaign
from storage.database import Connection
from storage.switches import Switch
from storage.transaction import atomic
from worker.campaigns.batch import Done, send_batch
from worker.campaigns.desk import Desk
from worker.campaigns.planning import plan_launched
from worker.campaigns.settling import give_back, persist_kept
from worker.runtime import Line

# Short, so that a worker which is told to stop has stopped in time (F21).
BUDGET_S: Final = 5.0
_SHORTEST_NAP_S, _LONGEST_NAP_S = 0.02, 0.5
# With less than this left to wait for, a lane does not look again.
_LAST_LOOK_S: Final = 0.05

_log = logging.getLogger(__name__)


def drain(desk: Desk, budget_s: float = BUDGET_S) -> int:
    """Plan what was launched, start what is due, and send; answers how many were claimed.

    Raises ``psycopg.OperationalError`` when the database is away.
    """
    until = time.monotonic() + budget_s
    line = desk.lines[0]
    epoch = desk.runtime.life.epoch(line.open())
    persist_kept(desk, line)
    give_back(desk, line)
    # On a connection whose planner is free: an audience may be anything.
    plan_launched(desk.runtime.connection(), desk.runtime.settings, until)
    with atomic(line.open()) as connection:
        campaign_states.start_due(connection)
    if epoch is None:
        return 0
    lanes = [
        desk.workers.submit(_lane, desk, each, number, epoch, until)
        for number, each in enumerate(desk.lines)
    ]
    errors = [error for lane in lanes if (error := lane.exception()) is not None]
    for error in errors:
        if isinstance(error, psycopg.OperationalError):
            raise error
        _log.error("a batch failed: %s", type(error).__name__)
    return sum(lane.result() for lane in lanes if lane.exception() is None)


def _lane(desk: Desk, line: Line, number: int, epoch: int, until: float) -> int:
    """Batch after batch, the campaigns in turn; answers how many messages were claimed."""
    total = 0
    while not desk.stopping:
        due = claiming.due_campaigns(line.open())
        claimant = _claimant(line.open(), epoch)
        if not due or claimant is None:
            break
        open_paces(desk, line.open(), due)
        claimed, nap = 0, _LONGEST_NAP_S
        for campaign in islice(cycle(due), number % len(due), number % len(due) + len(due)):
            done = _one(desk, line, campaign, claimant)
            claimed += done.claimed
            nap = min(nap, _nap(desk, campaign, done))
        total += claimed
        if time.monotonic() >= until or not (claimed or _wait(nap, until)):
            break
    return total


def _one(desk: Desk, line: Line, campaign: DueCampaign, claimant: Claimant) -> Done:
    """A batch; when there is none left, one message that a worker died with."""
    done = send_batch(desk, line, campaign, claimant)
    if done.claimed or claimant.probing:
        return done
    return send_batch(desk, line, campaign, Claimant(claimant.epoch, suspect=True))


def _claimant(connection: Connection, epoch: int) -> Claimant | None:
    """Who claims; None while the breaker is open and it is not our turn to probe."""
    if Switch.BREAKER not in switches.thrown(connection):
        return Claimant(epoch)
    with atomic(connection):
        probing = switches.may_probe(connection)
    return Claimant(epoch, probing=True) if probing else None


def _nap(desk: Desk, campaign: DueCampaign, done: Done) -> float:
    """How long until the sender has room for one text, as far as we know."""
    needed = 1.0 - done.level
    return needed / desk.rates.get(campaign.sender, 1.0) if needed > 0 else _LONGEST_NAP_S


def _wait(nap: float, until: float) -> bool:
    """Sleep until the sender may go on; false when the time is over by then."""
    nap = min(max(nap, _SHORTEST_NAP_S), _LONGEST_NAP_S)
    if time.monotonic() + nap > until - _LAST_LOOK_S:
        return False
    time.sleep(nap)
    return True


def open_paces(desk: Desk, connection: Connection, due: list[DueCampaign]) -> None:
    """Give each sender its bucket, and learn how fast it fills."""
    unknown = sorted({campaign.sender for campaign in due} - desk.rates.keys())
    if unknown:
        with atomic(connection):
            desk.rates |= paces.open_paces(connection, unknown)
