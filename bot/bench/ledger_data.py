"""A ledger of any size for ``assent bench ledger``, true in every byte, made in a minute.

A few people live through conversations by the service's own code (``ledger_patterns``). Everybody
else's entries are printed from what that wrote, with their own number, identity, MessageSids and
times, hashed and chained as ``keywords.ledger`` says, in the order of time, and written by COPY.
"""

from __future__ import annotations

import os
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from bot.bench.ledger_patterns import Life, lived
from bot.demo import load_if_empty
from keywords.ledger import GENESIS, chain_hash, evidence_digest
from storage.database import Connection, connect
from storage.identifiers import uuid7
from storage.ledger import SALT_BYTES
from storage.transaction import atomic

# What people text, and how many of a hundred live so: most join and stay, a fifth leaves.
LIVES: Final[Mapping[tuple[str, ...], int]] = {
    ("JOIN", "YES"): 45,
    ("JOIN",): 8,
    ("JOIN", "YES", "WEEKLY"): 10,
    ("JOIN", "YES", "STOP"): 20,
    ("JOIN", "YES", "PAUSE 2 weeks", "RESUME"): 5,
    ("JOIN", "YES", "STOP", "START", "YES"): 5,
    ("JOIN", "YES", "COFFEE", "YES", "STOP"): 5,
    ("ESPAÑOL", "JOIN", "SI"): 2,
}
_YEARS: Final = timedelta(days=2 * 365)
_EVENTS: Final = {
    **dict.fromkeys(("event", "subject"), "uuid"),
    "n": "int8",
    **dict.fromkeys(("change", "program", "method"), "text"),
    **dict.fromkeys(("occurred_at", "recorded_at"), "timestamptz"),
    **dict.fromkeys(("message_sid", "placement"), "text"),
    **dict.fromkeys(("evidence_digest", "envelope", "prev", "hash"), "bytea"),
}
_EVIDENCE: Final = {"event": "uuid", "salt": "bytea", "evidence": "bytea"}


@dataclass(slots=True)
class _Person:
    """Somebody half-way through a life."""

    phone: str
    ref: UUID
    life: Life
    times: list[datetime]
    head: bytes = GENESIS


def fill(url: str, entries: int, *, seed: int = 1) -> int:
    """Write about ``entries`` ledger entries into an empty, migrated database; answers how many.

    The rows of all tables are as the service would have written them.
    """
    load_if_empty(url)
    with connect(url, "bench", role=None) as connection:
        lives = [lived(connection, f"+1415555{i:04d}", texts) for i, texts in enumerate(LIVES)]
        people = _people(lives, entries, random.Random(seed))  # noqa: S311 - a bench repeats
        connection.execute("SET synchronous_commit = off")
        with atomic(connection):
            _write(connection, people)
        connection.execute("VACUUM ANALYZE")
        ((count,),) = connection.execute("SELECT count(*) FROM consent_events").fetchall()
    return int(count)


def _people(lives: Sequence[Life], entries: int, chance: random.Random) -> list[_Person]:
    """Enough people for that many entries, each with the times of their steps."""
    people, made = [], 0
    end = datetime.now(UTC) - timedelta(days=1)
    choice = chance.choices(lives, weights=list(LIVES.values()), k=entries)
    for number, life in enumerate(choice):
        if made >= entries:
            break
        moments = sorted(chance.random() for _ in range(life.turns[-1] + 1))
        times = [end - _YEARS * (1 - moments[turn]) for turn in life.turns]
        phone = f"+1{2_100_000_000 + number}"
        people.append(_Person(phone, UUID(bytes=os.urandom(16), version=4), life, times))
        made += len(life.steps)
    return people


def _write(connection: Connection, people: Sequence[_Person]) -> None:
    order = sorted(
        (
            (time, number, step)
            for number, p in enumerate(people)
            for step, time in enumerate(p.times)
        ),
        key=itemgetter(0),
    )
    evidence: list[tuple[Any, ...]] = []
    events = (_entry(people[number], step, evidence) for _, number, step in order)
    _copy(connection, "consent_events", _EVENTS, events)
    _copy(connection, "consent_evidence", _EVIDENCE, evidence)
    _copy(
        connection,
        "subscribers",
        {"ref": "uuid", "phone": "text", "language": "text", "suspended": "bool"}
        | {"chain_n": "int8", "chain_head": "bytea"},
        ((p.ref, p.phone, p.life.language, p.life.suspended, len(p.times), p.head) for p in people),
    )
    ids: dict[UUID, int] = dict(connection.execute("SELECT ref, id FROM subscribers").fetchall())
    _copy_states(connection, people, ids)


def _entry(person: _Person, step: int, evidence: list[tuple[Any, ...]]) -> tuple[Any, ...]:
    """The row of a person's next entry; its evidence is put beside it."""
    pattern, at = person.life.steps[step], person.times[step]
    event, salt = uuid7(at), os.urandom(SALT_BYTES)
    sid = f"SM{os.urandom(16).hex()}"
    values = {
        "subject": str(person.ref).encode(),
        "event": str(event).encode(),
        "sid": sid.encode(),
        "phone": person.phone.encode(),
    }
    shown = pattern.evidence.filled(values, person.times)
    digest = evidence_digest(salt, shown)
    values["digest"] = digest.hex().encode()
    envelope = pattern.envelope.filled(values, person.times)
    prev, person.head = person.head, chain_hash(person.head, envelope)
    evidence.append((event, salt, shown))
    return (
        *(event, person.ref, step + 1, pattern.change, pattern.program, pattern.method, at, at),
        *(sid, pattern.placement, digest, envelope, prev, person.head),
    )


def _copy_states(
    connection: Connection, people: Sequence[_Person], ids: Mapping[UUID, int]
) -> None:
    types: dict[str, str] = dict(
        connection.execute(
            "SELECT column_name, udt_name FROM information_schema.columns"
            " WHERE table_name = 'subscriptions' ORDER BY ordinal_position"
        ).fetchall()
    )
    rows = (
        tuple(
            ids[p.ref] if name == "subscriber_id" else _moment(state[name], p.times)
            for name in types
        )
        for p in people
        for state in p.life.subscriptions
    )
    _copy(connection, "subscriptions", types, rows)


def _moment(value: Any, times: Sequence[datetime]) -> Any:
    return times[value[0]] + value[1] if isinstance(value, tuple) else value


def _copy(
    connection: Connection, table: str, types: Mapping[str, str], rows: Iterable[Sequence[Any]]
) -> None:
    statement = sql.SQL("COPY {} ({}) FROM STDIN (FORMAT BINARY)").format(
        sql.Identifier(table), sql.SQL(", ").join(map(sql.Identifier, types))
    )
    with connection.cursor() as cursor, cursor.copy(statement) as copy:
        copy.set_types(list(types.values()))
        for row in rows:
            copy.write_row(row)
