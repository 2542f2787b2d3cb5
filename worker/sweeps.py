"""What the clock does to consent and to messages: found by a query, decided under a lock.

Nothing is decided here. Each person found is locked, and the consent machine is told what the
clock says (EXPIRE, REMIND, PAUSE_ENDED), with the database's time after the lock was granted.
Entries look like those of a text, with the method ``system`` and no text as evidence.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Final, TypeAlias

import psycopg

from keywords.acts import catch_up
from keywords.ledger import instant
from keywords.shop import Program
from keywords.signals import Reading, Signal
from keywords.turn import ConsentChange, Text, Turn
from storage import coupon_pools, forms, hygiene, outbox, sweeps
from storage.conversation_writes import LATER_WITHIN, write_changes
from storage.database import Connection
from storage.locking import lock
from storage.outbox import Posting
from storage.shop import ShopCache
from storage.transaction import atomic
from worker.policy.daytime import day_ends, zones_of
from worker.policy.questions import REMINDER, may_remind

BATCH: Final = 100
ROUNDS: Final = 20
GIVE_UP_AFTER: Final = timedelta(seconds=60)
PAGES_KEPT: Final = timedelta(hours=3)  # the token of a form ends after two
_MANY: Final = 1_000

# Tells a turn what the clock says; answers the texts that follow. The number is the subscriber's.
Act: TypeAlias = Callable[[Turn, int], list[Posting]]
Find: TypeAlias = Callable[[Connection, int], list[str]]

_log = logging.getLogger(__name__)


def expire_questions(connection: Connection, shops: ShopCache) -> int:
    """End questions that nobody answered; answers how many ledger entries that made."""
    return _each_batch(connection, shops, sweeps.expired_questions)


def end_pauses(connection: Connection, shops: ShopCache) -> int:
    """End pauses whose time is over; answers how many ledger entries that made."""
    return _each_batch(connection, shops, sweeps.ended_pauses)


def remind(connection: Connection, shops: ShopCache) -> int:
    """Remind once of open questions, by day; answers how many reminders were queued."""
    place, total = sweeps.START, 0
    while page := sweeps.reminders_due(connection, place, BATCH):
        place = page[-1].place
        awake = {each.phone for each in page if day_ends(zones_of(each.phone), each.now)}
        total += _decide(connection, shops, sorted(awake), _remind)
    return total


def tidy_messages(connection: Connection) -> int:
    """Close what is too old to go, and what a dead worker left behind; answers how many."""
    with atomic(connection):
        expired = outbox.expire(connection, _MANY)
        unknown = outbox.give_up(connection, GIVE_UP_AFTER, _MANY)
    if unknown:
        _log.warning("%d messages were left in mid-call: unknown, not sent again", unknown)
    return expired + unknown


def warn_of_coupons(connection: Connection) -> int:
    """Say in the log that pools run dry; answers how many. Their names are in the API."""
    pools = coupon_pools.low(connection)
    empty = sum(not free for _, free in pools)
    if empty:
        _log.error("a coupon pool is empty: new subscribers get no code", extra={"count": empty})
    if len(pools) > empty:
        _log.warning("a coupon pool is low: add codes", extra={"count": len(pools) - empty})
    return len(pools)


def lift_reachability(connection: Connection) -> int:
    """Who has texted from a number that did not work can be reached; answers how many."""
    with atomic(connection):
        return hygiene.lift(connection)


def forget_pages(connection: Connection) -> int:
    """Delete pages of forms that were used, once nobody could use them again; answers how many."""
    with atomic(connection):
        return forms.forget_posts(connection, PAGES_KEPT, _MANY)


def _each_batch(connection: Connection, shops: ShopCache, find: Find) -> int:
    total = 0
    for _ in range(ROUNDS):
        done = _decide(connection, shops, find(connection, BATCH), _catch_up)
        total += done
        if not done:
            break
    return total


def _decide(connection: Connection, shops: ShopCache, phones: Sequence[str], act: Act) -> int:
    """Decide about people in one transaction; when that fails, one by one.

    One row that cannot be written must not hold up everybody else. A database that is away is
    nobody's fault and is raised.
    """
    if not phones:
        return 0
    try:
        with atomic(connection):
            return _together(connection, shops, phones, act)
    except psycopg.OperationalError:
        raise
    except psycopg.Error as error:
        if len(phones) == 1:
            _log.error("a sweep failed for one person: %s", type(error).__name__)
            return 0
        return sum(_decide(connection, shops, [phone], act) for phone in phones)


def _together(connection: Connection, shops: ShopCache, phones: Sequence[str], act: Act) -> int:
    locked = lock(connection, phones)
    shop = shops.at(connection, locked.catalogue_version)
    changes: list[tuple[str, ConsentChange]] = []
    for phone in phones:
        turn = Turn(_NO_TEXT, locked.people[phone], shop, None, _BY_CLOCK, locked.now)
        for posting in act(turn, locked.ids[phone]):
            outbox.post(connection, locked.now, posting)
        locked.people[phone] = turn.person
        changes += [(phone, change) for change in turn.changes]
    write_changes(connection, locked, changes)
    return len(changes)


_NO_TEXT: Final = Text("", "", "", "")
_BY_CLOCK: Final = Reading(Signal.NOT_UNDERSTOOD, "clock")


def _catch_up(turn: Turn, _: int) -> list[Posting]:
    catch_up(turn)
    return []


def _remind(turn: Turn, subscriber_id: int) -> list[Posting]:
    posted = (_remind_of(turn, subscriber_id, p) for p in turn.shop.programs.values())
    return [posting for posting in posted if posting is not None]


def _remind_of(turn: Turn, subscriber_id: int, program: Program) -> Posting | None:
    """One reminder, which goes before the day ends or not at all."""
    standing, suspended = turn.person.standing(program.slug), turn.person.suspended
    evening = day_ends(zones_of(turn.person.phone), turn.now)
    due = may_remind(standing, program.remind_after, turn.now, suspended=suspended)
    if not due or evening is None or standing.asked_at is None or standing.expires_at is None:
        return None
    reply = turn.tell(program, Signal.REMIND).reply
    assert reply is not None
    return Posting(
        subscriber_id=subscriber_id,
        sender=program.sender,
        kind=REMINDER,
        spoken=turn.say(reply, program),
        dedupe_key=f"reminder:{subscriber_id}:{program.slug}:{instant(standing.asked_at)}",
        not_after=min(evening, standing.expires_at, turn.now + LATER_WITHIN),
    )
