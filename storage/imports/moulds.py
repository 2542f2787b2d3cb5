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
import struct
from binascii import hexlify
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from typing import Any, Final, NamedTuple, TypeAlias
from uuid import UUID

from keywords.ledger import GENESIS, Envelope, canonical, instant
from keywords.optin import OptInOutcome
from keywords.people import Standing
from keywords.turn import ConsentChange
from storage.copying import (
    EPOCH,
    HASH_LENGTH,
    LENGTH,
    MOMENT_LENGTH,
    NULL,
    UUID_LENGTH,
    columns,
    field,
    moment,
    number,
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
_IN_ENVELOPE: Final = re.compile("|".join(map(re.escape, _MARKS.values())).encode())
_IN_EVIDENCE: Final = canonical(EVIDENCE)
EVENT_COLUMNS: Final = (
    *("event", "subject", "n", "change", "program", "method", "occurred_at", "recorded_at"),
    *("message_sid", "placement", "evidence_digest", "envelope", "prev", "hash"),
)
EVIDENCE_COLUMNS: Final = ("event", "salt", "evidence")
_CHAIN: Final = b"\x01"
_EVIDENCE_BYTE: Final = b"\x02"
# UUIDs are drawn so many at a time; these are the bits that their kind decides (RFC 9562).
_DRAWN: Final = 256
_UUID_BYTES: Final = 16
_KIND: Final = (0xF << 76) | (0b11 << 62)
_VERSION_4: Final = (4 << 76) | (0b10 << 62)
_VERSION_7: Final = (7 << 76) | (0b10 << 62)
_TIME: Final = ((1 << 48) - 1) << 80

# A UUID: its bytes, and as it is written.
Name: TypeAlias = tuple[bytes, bytes]


class Written(NamedTuple):
    """A moment as the ledger writes it, and as a column."""

    text: str
    column: bytes


_DAYS: Final[dict[int, str]] = {}
_MINUTES: Final = ["T{:02}:{:02}:".format(*divmod(minute, 60)) for minute in range(24 * 60)]
_SECONDS: Final = [f"{second:02}.000000Z" for second in range(60)]


def written(when: datetime) -> Written:
    """``keywords.ledger.instant`` and ``storage.copying.moment`` of a moment.

    Most fall on whole seconds and share their days, so they are put together instead of formatted.
    """
    since = when - EPOCH
    if since.microseconds:
        return Written(instant(when), moment(when))
    day = _DAYS.get(since.days)
    if day is None:
        day = _DAYS[since.days] = (EPOCH + timedelta(since.days)).date().isoformat()
    minute, second = divmod(since.seconds, 60)
    seconds = since.days * 86_400 + since.seconds
    return Written(f"{day}{_MINUTES[minute]}{_SECONDS[second]}", number(seconds * 1_000_000))


class Chance:
    """What is drawn for one batch, many at a time: a system call a row is dear.

    ``references`` are UUIDs of version 4, ``events`` of version 7 as ``storage.identifiers`` makes
    them, of the batch's moment; ``salts`` are what evidence is hashed with.
    """

    def __init__(self, now: datetime) -> None:
        milliseconds = int(now.timestamp() * 1000) & ((1 << 48) - 1)
        self.references = _drawn(_VERSION_4, _KIND)
        self.events = _drawn((milliseconds << 80) | _VERSION_7, _TIME | _KIND)
        self.salts = _salts()


def _drawn(said: int, where: int) -> Iterator[Name]:
    """UUIDs by chance but for the bits ``where``, which are those of ``said``."""
    size = _UUID_BYTES * _DRAWN
    free = _repeated(where ^ ((1 << 128) - 1))
    fixed = _repeated(said)
    while True:
        chance = int.from_bytes(os.urandom(size), "big")
        data = ((chance & free) | fixed).to_bytes(size, "big")
        yield from zip(
            map(itemgetter(0), _UUIDS(data)), map(b"-".join, _GROUPS(hexlify(data))), strict=True
        )


_UUIDS: Final = struct.Struct(f"{_UUID_BYTES}s").iter_unpack
# 8-4-4-4-12 digits.
_GROUPS: Final = struct.Struct("8s4s4s4s12s").iter_unpack


def _repeated(uuid: int) -> int:
    return int.from_bytes(uuid.to_bytes(_UUID_BYTES, "big") * _DRAWN, "big")


def _salts() -> Iterator[bytes]:
    while True:
        data = os.urandom(SALT_BYTES * _DRAWN)
        for at in range(0, len(data), SALT_BYTES):
            yield data[at : at + SALT_BYTES]


class _Entry(NamedTuple):
    """One entry of a mould: pieces of its canonical text and of its row between the marks.

    ``size`` is the length of the text, which is the same for everybody, as a column begins with it.
    """

    evidence: tuple[bytes, bytes]
    envelope: tuple[bytes, bytes, bytes, bytes, bytes]
    middle: bytes
    after: bytes
    size: bytes


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
        self, chance: Chance, who: Name, when: Written, said: bytes
    ) -> tuple[bytes, bytes, bytes]:
        """The entries of one person and their evidence as rows for COPY; their chain's end in hex.

        ``who`` is the reference, ``when`` when it happened, ``said`` what the row says.
        """
        head = GENESIS
        events = kept = b""
        reference, subject = who
        for (opening, ending), (a, b, c, d, e), middle, after, size in self._entries:
            event, name = next(chance.events)
            salt = next(chance.salts)
            proof = opening + said + ending
            shown = _PROOF.copy()
            shown.update(salt + proof)
            digest = shown.digest()
            at = when.text.encode()
            envelope = b"".join((a, name, b, hexlify(digest), c, at, d, subject, e))
            prev = head
            chain = _FIRST.copy() if head is GENESIS else _sha256(_CHAIN + head)
            chain.update(envelope)
            head = chain.digest()
            row = (_ROW_OF_EVENT, event, UUID_LENGTH, reference, middle, when.column, after)
            events += b"".join((*row, digest, size, envelope, HASH_LENGTH, prev, HASH_LENGTH, head))
            kept += b"".join(
                (_ROW_OF_EVIDENCE, event, _SALT_LENGTH, salt, LENGTH(len(proof)), proof)
            )
        return events, kept, hexlify(head)


