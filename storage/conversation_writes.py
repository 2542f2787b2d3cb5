"""Write what a group of texts came to: each table once, whatever the number of texts."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from psycopg import Cursor
from psycopg.rows import TupleRow

from keywords.conversation import Outcome
from keywords.people import Person, Standing, write_frequency
from keywords.segments import count
from keywords.signals import Reading
from keywords.turn import ConsentChange, Spoken, Text, digest
from storage import ledger
from storage.database import Connection
from storage.identifiers import uuid7
from storage.ledger import Appended
from storage.locking import Locked
from storage.messages import MessageState

_INBOUND = """
INSERT INTO inbound_texts (message_sid, received_at, sender, address, channel, subscriber_id, body,
                           raw, reading, silence, review)
SELECT * FROM unnest(%s::text[], %s::timestamptz[], %s::text[], %s::text[], %s::text[],
                     %s::bigint[], %s::text[], %s::bytea[], %s::jsonb[], %s::text[], %s::text[])
"""
_MESSAGES = """
INSERT INTO messages (id, subscriber_id, program, sender, kind, reply, language, body, encoding,
                      sms_segments, in_reply_to, mark, state, dedupe_key, not_before, not_after,
                      created_at)
SELECT * FROM unnest(%s::uuid[], %s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
                     %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[], %s::bytea[],
                     %s::text[], %s::text[], %s::timestamptz[], %s::timestamptz[],
                     %s::timestamptz[])
"""
_SUBSCRIPTIONS = """
INSERT INTO subscriptions AS t (subscriber_id, program, state, prior, frequency, asked_at,
                                expires_at, reminded_at, question, confirmed_at, paused_until,
                                unsubscribed_at, method, version)
SELECT * FROM unnest(%s::bigint[], %s::text[], %s::text[], %s::text[], %s::text[],
                     %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::text[],
                     %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::text[],
                     %s::bigint[])
ON CONFLICT (subscriber_id, program) DO UPDATE SET
    (state, prior, frequency, asked_at, expires_at, reminded_at, question, confirmed_at,
     paused_until, unsubscribed_at, method, version)
  = (excluded.state, excluded.prior, excluded.frequency, excluded.asked_at, excluded.expires_at,
     excluded.reminded_at, excluded.question, excluded.confirmed_at, excluded.paused_until,
     excluded.unsubscribed_at, excluded.method, excluded.version)
"""
_SUBSCRIBERS = """
UPDATE subscribers s
SET language = p.language, suspended = p.suspended, chain_n = p.n, chain_head = p.head
FROM unnest(%s::bigint[], %s::text[], %s::boolean[], %s::bigint[], %s::bytea[])
     AS p (id, language, suspended, n, head)
WHERE s.id = p.id
"""
_DISCLOSURES = """
INSERT INTO disclosures (digest, program, language, method, text)
SELECT * FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::text[])
ON CONFLICT (digest) DO NOTHING
"""
# How long a question that a worker sends in our place may still go out.
LATER_WITHIN: Final = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Decided:
    """A text and what it came to. ``phone`` is None where no person's number sent it."""

    text: Text
    phone: str | None
    raw: bytes
    outcome: Outcome


def write(connection: Connection, locked: Locked, decided: Sequence[Decided]) -> None:
    """Write texts, entries, people and replies in one round trip.

    Call inside the lock's transaction; what fails here fails the whole of it.
    """
    changes = [(d.phone, c) for d in decided if d.phone for c in d.outcome.changes]
    with connection.pipeline(), connection.cursor() as cursor:
        _many(cursor, _INBOUND, [_inbound_row(locked, d) for d in decided])
        _many(cursor, _DISCLOSURES, _disclosures(decided))
        write_changes(cursor, locked, changes)
        _many(cursor, _MESSAGES, list(_messages(locked, decided)))


def write_changes(
    cursor: Cursor[TupleRow], locked: Locked, changes: Sequence[tuple[str, ConsentChange]]
) -> None:
    """Append ledger entries and bring the projection up to them.

    ``changes`` pairs a locked number with its entry; ``locked.people`` holds the people as they
    are afterwards.
    """
    if not changes:
        return
    entries: list[Appended] = [
        ledger.extend(locked.log, locked.chains[phone], change, locked.now)
        for phone, change in changes
    ]
    ledger.append(cursor, entries)
    touched = sorted({phone for phone, _ in changes})
    _many(cursor, _SUBSCRIPTIONS, list(_subscriptions(locked, touched)))
    _many(cursor, _SUBSCRIBERS, [_subscriber(locked, phone) for phone in touched])


