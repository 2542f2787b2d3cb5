"""Apply the carrier's status reports to their messages, and draw what follows from them.

A report settles a message that was in mid-call or unknown, moves its delivery forward, and may say
something about the number (which is then marked, by the rules of ``carrier_errors``) or about
consent (21610, which is recorded like a refusal of the call itself).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from storage import delivery, delivery_applying
from storage.database import Connection
from storage.delivery import ARRIVED
from storage.delivery_applying import Known, Strikes
from storage.shop import ShopCache
from storage.transaction import atomic
from worker.consequences import Refusal, withdraw
from worker.errors import CarrierError, ErrorClass, Reachability, judge

PAGE: Final = 1_000
_PAGES: Final = 20

_log = logging.getLogger(__name__)


class Reports:
    """Applies reports, each once as long as this lives; after a restart some once more."""

    def __init__(self) -> None:
        # Those beyond the mark in the database, which stays behind what may still turn up.
        self._applied: set[int] = set()

    def apply(self, connection: Connection, shops: ShopCache) -> int:
        """Apply what has been reported since the last time; answers how many reports.

        Those about a message that is in mid-call are left for the next time.
        """
        total = 0
        left: frozenset[int] = frozenset()
        for _ in range(_PAGES):
            with atomic(connection):
                reports = delivery.unread(connection, self._applied | left, PAGE)
                if not reports:
                    break
                left |= delivery_applying.held(connection, reports)
                free = [report for report in reports if report.seq not in left]
                _conclude(connection, shops, delivery_applying.apply(connection, free))
                last = min(left, default=reports[-1].seq + 1) - 1
                mark = delivery.advance(connection, last)
            self._applied |= {report.seq for report in free}
            self._applied = {seq for seq in self._applied if seq > mark}
            total += len(free)
        return total


def _conclude(connection: Connection, shops: ShopCache, known: Sequence[Known]) -> None:
    """What the reports say of numbers and of consent. Messages are locked, people come after."""
    arrived = [each.subscriber_id for each in known if each.status in ARRIVED]
    delivery_applying.works(connection, arrived)
    failures = [
        (each, judge(int(each.code or 0))) for each in known if delivery_applying.failed(each)
    ]
    doubtful = [each for each, error in failures if error.number is not None]
    strikes = delivery_applying.strike(connection, doubtful)
    found = {}
    for each, error in failures:
        reachability = _reachability(each, error, strikes)
        if reachability is not None:
            found[each.subscriber_id] = str(reachability)
    delivery_applying.mark(connection, found)
    stopped = [(_refusal(e), error) for e, error in failures if error.kind is ErrorClass.CONSENT]
    for refusal, error in sorted(stopped, key=lambda each: each[0].phone):
        withdraw(connection, shops, refusal, error)
    if stopped:
        _log.warning("%d people have unsubscribed at the carrier", len(stopped))


def _reachability(
    known: Known, error: CarrierError, strikes: dict[tuple[int, int], Strikes]
) -> Reachability | None:
    """What a failure says of a number, with those before it."""
    so_far = strikes.get((known.subscriber_id, error.code))
    if error.number is not Reachability.DOUBTFUL or so_far is None or not error.strikes:
        return error.number
    out = so_far.count >= error.strikes and so_far.over >= error.over
    return Reachability.UNREACHABLE if out else error.number


def _refusal(known: Known) -> Refusal:
    return Refusal(
        known.subscriber_id,
        known.phone,
        known.sender,
        known.program,
        message=known.message,
        attempt=known.attempt,
    )