_sha256: Final[Callable[..., Any]] = hashlib.sha256
# To begin a hash costs as much as to hash some hundred bytes, so what all begin with is begun once.
_FIRST: Final = _sha256(_CHAIN + GENESIS)
_PROOF: Final = _sha256(_EVIDENCE_BYTE)
_ROW_OF_EVENT: Final = columns(len(EVENT_COLUMNS)) + UUID_LENGTH
_ROW_OF_EVIDENCE: Final = columns(len(EVIDENCE_COLUMNS)) + UUID_LENGTH
_SALT_LENGTH: Final = LENGTH(SALT_BYTES)


def _entry(log: UUID, n: int, change: ConsentChange, now: datetime) -> _Entry:
    entry = change.entry
    envelope = Envelope(
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
    ).canonical()
    assert [mark.decode() for mark in _IN_ENVELOPE.findall(envelope)] == [*_MARKS.values()]
    a, b, c, d, e = _IN_ENVELOPE.split(envelope)
    opening, ending = canonical(dict(change.evidence)).split(_IN_EVIDENCE)
    copied = (n, str(entry.change), entry.program, str(entry.method))
    placement = field(entry.terms.get("placement"))
    return _Entry(
        evidence=(opening, ending),
        envelope=(a, b, c, d, e),
        middle=b"".join(map(field, copied)) + MOMENT_LENGTH,
        after=field(now) + NULL + placement + HASH_LENGTH,
        size=LENGTH(len(envelope)),
    )
