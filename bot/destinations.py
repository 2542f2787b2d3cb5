"""Where a link leads, from memory where it was asked before, else from one query.

Questions of the same instant share the query, on a connection of their own: a slow report cannot
make a redirect wait. What a program allows is read anew every half a minute; while PostgreSQL is
away, what was read last still holds.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, TypeVar

import psycopg

from bot.group import Group
from storage import links
from storage.database import BY_KEY, Connection, connect
from storage.links import CampaignLinks
from worker.texts.codes import Target
from worker.texts.hosts import may_redirect

FRESH_S: Final = 30.0
PATIENCE_S: Final = 3.0
PAUSE_S: Final = 0.1
_AWAY_S: Final = 2.0
_GROUP_LIMIT: Final = 256
_RECIPIENTS: Final = 50_000
_CAMPAIGNS: Final = 2_000


Kept = TypeVar("Kept")


class _Text(NamedTuple):
    """A recipient's text: its campaign, and when it was sent on this process's clock."""

    campaign_id: int
    sent: float


class _Campaign(NamedTuple):
    """A campaign's links that may be answered, how long they work, and when this was read."""

    destinations: dict[int, str]
    lifetime_s: float
    read: float


class Destinations:
    """Finds destinations. Thread-safe; make it in the process that uses it.

    ``clock`` gives seconds that only grow.
    """

    def __init__(self, database_url: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._url = database_url
        self._clock = clock
        self._connection: Connection | None = None
        self._failed = float("-inf")
        # Written by the leader of a group alone.
        self._texts: dict[int, _Text] = {}
        self._campaigns: dict[int, _Campaign] = {}
        self._group: Group[int, None] = Group(
            self._read, limit=_GROUP_LIMIT, shared=psycopg.OperationalError
        )

    def find(self, target: Target) -> str | None:
        """Where a link leads now; None for one that is unknown, expired or not allowed any more.

        Raises ``psycopg.OperationalError`` when it is not known and the database stays away.
        """
        now = self._clock()
        found = self._known(target)
        if found is None or self._stale(found[1], now):
            try:
                self._group.submit(target.recipient_id)
            except psycopg.OperationalError:
                if found is None:
                    raise
            else:
                found = self._known(target)
        if found is None:
            return None
        text, campaign = found
        if now - text.sent > campaign.lifetime_s:
            return None
        return campaign.destinations.get(target.link_number)

    def close(self) -> None:
        """Let the connection go."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _stale(self, campaign: _Campaign, now: float) -> bool:
        """Whether to ask again. Not while the database is away: somebody is waiting."""
        return now - campaign.read > FRESH_S and now - self._failed > _AWAY_S

    def _known(self, target: Target) -> tuple[_Text, _Campaign] | None:
        text = self._texts.get(target.recipient_id)
        campaign = self._campaigns.get(text.campaign_id) if text is not None else None
        return (text, campaign) if text is not None and campaign is not None else None

    def _read(self, recipient_ids: Sequence[int]) -> Sequence[None]:
        """One group. Only the leader of a group is ever in here."""
        deadline = self._clock() + PATIENCE_S
        while True:
            try:
                self._learn(recipient_ids)
            except psycopg.OperationalError:
                self.close()
                if self._clock() >= deadline:
                    self._failed = self._clock()
                    raise
                time.sleep(PAUSE_S)
            else:
                return [None] * len(recipient_ids)

    def _learn(self, recipient_ids: Sequence[int]) -> None:
        now = self._clock()
        fresh = [number for number, c in self._campaigns.items() if now - c.read <= FRESH_S / 2]
        found = links.resolve(self._connected(), recipient_ids, fresh)
        for number, campaign in found.campaigns.items():
            _keep(self._campaigns, number, _campaign(campaign, now), _CAMPAIGNS)
        for number in recipient_ids:
            if number in found.recipients:
                campaign_id, age = found.recipients[number]
                _keep(self._texts, number, _Text(campaign_id, now - age), _RECIPIENTS)
            else:
                self._texts.pop(number, None)

    def _connected(self) -> Connection:
        if self._connection is None or self._connection.closed:
            self._connection = connect(self._url, "links", planner=BY_KEY)
        return self._connection


def _campaign(read: CampaignLinks, now: float) -> _Campaign:
    allowed = {
        number: address
        for number, address in read.destinations.items()
        if may_redirect(address, read.hosts)
    }
    return _Campaign(allowed, read.lifetime_s, now)


def _keep(memory: dict[int, Kept], number: int, value: Kept, most: int) -> None:
    memory[number] = value
    if len(memory) > most:
        del memory[next(iter(memory))]
