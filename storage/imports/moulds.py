"""Ledger entries cast in moulds: what one new person comes to is what the next one comes to.

The same claim about a person nobody has met has the same outcome, whoever it is about. So the
outcome is decided once (by ``keywords.optin``, like any other), its entries are made once (by the
same code that makes every entry), with marks in place of what differs: reference, event, time,
evidence. Casting puts the real values where the marks are. A test holds what is cast to what
``storage.ledger.extend`` makes.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

from keywords.ledger import GENESIS, Envelope, canonical, instant
from keywords.optin import OptInOutcome
from keywords.people import Standing
from keywords.turn import ConsentChange
from storage.copying import (
    HASH_LENGTH,
    LENGTH,
    MOMENT_LENGTH,
    NULL,
    UUID_LENGTH,
    columns,
    field,
)
from storage.ledger import SALT_BYTES

# Marks: values that no real entry has, of the length of the real ones.
SUBJECT: Final = UUID("00000000-0000-4000-8000-0000005b1ec7")
_EVENT: Final = UUID("00000000-0000-7000-8000-000000000e4e")
MOMENT: Final = datetime(1901, 2, 3, 4, 5, 6, 123457, tzinfo=UTC)
EVIDENCE: Final = "\u0000evidence\u0000"
_DIGEST: Final = bytes.fromhex("5ea1" * 16)
# In the order in which the canonical form has them: by the names of their keys.
_MARKS: Final = {
    "event": str(_EVENT),
    "evidence": _DIGEST.hex(),
    "occurred_at": instant(MOMENT),
    "subject": str(SUBJECT),
}
_IN_ENVELOPE: Final = re.compile("|".join(map(re.escape, _MARKS.values())))
_IN_EVIDENCE: Final = canonical(EVIDENCE)
EVENT_COLUMNS: Final = (
    *("event", "subject", "n", "change", "program", "method", "occurred_at", "recorded_at"),
    *("message_sid", "placement", "evidence_digest", "envelope", "prev", "hash"),
)
EVIDENCE_COLUMNS: Final = ("event", "salt", "evidence")
_CHAIN: Final = b"\x01"
_EVIDENCE_BYTE: Final = b"\x02"
_VERSION: Final = [bytes([0x70 | (byte & 0x0F)]) for byte in range(256)]
_RANDOM: Final = [bytes([0x40 | (byte & 0x0F)]) for byte in range(256)]
_VARIANT: Final = [bytes([0x80 | (byte & 0x3F)]) for byte in range(256)]


class Cast(NamedTuple):
    """One new person's entries as pieces of rows for COPY, and the end of their chain in hex."""

    events: list[bytes]
    evidence: list[bytes]
    head: str


class Written(NamedTuple):
    """A moment as the ledger writes it, and as a column."""

    text: str
    column: bytes


class Chance:
    """Random bytes for one batch, fetched at once: a system call a row is dear."""

    def __init__(self, now: datetime) -> None:
        self._milliseconds = (int(now.timestamp() * 1000) & ((1 << 48) - 1)).to_bytes(6, "big")
        self._pool, self._at = b"", 0

    def take(self, count: int) -> bytes:
        """So many random bytes."""
        if self._at + count > len(self._pool):
            self._pool, self._at = os.urandom(16_384), 0
        taken = self._pool[self._at : self._at + count]
        self._at += count
        return taken

    def event(self) -> bytes:
        """A UUID of version 7 of the batch's moment, as ``storage.identifiers`` makes them."""
        r = self.take(10)
        return self._milliseconds + _VERSION[r[0]] + r[1:2] + _VARIANT[r[2]] + r[3:]

    def reference(self) -> bytes:
        """A UUID of version 4."""
        r = self.take(16)
        return r[:6] + _RANDOM[r[6]] + r[7:8] + _VARIANT[r[8]] + r[9:]


