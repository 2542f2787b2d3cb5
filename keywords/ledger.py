"""The consent ledger's canonical form: envelopes, digests, one hash chain for each person.

An entry is two things. The *envelope* says what changed, for whom (by a random reference, never
a number), when and how; it is hashed and never altered. The *evidence* (the text, the number, the
question that was answered) lies beside it, bound by a salted digest inside the envelope: when a
person is erased, evidence and salt are destroyed and the chain still verifies.

``hash = SHA-256(0x01 ‖ previous hash ‖ envelope)``; ``evidence digest = SHA-256(0x02 ‖ salt ‖
evidence)``. Canonical bytes are JSON with sorted keys, no white space, no fractional numbers, and
every character outside ASCII escaped (the one difference from RFC 8785). The vectors in
``tests/keywords/ledger_vectors.json`` pin them: another implementation can be checked against
them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, TypeAlias
from uuid import UUID

SCHEMA_VERSION: Final = 1
GENESIS: Final = bytes(32)
# One encoder, kept: ``json.dumps`` with options builds one at every call.
_ENCODE: Final = json.JSONEncoder(
    sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False
).encode
_CHAIN: Final = b"\x01"
_EVIDENCE: Final = b"\x02"

Json: TypeAlias = "str | int | bool | list[Json] | dict[str, Json] | None"


@dataclass(frozen=True, slots=True)
class Envelope:
    """One change of consent, without anything that names a person.

    ``n`` counts a person's entries from 1. ``terms`` holds what the entry set, so that the
    current state can be rebuilt from envelopes alone (``frequency``, ``paused_until``,
    ``expires_at``, ``language``), and the ``placement`` that it came from.
    """

    log: UUID
    subject: UUID
    n: int
    event: UUID
    change: str
    program: str | None
    program_version: int | None
    method: str
    actor: str
    before: str
    after: str
    occurred_at: datetime
    recorded_at: datetime
    message_sid: str | None
    terms: Mapping[str, str]
    evidence_digest: bytes

    def canonical(self) -> bytes:
        """The bytes that are hashed."""
        return canonical(
            {
                "v": SCHEMA_VERSION,
                "log": str(self.log),
                "subject": str(self.subject),
                "n": self.n,
                "event": str(self.event),
                "change": self.change,
                "program": self.program,
                "program_version": self.program_version,
                "method": self.method,
                "actor": self.actor,
                "before": self.before,
                "after": self.after,
                "occurred_at": instant(self.occurred_at),
                "recorded_at": instant(self.recorded_at),
                "message_sid": self.message_sid,
                "terms": dict(self.terms),
                "evidence": self.evidence_digest.hex(),
            }
        )


@dataclass(frozen=True, slots=True)
class Link:
    """A stored entry as the checker needs it; ``evidence`` and ``salt`` are None once erased."""

    subject: UUID
    n: int
    envelope: bytes
    prev: bytes
    hash: bytes
    evidence_digest: bytes
    salt: bytes | None
    evidence: bytes | None


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not hold, and where."""

    subject: UUID
    n: int
    what: str


def canonical(value: Json) -> bytes:
    """The one byte form of a JSON value."""
    return _ENCODE(value).encode("ascii")


def instant(moment: datetime) -> str:
    """A moment as the ledger writes it: UTC, microseconds, ``Z``."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def chain_hash(prev: bytes, envelope: bytes) -> bytes:
    """The hash of an entry that follows ``prev``."""
    return hashlib.sha256(_CHAIN + prev + envelope).digest()


def evidence_digest(salt: bytes, evidence: bytes) -> bytes:
    """What the envelope holds in place of the evidence."""
    return hashlib.sha256(_EVIDENCE + salt + evidence).digest()


def verify(chain: Iterable[Link]) -> list[Fault]:
    """Every fault in the entries of one person, given in the order of ``n``."""
    faults: list[Fault] = []
    prev, expected = GENESIS, 1
    for link in chain:
        faults += (Fault(link.subject, link.n, what) for what in _faults(link, prev, expected))
        prev, expected = link.hash, link.n + 1
    return faults


def _faults(link: Link, prev: bytes, expected: int) -> Iterable[str]:
    if link.n != expected:
        yield f"entry {expected} is missing"
    elif link.prev != prev:
        yield "does not follow the entry before it"
    if chain_hash(link.prev, link.envelope) != link.hash:
        yield "the envelope was altered"
    yield from _envelope_faults(link)
    kept = link.evidence is not None and link.salt is not None
    if kept and evidence_digest(link.salt or b"", link.evidence or b"") != link.evidence_digest:
        yield "the evidence was altered"


def _envelope_faults(link: Link) -> Iterable[str]:
    try:
        fields = json.loads(link.envelope)
    except ValueError:
        yield "the envelope is not readable"
        return
    if fields.get("subject") != str(link.subject) or fields.get("n") != link.n:
        yield "the envelope belongs to another place in the ledger"
    if fields.get("evidence") != link.evidence_digest.hex():
        yield "the evidence digest was altered"
