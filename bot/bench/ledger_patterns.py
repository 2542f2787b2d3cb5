"""Patterns of ledger entries, cut from what the service itself writes, for ``ledger_data``.

A person lives through a conversation with the demo shop. What that wrote (envelopes, evidence,
current state) is cut at everything that is theirs alone: number, identity, MessageSids, times.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from keywords.ledger import instant
from keywords.turn import Text
from storage.conversation import Arrival, exchange
from storage.database import Connection
from storage.shop import ShopCache

_SENDER: Final = "54321"
_INSTANT: Final = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
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


def lived(connection: Connection, phone: str, texts: Sequence[str]) -> Life:
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
