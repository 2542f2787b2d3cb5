"""A ledger of any size for ``assent bench ledger``, true in every byte, made in a minute.

A few people live through conversations with the demo shop, by the service's own code. What that
wrote (envelopes, evidence, current state) becomes a pattern, and everybody else's entries are
printed from it with their own number, identity, MessageSids and times, hashed and chained as
``keywords.ledger`` says, in the order of time, and written by COPY.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final
from uuid import UUID

from psycopg import sql

from bot.demo import load_if_empty
from keywords.ledger import GENESIS, chain_hash, evidence_digest, instant
from keywords.turn import Text
from storage.conversation import Arrival, exchange
from storage.database import Connection, connect
from storage.identifiers import uuid7
from storage.ledger import SALT_BYTES
from storage.shop import ShopCache
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
_SENDER: Final = "54321"
_YEARS: Final = timedelta(days=2 * 365)
_INSTANT: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_EVENTS: Final = {
    **dict.fromkeys(("event", "subject"), "uuid"),
    "n": "int8",
    **dict.fromkeys(("change", "program", "method"), "text"),
    **dict.fromkeys(("occurred_at", "recorded_at"), "timestamptz"),
    **dict.fromkeys(("message_sid", "placement"), "text"),
    **dict.fromkeys(("evidence_digest", "envelope", "prev", "hash"), "bytea"),
}
_EVIDENCE: Final = {"event": "uuid", "salt": "bytea", "evidence": "bytea"}
_SAMPLE: Final = """
SELECT e.subject, e.event, e.n, e.change, e.program, e.method, e.recorded_at, e.message_sid,
       e.placement, e.evidence_digest, e.envelope, v.evidence
FROM consent_events e JOIN consent_evidence v USING (event) JOIN subscribers s ON s.ref = e.subject
WHERE s.phone = %s ORDER BY e.n
"""
_STATES: Final = """
SELECT t.* FROM subscriptions t JOIN subscribers s ON s.id = t.subscriber_id WHERE s.phone = %s
"""


@dataclass(frozen=True, slots=True)
class Pattern:
    """Bytes with gaps: ``form % values``, where ``gaps`` name the values in their order.

    A gap is a name, or a moment: the number of a step and what is added to its time.
    """

    form: bytes
    gaps: tuple[str | tuple[int, timedelta], ...]

    def filled(self, values: Mapping[str, bytes], times: Sequence[datetime]) -> bytes:
        """The bytes for one person."""
        return self.form % tuple(
            values[gap] if isinstance(gap, str) else instant(times[gap[0]] + gap[1]).encode()
            for gap in self.gaps
        )


@dataclass(frozen=True, slots=True)
class Step:
    """One entry of a life: the columns that are the same for everybody, and two patterns."""

    change: str
    program: str | None
    method: str
    placement: str | None
    envelope: Pattern
    evidence: Pattern


@dataclass(frozen=True, slots=True)
class Life:
    """A life's entries, language and suspension, and its subscriptions' columns at the end.

    ``turns`` says which text made each entry: a STOP ends several programs at one time.
    """

    steps: Sequence[Step]
    turns: Sequence[int]
    language: str | None
    suspended: bool
    subscriptions: Sequence[Mapping[str, Any]]


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
        lives = [_lived(connection, f"+1415555{i:04d}", texts) for i, texts in enumerate(LIVES)]
        people = _people(lives, entries, random.Random(seed))  # noqa: S311 - a bench repeats
        connection.execute("SET synchronous_commit = off")
        with atomic(connection):
            _write(connection, people)
        connection.execute("VACUUM ANALYZE")
        ((count,),) = connection.execute("SELECT count(*) FROM consent_events").fetchall()
    return int(count)


def _lived(connection: Connection, phone: str, texts: Sequence[str]) -> Life:
    """Have one person text, and make patterns of what was written."""
    shops = ShopCache()
    for number, body in enumerate(texts):
        sid = f"SM{os.urandom(15).hex()}{number:02x}"
        exchange(connection, shops, [Arrival(Text(sid, phone, _SENDER, body), phone, b"")])
    rows = connection.execute(_SAMPLE, (phone,)).fetchall()
    times = [row[6] for row in rows]
    cursor = connection.execute(_STATES, (phone,))
    names = [column.name for column in cursor.description or ()]
    states = [dict(zip(names, row, strict=True)) for row in cursor]
    ((language, suspended),) = connection.execute(
        "SELECT language, suspended FROM subscribers WHERE phone = %s", (phone,)
    ).fetchall()
    return Life(
        [_step(row, phone, times) for row in rows],
        [sorted(set(times)).index(time) for time in times],
        language,
        suspended,
        [{name: _relative(value, times) for name, value in state.items()} for state in states],
    )


def _step(row: Sequence[Any], phone: str, times: Sequence[datetime]) -> Step:
    subject, event, _, change, program, method, _, sid, placement, digest, envelope, evidence = row
    names = {
        str(subject): "subject",
        str(event): "event",
        digest.hex(): "digest",
        sid: "sid",
        phone: "phone",
    }
    return Step(
        change,
        program,
        method,
        placement,
        _pattern(envelope, names, times),
        _pattern(evidence, names, times),
    )


def _pattern(data: bytes, names: Mapping[str, str], times: Sequence[datetime]) -> Pattern:
    words = b"|".join(re.escape(word.encode()) for word in names)
    gaps: list[str | tuple[int, timedelta]] = []

    def gap(match: re.Match[bytes]) -> bytes:
        found = match[0].decode()
        name = names.get(found)
        gaps.append(name or _offset(datetime.fromisoformat(found), times))
        return b"\x00"

    form = re.sub(words + b"|" + _INSTANT.pattern, gap, data)
    return Pattern(form.replace(b"%", b"%%").replace(b"\x00", b"%b"), tuple(gaps))


def _relative(value: Any, times: Sequence[datetime]) -> Any:
    return _offset(value, times) if isinstance(value, datetime) else value


def _offset(moment: datetime, times: Sequence[datetime]) -> tuple[int, timedelta]:
    """The step whose time a moment was made from: they differ by whole seconds."""
    for step, time in enumerate(times):
        if (moment - time).microseconds == 0:
            return step, moment - time
    raise ValueError("a moment that belongs to no step")


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
