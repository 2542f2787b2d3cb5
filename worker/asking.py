"""Ask those whose questions had to wait: by day, at the pace of the sender, one batch at a time.

The ticker calls this every two seconds, and the ticker that works is one, so the pace is kept in
its memory. A question that is asked becomes a message like any other; while messages wait too
long in the outbox nobody new is asked, so that questions do not grow old there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from keywords.acts import catch_up
from keywords.ledger import instant
from keywords.optin import Asked
from keywords.replies import Reply
from keywords.segments import count
from keywords.signals import Reading, Signal
from keywords.turn import ConsentChange, Text, Turn
from storage import outbox, paces, waiting
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.locking import lock
from storage.optins import CONFIRMATION, asked_before
from storage.outbox import Posting
from storage.shop import ShopCache
from storage.transaction import atomic
from storage.waiting import Queue
from worker.policy.asking import Step, next_step

BATCH: Final = 100
ROUNDS: Final = 20
# The outbox sends what is due within seconds; when it does not, something holds it up.
BACKLOG: Final = timedelta(seconds=30)
# A pace counts up for so many seconds at most: after an hour without work there is no volley.
BURST_S: Final = 4.0
# SMS segments of a question, until one was asked. A batch may go a little beyond the pace, which
# makes up for it afterwards.
USUAL_SIZE: Final = 2
_NO_TEXT: Final = Text("", "", "", "")
_ITS_TURN: Final = Reading(Signal.NOT_UNDERSTOOD, "clock")


class Asking:
    """One ticker's. ``clock`` counts seconds and never goes back."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._last = clock()
        self._left: dict[str, float] = {}
        self._size: dict[str, float] = {}

    def ask(self, connection: Connection, shops: ShopCache) -> int:
        """Ask as many as the pace allows since the last time; answers how many that were."""
        now = self._clock()
        elapsed, self._last = now - self._last, now
        held_up = outbox.waiting(connection)
        if held_up is not None and held_up > BACKLOG:
            return 0
        queues = waiting.queues(connection)
        for sender, rate in {queue.sender: queue.rate for queue in queues}.items():
            saved = self._left.get(sender, 0.0) + elapsed * rate
            self._left[sender] = min(saved, max(BURST_S * rate, 1.0))
        return sum(self._ask_all(connection, shops, queue) for queue in queues)

    def _ask_all(self, connection: Connection, shops: ShopCache, queue: Queue) -> int:
        total = 0
        for _ in range(ROUNDS):
            left = self._left[queue.sender]
            if left <= 0:
                break
            fitting = max(1, int(left / self._size.get(queue.program, USUAL_SIZE)))
            with atomic(connection):
                # Campaigns share the sender's pace, and theirs is the moment that cannot wait.
                room = paces.level(connection, queue.sender)
                if room is not None and room < 1:
                    break
                batch = _take(connection, shops, queue, min(BATCH, fitting))
                paces.spend(connection, queue.sender, batch.segments)
            self._left[queue.sender] -= batch.segments
            total += batch.asked
            if batch.asked:
                self._size[queue.program] = batch.segments / batch.asked
            if not batch.looked_at:
                break
        return total


@dataclass(slots=True)
class _Batch:
    """Some questions of one program, and what became of them."""

    looked_at: int
    asked: int = 0
    segments: int = 0
    gone: list[int] = field(default_factory=list)
    later: list[tuple[int, datetime]] = field(default_factory=list)


def _take(connection: Connection, shops: ShopCache, queue: Queue, limit: int) -> _Batch:
    questions = waiting.following(connection, queue.program, limit)
    batch = _Batch(len(questions), gone=[q.subscriber_id for q in questions if q.phone is None])
    phones = sorted(q.phone for q in questions if q.phone is not None)
    locked = lock(connection, phones)
    asked = asked_before(connection, locked.now, phones)
    shop = shops.at(connection, locked.catalogue_version)
    changes: list[tuple[str, ConsentChange]] = []
    for phone in phones:
        turn = Turn(_NO_TEXT, locked.people[phone], shop, None, _ITS_TURN, locked.now)
        posting = _decide(turn, queue.program, locked.ids[phone], asked.get(phone), batch)
        if posting is not None:
            outbox.post(connection, locked.now, posting)
        locked.people[phone] = turn.person
        changes += [(phone, change) for change in turn.changes]
    write_changes(connection, locked, changes)
    waiting.postpone(connection, queue.program, batch.later)
    waiting.remove(connection, queue.program, batch.gone)
    return batch


def _decide(
    turn: Turn, slug: str, number: int, asked: Asked | None, batch: _Batch
) -> Posting | None:
    """The question of one person, if its turn has come; what became of it goes into ``batch``."""
    catch_up(turn)
    following = next_step(turn.person, slug, asked or Asked(), turn.now)
    if following.step is Step.WAIT:
        batch.later.append((number, following.until))
        return None
    batch.gone.append(number)
    if following.step is Step.DROP:
        return None
    program = turn.shop.programs[slug]
    turn.tell(program, Signal.ASK)
    question, standing = turn.say(Reply.ASK_TO_CONFIRM, program), turn.person.standing(slug)
    assert standing.expires_at is not None
    batch.asked += 1
    batch.segments += count(question.body).segments
    return Posting(
        subscriber_id=number,
        sender=program.sender,
        kind=CONFIRMATION,
        spoken=question,
        dedupe_key=f"confirm:{number}:{slug}:{instant(turn.now)}",
        not_after=min(following.until, standing.expires_at),
    )