def hyphened(uuid: bytes) -> str:
    """A UUID as it is written."""
    h = uuid.hex()
    return f"{h[:8]}-{h[8:12]}-{h[12:16]}-{h[16:20]}-{h[20:]}"


@dataclass(frozen=True, slots=True)
class _Entry:
    """One entry of a mould: pieces of its canonical text and of its row between the marks."""

    evidence: tuple[bytes, bytes]
    envelope: tuple[str, str, str, str, str]
    middle: bytes
    after: bytes


class Mould:
    """What a claim of one kind makes of somebody new. Good for one batch: it holds its moment."""

    def __init__(self, log: UUID, outcome: OptInOutcome, now: datetime) -> None:
        self.answer = outcome.answer
        self.language = outcome.person.language or ""
        self.standings: Sequence[Standing] = tuple(outcome.person.standings.values())
        self.n = len(outcome.changes)
        self._entries = [
            _entry(log, n, change, now) for n, change in enumerate(outcome.changes, start=1)
        ]

    def cast(
        self, chance: Chance, reference: bytes, subject: str, when: Written, evidence: bytes
    ) -> Cast:
        """The entries of one person.

        ``subject`` is the reference as it is written, ``when`` when it happened, ``evidence`` what
        the row says.
        """
        head = GENESIS
        events: list[bytes] = []
        kept: list[bytes] = []
        for entry in self._entries:
            event, salt = chance.event(), chance.take(SALT_BYTES)
            proof = evidence.join(entry.evidence)
            digest = _sha256(_EVIDENCE_BYTE + salt + proof).digest()
            a, b, c, d, e = entry.envelope
            envelope = "".join(
                (a, hyphened(event), b, digest.hex(), c, when.text, d, subject, e)
            ).encode("ascii")
            prev, head = head, _sha256(_CHAIN + head + envelope).digest()
            row = (_ROW_OF_EVENT, event, UUID_LENGTH, reference, entry.middle, when.column)
            events += (*row, entry.after, digest, LENGTH(len(envelope)), envelope)
            events += (HASH_LENGTH, prev, HASH_LENGTH, head)
            kept += (_ROW_OF_EVIDENCE, event, _SALT_LENGTH, salt, LENGTH(len(proof)), proof)
        return Cast(events, kept, head.hex())


_sha256: Final[Callable[..., Any]] = hashlib.sha256
_ROW_OF_EVENT: Final = columns(len(EVENT_COLUMNS)) + UUID_LENGTH
_ROW_OF_EVIDENCE: Final = columns(len(EVIDENCE_COLUMNS)) + UUID_LENGTH
_SALT_LENGTH: Final = LENGTH(SALT_BYTES)


def _entry(log: UUID, n: int, change: ConsentChange, now: datetime) -> _Entry:
    entry = change.entry
    envelope = (
        Envelope(
            log=log,
            subject=SUBJECT,
            n=n,
            event=_EVENT,
            change=entry.change,
            program=entry.program,
            program_version=entry.version,
            method=entry.method,
            actor=change.actor,
            before=entry.before,
            after=entry.after,
            occurred_at=entry.occurred_at,
            recorded_at=now,
            message_sid=None,
            terms=entry.terms,
            evidence_digest=_DIGEST,
        )
        .canonical()
        .decode("ascii")
    )
    assert tuple(_IN_ENVELOPE.findall(envelope)) == tuple(_MARKS.values())
    a, b, c, d, e = _IN_ENVELOPE.split(envelope)
    before, after = canonical(dict(change.evidence)).split(_IN_EVIDENCE)
    copied = (n, str(entry.change), entry.program, str(entry.method))
    placement = field(entry.terms.get("placement"))
    return _Entry(
        evidence=(before, after),
        envelope=(a, b, c, d, e),
        middle=b"".join(map(field, copied)) + MOMENT_LENGTH,
        after=field(now) + NULL + placement + HASH_LENGTH,
    )
