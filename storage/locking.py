"""Lock people and read all that a decision about them needs, in one round trip."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow

from keywords.consent import State
from keywords.guard import WINDOW
from keywords.people import Person, SaidBefore, Standing, read_frequency
from storage.database import Connection
from storage.ledger import Chain

_MEET = """
INSERT INTO subscribers (phone)
SELECT phone FROM unnest(%(phones)s::text[]) phone
WHERE NOT EXISTS (SELECT 1 FROM subscribers s WHERE s.phone = phone.phone)
ORDER BY phone ON CONFLICT (phone) DO NOTHING
"""
_LOCK = """
SELECT id, ref, phone, language, suspended, chain_n, chain_head
FROM subscribers WHERE phone = ANY(%(phones)s) ORDER BY phone FOR NO KEY UPDATE
"""
_NOW = "SELECT clock_timestamp(), c.version, l.log FROM catalogue c, ledger_log l"
_STANDINGS = """
SELECT s.phone, t.program, t.state, t.prior, t.frequency, t.asked_at, t.expires_at, t.reminded_at,
       t.question, t.confirmed_at, t.paused_until, t.unsubscribed_at, t.method, t.version
FROM subscribers s JOIN subscriptions t ON t.subscriber_id = s.id WHERE s.phone = ANY(%(phones)s)
"""
_SAID = """
SELECT s.phone, m.reply, m.mark
FROM subscribers s JOIN messages m ON m.subscriber_id = s.id
WHERE s.phone = ANY(%(phones)s) AND m.created_at > now() - %(window)s
  AND m.state = 'answered'
"""
_REPEATS = """
SELECT i.message_sid, m.body
FROM inbound_texts i
LEFT JOIN messages m ON m.in_reply_to = i.message_sid AND m.state = 'answered'
WHERE i.message_sid = ANY(%(sids)s)
"""


@dataclass(slots=True)
class Locked:
    """People who may be decided about until the transaction ends, by their numbers.

    ``repeats`` maps the MessageSids that are known already to the reply they got.
    """

    now: datetime
    log: UUID
    catalogue_version: int
    ids: dict[str, int]
    people: dict[str, Person]
    chains: dict[str, Chain]
    before: Mapping[str, Person]
    repeats: Mapping[str, str | None]


def lock(connection: Connection, phones: Sequence[str], sids: Sequence[str] = ()) -> Locked:
    """Lock the subscribers with these numbers, making those that are new.

    ``phones`` must be sorted E.164. Call inside a transaction.
    """
    values = {"phones": list(phones), "sids": list(sids), "window": WINDOW}
    with _pipelined(connection, values) as ask:
        ask(_MEET)
        rows, clock = ask(_LOCK), ask(_NOW)
        standings, said, repeats = ask(_STANDINGS), ask(_SAID), ask(_REPEATS)
    now, version, log = clock.fetchall()[0]
    held = rows.fetchall()
    people = _people(held, standings.fetchall(), said.fetchall())
    return Locked(
        now=now,
        log=log,
        catalogue_version=version,
        ids={row[2]: row[0] for row in held},
        people=dict(people),
        chains={row[2]: Chain(row[1], row[5], row[6]) for row in held},
        before=people,
        repeats=dict(repeats.fetchall()),
    )


@contextmanager
def _pipelined(connection: Connection, values: Mapping[str, Any]) -> Iterator[Any]:
    """Several statements in one round trip; results may be fetched when the block is left."""

    def ask(statement: str) -> Cursor[TupleRow]:
        return connection.cursor().execute(statement, values, prepare=True)

    with connection.pipeline():
        yield ask


def _people(
    held: Sequence[TupleRow], standings: Sequence[TupleRow], said: Sequence[TupleRow]
) -> dict[str, Person]:
    programs: dict[str, dict[str, Standing]] = {row[2]: {} for row in held}
    for phone, *columns in standings:
        standing = _standing(columns)
        programs[phone][standing.program] = standing
    replies: dict[str, list[SaidBefore]] = {row[2]: [] for row in held}
    for phone, kind, mark in said:
        replies[phone].append(SaidBefore(kind or "", mark or b""))
    return {
        phone: Person(ref, phone, language, suspended, programs[phone], tuple(replies[phone]))
        for _, ref, phone, language, suspended, *_ in held
    }


def _standing(columns: Sequence[Any]) -> Standing:
    program, state, prior, frequency, *rest = columns
    return Standing(
        program,
        State(state),
        State(prior),
        read_frequency(frequency) if frequency else None,
        *rest,
    )
