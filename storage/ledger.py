"""The consent ledger's tables, and the only way to make an entry.

Append-only by privilege (the role ``assent_app`` may INSERT and SELECT) and by triggers that are
ENABLE ALWAYS; both are set up by the migration. ``xid`` lets a sealer read in an order that late
commits cannot break.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from psycopg import Cursor
from psycopg.rows import TupleRow
from sqlalchemy import Identity, Index, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column
from sqlalchemy.types import UserDefinedType

from keywords.ledger import Envelope, Link, canonical, chain_hash, evidence_digest
from keywords.turn import ConsentChange
from storage.base import Base
from storage.identifiers import uuid7

SALT_BYTES = 16


class Xid8(UserDefinedType[int]):
    """PostgreSQL's 64-bit transaction id."""

    cache_ok = True

    def get_col_spec(self, **_: object) -> str:
        """The name of the type in SQL."""
        return "xid8"


class LogRow(Base):
    """One row: the identity of this ledger, part of every envelope."""

    __tablename__ = "ledger_log"

    log: Mapped[UUID] = mapped_column(primary_key=True, server_default=text("gen_random_uuid()"))
    created_at: Mapped[datetime] = mapped_column(server_default=text("now()"))


class EventRow(Base):
    """One entry. ``envelope`` holds the canonical bytes that were hashed; the rest is a copy.

    ``placement`` is the term of that name.
    """

    __tablename__ = "consent_events"
    __table_args__ = (
        UniqueConstraint("subject", "n"),
        Index("uq_consent_events_seq", "seq", unique=True),
        Index(
            "ix_consent_events_placement",
            "placement",
            postgresql_where=text("placement IS NOT NULL"),
        ),
        # Entries lie in the order of their recording, so a few bytes find a month of them.
        Index("ix_consent_events_recorded_at", "recorded_at", postgresql_using="brin"),
    )

    event: Mapped[UUID] = mapped_column(primary_key=True)
    seq: Mapped[int] = mapped_column(Identity(always=True))
    xid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))
    subject: Mapped[UUID]
    n: Mapped[int]
    change: Mapped[str]
    program: Mapped[str | None]
    method: Mapped[str]
    occurred_at: Mapped[datetime]
    recorded_at: Mapped[datetime]
    message_sid: Mapped[str | None]
    placement: Mapped[str | None]
    evidence_digest: Mapped[bytes]
    envelope: Mapped[bytes]
    prev: Mapped[bytes]
    hash: Mapped[bytes]


class EvidenceRow(Base):
    """The evidence of an entry and its salt: personal data, destroyed when a person is erased."""

    __tablename__ = "consent_evidence"

    event: Mapped[UUID] = mapped_column(primary_key=True)
    salt: Mapped[bytes]
    evidence: Mapped[bytes]


@dataclass(slots=True)
class Chain:
    """The end of one person's ledger, moved on by each append."""

    subject: UUID
    n: int
    head: bytes


@dataclass(frozen=True, slots=True)
class Appended:
    """An entry ready to be written."""

    envelope: Envelope
    canonical: bytes
    prev: bytes
    hash: bytes
    salt: bytes
    evidence: bytes


def extend(log: UUID, chain: Chain, change: ConsentChange, recorded_at: datetime) -> Appended:
    """Make the next entry of a chain. The caller holds the lock on the person's row."""
    salt = os.urandom(SALT_BYTES)
    evidence = canonical(dict(change.evidence))
    entry = change.entry
    envelope = Envelope(
        log=log,
        subject=chain.subject,
        n=chain.n + 1,
        event=uuid7(recorded_at),
        change=entry.change,
        program=entry.program,
        program_version=entry.version,
        method=entry.method,
        actor=change.actor,
        before=entry.before,
        after=entry.after,
        occurred_at=entry.occurred_at,
        recorded_at=recorded_at,
        message_sid=change.message_sid,
        terms=entry.terms,
        evidence_digest=evidence_digest(salt, evidence),
    )
    data = envelope.canonical()
    appended = Appended(envelope, data, chain.head, chain_hash(chain.head, data), salt, evidence)
    chain.n, chain.head = envelope.n, appended.hash
    return appended


def event_row(entry: Appended) -> dict[str, Any]:
    """The row of ``consent_events`` for an entry."""
    envelope = entry.envelope
    return {
        "event": envelope.event,
        "subject": envelope.subject,
        "n": envelope.n,
        "change": envelope.change,
        "program": envelope.program,
        "method": envelope.method,
        "occurred_at": envelope.occurred_at,
        "recorded_at": envelope.recorded_at,
        "message_sid": envelope.message_sid,
        "placement": envelope.terms.get("placement"),
        "evidence_digest": envelope.evidence_digest,
        "envelope": entry.canonical,
        "prev": entry.prev,
        "hash": entry.hash,
    }


def evidence_row(entry: Appended) -> dict[str, Any]:
    """The row of ``consent_evidence`` for an entry."""
    return {"event": entry.envelope.event, "salt": entry.salt, "evidence": entry.evidence}


_CHAIN = """
SELECT e.subject, e.n, e.envelope, e.prev, e.hash, e.evidence_digest, v.salt, v.evidence
FROM consent_events e LEFT JOIN consent_evidence v USING (event)
WHERE e.subject = %s ORDER BY e.n
"""


def chain_of(cursor: Cursor[TupleRow], subject: UUID) -> list[Link]:
    """A person's whole chain, for ``keywords.ledger.verify`` and for reading."""
    return [Link(*row) for row in cursor.execute(_CHAIN, (subject,))]


def read(link: Link) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """The envelope and the evidence (None once erased) of a stored entry."""
    evidence = json.loads(link.evidence) if link.evidence is not None else None
    return json.loads(link.envelope), evidence
