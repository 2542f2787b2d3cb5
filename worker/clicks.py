"""From the log of hits to clicks that are judged, counted, and known to the orders they led to."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import psycopg.errors

from storage import click_tallies, clicks
from storage.click_log import ClickLogReader, LoggedHit
from storage.clicks import Judged, Origin
from storage.database import Connection
from storage.transaction import atomic
from storage.webhooks import Event
from worker import crediting
from worker.policy import click_ids
from worker.policy.hits import (
    HUMAN,
    MANY_CODES,
    MANY_CODES_LABEL,
    MANY_CODES_WITHIN,
    VERSION,
    Hit,
    classify,
    crowded,
)
from worker.webhooks.feeding import tell

_PAGE: Final = 2_000

_log = logging.getLogger(__name__)


class ClickDrain:
    """Drains the logs of one machine. One for each ticker, whether or not it leads."""

    def __init__(self, home: Path) -> None:
        self._reader = ClickLogReader(home)
        self._page = _PAGE

    def run(self, connection: Connection) -> int:
        """Store what is new; answers how many clicks that were.

        A page that takes the database too long is left for another time, and is then a smaller
        one: what else the ticker does must not wait for it. Raises ``psycopg.OperationalError``
        when the database is away. In both cases the log keeps what was not stored.
        """
        total = 0
        try:
            for hits in self._reader.batches():
                for start in range(0, len(hits), self._page):
                    with atomic(connection):
                        total += store(connection, hits[start : start + self._page])
        except psycopg.errors.QueryCanceled:
            self._page = max(1, self._page // 4)
            _log.warning("clicks were not stored in time", extra={"count": self._page})
        else:
            self._page = _PAGE
        return total


def store(connection: Connection, hits: Sequence[LoggedHit]) -> int:
    """Judge hits and store them, each once; answers how many were new."""
    origins = clicks.origins(connection, sorted({hit.recipient_id for hit in hits}))
    judged = [_judged(hit, origins) for hit in hits if hit.recipient_id in origins]
    if not judged:
        return 0
    new = clicks.store(connection, judged, VERSION)
    recounted = _mark_many_codes(connection, judged)
    if recounted:
        click_tallies.rebuild(connection, sorted(recounted))
    fresh = set(new)
    counted = [
        each.hit.id
        for each in judged
        if each.hit.id in fresh and each.origin.campaign_id not in recounted
    ]
    if counted:
        click_tallies.tally(connection, counted)
    crediting.after_clicks(connection, new)
    tell(connection, Event.CLICK, [_told(each) for each in judged if each.hit.id in fresh])
    return len(new)


def _mark_many_codes(connection: Connection, judged: Sequence[Judged]) -> set[int]:
    """Label the hits of machines behind many codes, whenever the last of them becomes known.

    Answers the campaigns of hits that had been stored, and counted as a person's, before.
    """
    busy = clicks.of_busy_machines(connection, judged, MANY_CODES, MANY_CODES_WITHIN)
    found = [
        asked.id
        for hits in busy.values()
        for asked, many in zip(hits, crowded([(h.at, h.recipient_id) for h in hits]), strict=True)
        if many
    ]
    if not found:
        return set()
    marked = clicks.mark(connection, found, MANY_CODES_LABEL)
    now = {each.hit.id for each in judged}
    return {campaign for key, campaign in marked.items() if key not in now}


def _told(judged: Judged) -> tuple[int, datetime, dict[str, Any]]:
    """A hit as a shop's own system is told of it."""
    hit, origin = judged.hit, judged.origin
    data = {
        "click_id": click_ids.write(hit.id),
        "campaign_id": origin.campaign_id,
        "recipient_id": hit.recipient_id,
        "link_number": hit.link_number,
        "human": judged.label == HUMAN,
        "label": judged.label,
        "label_version": VERSION,
    }
    return origin.subscriber_id, judged.at, data


def reclassify(connection: Connection, start: datetime, end: datetime) -> dict[str, int]:
    """Judge the clicks of a time by today's rules; answers how many got which new label.

    Only clicks whose agent is still kept can be judged again; the others keep their label.
    """
    moved: dict[str, int] = {}
    campaigns: set[int] = set()
    after = -1
    while page := clicks.again(connection, start, end, after, _PAGE):
        after = page[-1][0].id
        labels = {}
        for hit, label, at, reached_at in page:
            # Which codes one machine asked for is found across hits, and stays as it was found.
            now = label if label == MANY_CODES_LABEL else _label(hit, at, reached_at)
            if now != label:
                labels[hit.id] = now
                moved[now] = moved.get(now, 0) + 1
        if labels:
            campaigns |= clicks.relabel(connection, labels, VERSION)
    if campaigns:
        click_tallies.rebuild(connection, sorted(campaigns))
    return moved


def _judged(hit: LoggedHit, origins: Mapping[int, Origin]) -> Judged:
    origin = origins[hit.recipient_id]
    at = datetime.fromtimestamp(hit.at_ms / 1000, UTC)
    return Judged(hit, at, origin, _label(hit, at, origin.reached_at))


def _label(hit: LoggedHit, at: datetime, reached_at: datetime | None) -> str:
    return classify(Hit(hit.method, hit.agent, at, hit.headers, reached_at))