def _many(cursor: Cursor[TupleRow], statement: str, rows: Sequence[Sequence[Any]]) -> None:
    if rows:
        columns = [list(column) for column in zip(*rows, strict=True)]
        cursor.execute(statement, columns, prepare=True)


def _inbound_row(locked: Locked, decided: Decided) -> Sequence[Any]:
    text, outcome = decided.text, decided.outcome
    return (
        text.sid,
        locked.now,
        text.sender,
        text.address,
        text.channel,
        locked.ids[decided.phone] if decided.phone else None,
        text.body,
        decided.raw,
        json.dumps(reading_json(outcome.reading)),
        outcome.silence,
        outcome.review,
    )


def reading_json(reading: Reading) -> dict[str, Any]:
    """A reading as it is stored and shown: only what it says."""
    said: dict[str, Any] = {"signal": reading.signal, "rule": reading.rule}
    optional = {
        "language": reading.language,
        "program": reading.program,
        "frequency": write_frequency(reading.frequency) if reading.frequency else None,
        "pause_days": reading.pause_days,
        "to_language": reading.to_language,
        "wrong_number": reading.wrong_number or None,
        "scope": reading.scope if reading.signal == "stop" else None,
    }
    return said | {name: value for name, value in optional.items() if value is not None}


def _disclosures(decided: Sequence[Decided]) -> Sequence[Sequence[Any]]:
    shown: dict[str, Sequence[Any]] = {}
    for d in decided:
        for change in d.outcome.changes:
            asked = change.evidence.get("asked")
            if isinstance(asked, dict):
                text, language = str(asked["text"]), str(asked["language"])
                row = (digest(text), change.entry.program, language, change.entry.method, text)
                shown[digest(text)] = row
    return [shown[key] for key in sorted(shown)]


def _messages(locked: Locked, decided: Sequence[Decided]) -> Iterable[Sequence[Any]]:
    for d in decided:
        if d.phone is None:
            continue
        if d.outcome.reply is not None:
            yield _reply_row(locked, d, d.phone, d.outcome.reply)
        if d.outcome.later is not None:
            yield _later_row(locked, d, d.phone, d.outcome.later)


def _reply_row(locked: Locked, d: Decided, phone: str, spoken: Spoken) -> Sequence[Any]:
    return (
        *_spoken(locked, d, phone, "reply", spoken),
        d.text.sid,
        d.outcome.mark,
        MessageState.ANSWERED,
        None,
        None,
        None,
        locked.now,
    )


def _later_row(locked: Locked, d: Decided, phone: str, spoken: Spoken) -> Sequence[Any]:
    return (
        *_spoken(locked, d, phone, "confirmation", spoken),
        d.text.sid,
        None,
        MessageState.QUEUED,
        f"later:{d.text.sid}",
        locked.now,
        locked.now + LATER_WITHIN,
        locked.now,
    )


def _spoken(locked: Locked, d: Decided, phone: str, kind: str, spoken: Spoken) -> Sequence[Any]:
    size = count(spoken.body)
    return (
        uuid7(locked.now),
        locked.ids[phone],
        spoken.program,
        d.text.sender,
        kind,
        spoken.kind,
        spoken.language,
        spoken.body,
        size.encoding,
        size.segments,
    )


def _subscriptions(locked: Locked, phones: Sequence[str]) -> Iterable[Sequence[Any]]:
    for phone in phones:
        before = locked.before[phone].standings
        for program, standing in locked.people[phone].standings.items():
            if before.get(program) != standing:
                yield _standing_row(locked.ids[phone], standing)


def _standing_row(subscriber: int, s: Standing) -> Sequence[Any]:
    return (
        subscriber,
        s.program,
        s.state,
        s.prior,
        write_frequency(s.frequency) if s.frequency else None,
        s.asked_at,
        s.expires_at,
        s.reminded_at,
        s.question,
        s.confirmed_at,
        s.paused_until,
        s.unsubscribed_at,
        s.method,
        s.version,
    )


def _subscriber(locked: Locked, phone: str) -> Sequence[Any]:
    person: Person = locked.people[phone]
    chain = locked.chains[phone]
    return (locked.ids[phone], person.language, person.suspended, chain.n, chain.head)
