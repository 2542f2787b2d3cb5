"""Many texts, one commit: lock the people, decide each text, write everything, once.

The texts that arrive in the same instant share a transaction of three statements: one that locks,
one that reads, one that writes; a fourth, where somebody confirms, gives them coupons. Locks are
taken in the order of the numbers, so that two web processes cannot wait for each other in a
circle. Decisions use the database's clock, read after the locks were granted, so that a person's
entries never go back in time.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from psycopg import errors

from keywords.conversation import Outcome, respond
from keywords.late import late
from keywords.people import Person
from keywords.shop import Shop
from keywords.turn import Text
from storage import inbound, races
from storage.conversation_writes import Decided, write
from storage.coupon_giving import hand_out
from storage.database import Connection
from storage.fencing import seen
from storage.locking import Locked, lock
from storage.shop import ShopCache
from storage.transaction import atomic

_NOBODY: Final = UUID(int=0)
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Arrival:
    """An inbound text as the webhook got it. ``phone`` is E.164, or None for no person's number."""

    text: Text
    phone: str | None
    raw: bytes


@dataclass(frozen=True, slots=True)
class Answer:
    """The reply's words, or None for silence; ``repeated`` when the text was known already.

    ``crossing``: nothing was recorded, the text is for :func:`exchange_fenced`. ``withdrew``: it
    ended or suspended marketing, which is recorded now.
    """

    reply: str | None
    repeated: bool = False
    crossing: bool = False
    withdrew: bool = False


def exchange(connection: Connection, shops: ShopCache, arrivals: Sequence[Arrival]) -> list[Answer]:
    """Decide, record and answer texts in one transaction; durable when this returns.

    A text whose MessageSid is known gets the answer it got before, and changes nothing. Raises
    ``psycopg.OperationalError`` when the database is away; then nothing was written.
    """
    return _repeatedly(connection, lambda: _exchange(connection, shops, arrivals, None))


def exchange_fenced(
    connection: Connection, shops: ShopCache, arrivals: Sequence[Arrival]
) -> list[Answer]:
    """The same for texts that were put aside, after waiting for what is in mid-call.

    An answer is ``crossing`` again where another campaign has claimed the person meanwhile.
    """
    phones = sorted({a.phone for a in arrivals if a.phone})

    def fenced() -> list[Answer]:
        return _exchange(connection, shops, arrivals, races.wait(connection, phones))

    return _repeatedly(connection, fenced)


def _repeatedly(connection: Connection, work: Callable[[], list[Answer]]) -> list[Answer]:
    for last in range(1, _TRIES + 1):
        try:
            with atomic(connection):
                return work()
        except errors.UniqueViolation:
            # Another process took the same MessageSid from an address that has no row to lock.
            # It is there to be seen now.
            if last == _TRIES:
                raise
    raise AssertionError


def _exchange(
    connection: Connection,
    shops: ShopCache,
    arrivals: Sequence[Arrival],
    fenced: races.Fenced | None,
) -> list[Answer]:
    phones = sorted({a.phone for a in arrivals if a.phone})
    locked = lock(connection, phones, [a.text.sid for a in arrivals])
    wrote = _wrote(connection, arrivals)
    shop = shops.at(connection, locked.catalogue_version)
    fresh: dict[str, Decided] = {}
    aside: dict[str, Answer] = {}
    waiting: set[str | None] = set()
    twice = set()
    for arrival in arrivals:
        sid = arrival.text.sid
        if sid in fresh:
            twice.add(sid)
        elif sid not in locked.repeats:
            outcome = _decide(locked, shop, arrival, wrote)
            if arrival.phone in waiting or _crosses(locked, arrival.phone, outcome, fenced):
                # What the same person texts after it is put aside with it, to stay in order.
                waiting.add(arrival.phone)
                aside[sid] = Answer(None, crossing=True)
                continue
            if arrival.phone is not None:
                locked.people[arrival.phone] = outcome.person
            fresh[sid] = Decided(arrival.text, arrival.phone, arrival.raw, outcome)
    decided = hand_out(connection, locked, shop, list(fresh.values()))
    if decided:
        locked.in_flight = seen(locked, fenced)
        write(connection, locked, decided)
    answers = {sid: Answer(reply, repeated=True) for sid, reply in locked.repeats.items()} | aside
    for d in decided:
        reply = d.outcome.reply
        body = reply.body if reply else None
        answers[d.text.sid] = Answer(
            body, d.text.sid in twice, withdrew=races.withdraws(d.outcome.changes)
        )
    return [answers[a.text.sid] for a in arrivals]


def _crosses(
    locked: Locked, phone: str | None, outcome: Outcome, fenced: races.Fenced | None
) -> bool:
    """Whether a text withdraws consent while a worker may be handing over a text under it."""
    flying = locked.in_flight.get(phone or "", ())
    if fenced is not None and fenced.late:
        return False
    free = fenced.ours if fenced else frozenset()
    return any(
        races.crosses(change, flight) and flight.recipient_id not in free
        for flight in flying
        for change in outcome.changes
    )


def _wrote(connection: Connection, arrivals: Sequence[Arrival]) -> Mapping[str, datetime]:
    """When those wrote last whose texts come late; asked for no others."""
    phones = sorted({a.phone for a in arrivals if a.phone and a.text.sent_at})
    return inbound.newest(connection, phones) if phones else {}


def _decide(locked: Locked, shop: Shop, arrival: Arrival, wrote: Mapping[str, datetime]) -> Outcome:
    phone, sent_at = arrival.phone, arrival.text.sent_at
    if phone is None:
        return _stranger(arrival.text, shop, locked.now)
    person = locked.people[phone]
    outcome = respond(arrival.text, person, shop, locked.now)
    if sent_at is None:
        return outcome
    newest = wrote.get(phone)
    overtaken = newest is not None and newest > sent_at
    return late(outcome, person, locked.now - sent_at, overtaken=overtaken)


def _stranger(text: Text, shop: Shop, now: datetime) -> Outcome:
    """A text from a short code or a name: kept and shown to a person, never answered."""
    return respond(text, Person(_NOBODY, ""), shop, now).unheard()
