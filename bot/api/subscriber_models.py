"""What the API shows of a person: current state, ledger entries, texts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from bot.api.models import FrequencyModel, Model
from keywords.consent import Change, Method, State
from keywords.ledger import Link
from keywords.people import read_frequency
from keywords.segments import count
from storage.ledger import read
from storage.people import SubscriberRow, SubscriptionRow


class Subscription(Model):
    """Where a person stands with a program.

    ``frequency`` is the person's own wish, null where they expressed none. ``method`` is how the
    present consent, or its end, came about; ``program_version`` what was promised then.
    """

    program: str
    state: State
    frequency: FrequencyModel | None
    confirmed_at: datetime | None
    paused_until: datetime | None
    expires_at: datetime | None
    method: Method | None
    asked_at: datetime | None
    reminded_at: datetime | None
    unsubscribed_at: datetime | None
    program_version: int | None


class Subscriber(Model):
    """A person. ``suspended``: no marketing, because a text of theirs may have been an opt-out."""

    phone: str
    language: str | None
    reachability: str
    suspended: bool
    subscriptions: list[Subscription]
    ref: UUID
    created_at: datetime


class ConsentEntry(Model):
    """A ledger entry. ``evidence`` is null once the person was erased; hashes are hexadecimal."""

    n: int
    event: UUID
    program: str | None
    program_version: int | None
    change: Change
    method: Method
    actor: str
    before: str
    after: str
    occurred_at: datetime
    recorded_at: datetime
    message_sid: str | None
    terms: dict[str, str]
    evidence: dict[str, Any] | None
    evidence_digest: str
    prev: str
    hash: str


class ConsentEntries(Model):
    """A page of a person's ledger, oldest first."""

    items: list[ConsentEntry]
    next: str | None


class Message(Model):
    """A text to or from a person.

    ``kind`` says what an outbound text is for ("reply", "confirmation"), ``reply`` which of the
    program's texts it is. ``reading``, ``silence`` and ``review`` belong to inbound texts: what it
    was taken to mean and why, why it was not answered, why a person should look at it.
    """

    id: str
    direction: Literal["inbound", "outbound"]
    at: datetime
    sender: str
    channel: str
    body: str
    state: str
    kind: str | None
    reply: str | None
    program: str | None
    language: str | None
    encoding: str
    sms_segments: int
    reading: dict[str, Any] | None
    silence: str | None
    review: str | None
    in_reply_to: str | None
    carrier_sid: str | None
    error_code: str | None


class Messages(Model):
    """A page of a person's texts, oldest first."""

    items: list[Message]
    next: str | None


def subscriber_answer(row: SubscriberRow, subscriptions: list[SubscriptionRow]) -> Subscriber:
    """A person as they are shown."""
    return Subscriber(
        phone=row.phone,
        language=row.language,
        reachability=row.reachability,
        suspended=row.suspended,
        subscriptions=[_subscription(s) for s in subscriptions],
        ref=row.ref,
        created_at=row.created_at,
    )


def _subscription(row: SubscriptionRow) -> Subscription:
    wish = read_frequency(row.frequency) if row.frequency else None
    return Subscription(
        program=row.program,
        state=State(row.state),
        frequency=FrequencyModel.of(wish),
        confirmed_at=row.confirmed_at,
        paused_until=row.paused_until,
        expires_at=row.expires_at,
        method=Method(row.method) if row.method else None,
        asked_at=row.asked_at,
        reminded_at=row.reminded_at,
        unsubscribed_at=row.unsubscribed_at,
        program_version=row.version,
    )


_HASHED = frozenset(ConsentEntry.model_fields) - {"evidence", "evidence_digest", "prev", "hash"}


def entry_answer(link: Link) -> ConsentEntry:
    """An entry as it is shown: what was hashed, and beside it the evidence."""
    envelope, evidence = read(link)
    hashes = {
        "evidence": evidence,
        "evidence_digest": link.evidence_digest.hex(),
        "prev": link.prev.hex(),
        "hash": link.hash.hex(),
    }
    return ConsentEntry.model_validate({name: envelope[name] for name in _HASHED} | hashes)


def message_answer(row: Mapping[str, Any]) -> Message:
    """A text as it is shown."""
    values = {name: row[name] for name in Message.model_fields}
    if values["encoding"] is None:
        size = count(values["body"])
        values |= {"encoding": str(size.encoding), "sms_segments": size.segments}
    return Message.model_validate(values)
