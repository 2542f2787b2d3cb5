"""Write what a group of texts came to: each table once, whatever the number of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from keywords.people import Standing, write_frequency
from keywords.segments import count
from keywords.signals import Reading
from keywords.turn import ConsentChange, Spoken, Text
from storage import ledger, optouts, races
from storage.conversation_rows import BATCH, LEAVING, STANDING
from storage.database import Connection
from storage.identifiers import uuid7
from storage.locking import Locked
from storage.messages import MessageState
from storage.rowsets import Batch, Row

if TYPE_CHECKING:
    # Reading texts costs half a second to set up, and an import writes without it.
    from keywords.conversation import Outcome

# How long a question that a worker sends in our place may still go out.
LATER_WITHIN: Final = timedelta(hours=4)
# A coupon follows the YES that earned it while that is still the same conversation, at any hour;
# later it would be marketing like any other. The code stays the person's.
GIFT_WITHIN: Final = timedelta(hours=1)

Changes: TypeAlias = Sequence[tuple[str, ConsentChange]]


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
    rows = _change_rows(locked, changes)
    _batch(rows).write(
        connection,
        texts=[_text_row(locked, d) for d in decided],
        messages=list(_message_rows(locked, decided)),
        **rows,
    )


def write_changes(
    connection: Connection, locked: Locked, changes: Changes, *, always: bool = False
) -> None:
    """Append ledger entries and bring the projection up to them.

    ``changes`` pairs a locked number with its entry; ``locked.people`` is how they are afterwards.
    ``always`` sends the statement for no changes too.
    """
    rows = _change_rows(locked, changes)
    batch = _batch(rows)
    (batch.send if always else batch.write)(connection, **rows)


def _batch(rows: dict[str, list[Row]]) -> Batch:
    return LEAVING if rows["v"] else BATCH


def _change_rows(locked: Locked, changes: Changes) -> dict[str, list[Row]]:
    entries = [
        ledger.extend(locked.log, locked.chains[phone], change, locked.now)
        for phone, change in changes
    ]
    touched = sorted({phone for phone, _ in changes})
    return {
        "v": list(optouts.rows(changes, locked.ids)),
        "disclosures": _disclosure_rows([change for _, change in changes]),
        "events": [ledger.event_row(entry) for entry in entries],
        "evidence": [ledger.evidence_row(entry) for entry in entries],
        "subscriptions": list(_subscription_rows(locked, touched)),
        "subscribers": [_subscriber_row(locked, phone) for phone in touched],
        "races": list(races.rows(changes, locked.in_flight, locked.ids, locked.now)),
    }


def _text_row(locked: Locked, decided: Decided) -> Row:
    text, outcome = decided.text, decided.outcome
    return {
        "message_sid": text.sid,
        "received_at": locked.now,
        "sent_at": text.sent_at,
        "sender": text.sender,
        "address": text.address,
        "channel": text.channel,
        "subscriber_id": locked.ids[decided.phone] if decided.phone else None,
        "body": text.body,
        "raw": decided.raw,
        "reading": reading_json(outcome.reading),
        "silence": outcome.silence,
        "review": outcome.review,
    }


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
        "placement": reading.placement,
    }
    return said | {name: value for name, value in optional.items() if value is not None}


def _disclosure_rows(changes: Sequence[ConsentChange]) -> list[Row]:
    """What was asked, each text once, in one order for every group."""
    shown: dict[str, Row] = {}
    for change in changes:
        asked = change.evidence.get("asked")
        if isinstance(asked, dict):
            shown[str(asked["disclosure"])] = {
                "digest": asked["disclosure"],
                "program": change.entry.program,
                "language": asked["language"],
                "method": change.entry.method,
                "text": asked["text"],
            }
    return [shown[key] for key in sorted(shown)]


def _message_rows(locked: Locked, decided: Sequence[Decided]) -> Iterator[Row]:
    for d in decided:
        if d.phone is None:
            continue
        if d.outcome.reply is not None:
            yield _message_row(locked, d, d.phone, d.outcome.reply) | {
                "kind": "reply",
                "mark": d.outcome.mark,
                "state": MessageState.ANSWERED,
            }
        for kind, key, spoken, within in (
            (d.outcome.later_kind, "later", d.outcome.later, LATER_WITHIN),
            ("coupon", "coupon", d.outcome.gift, GIFT_WITHIN),
        ):
            if spoken is not None:
                yield _message_row(locked, d, d.phone, spoken) | {
                    "kind": kind,
                    "state": MessageState.QUEUED,
                    "dedupe_key": f"{key}:{d.text.sid}",
                    "not_before": locked.now,
                    "not_after": locked.now + within,
                }


def _message_row(locked: Locked, d: Decided, phone: str, spoken: Spoken) -> dict[str, Any]:
    size = count(spoken.body)
    return {
        "id": uuid7(locked.now),
        "subscriber_id": locked.ids[phone],
        "program": spoken.program,
        "sender": d.text.sender,
        "reply": spoken.kind,
        "language": spoken.language,
        "body": spoken.body,
        "encoding": size.encoding,
        "sms_segments": size.segments,
        "in_reply_to": d.text.sid,
        "created_at": locked.now,
    }


def _subscription_rows(locked: Locked, phones: Sequence[str]) -> Iterator[Row]:
    for phone in phones:
        before = locked.before[phone].standings
        for program, standing in locked.people[phone].standings.items():
            if before.get(program) != standing:
                yield _subscription_row(locked.ids[phone], standing)


def _subscription_row(subscriber: int, standing: Standing) -> Row:
    return {
        "subscriber_id": subscriber,
        "program": standing.program,
        "frequency": write_frequency(standing.frequency) if standing.frequency else None,
    } | {name: getattr(standing, name) for name in STANDING if name != "frequency"}


def _subscriber_row(locked: Locked, phone: str) -> Row:
    person, chain = locked.people[phone], locked.chains[phone]
    return {
        "id": locked.ids[phone],
        "language": person.language,
        "suspended": person.suspended,
        "chain_n": chain.n,
        "chain_head": chain.head,
    }
