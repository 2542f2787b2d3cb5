"""The tables that a group of texts writes, as one statement for all of them (``rowsets``)."""

from __future__ import annotations

from typing import Final

from storage import optouts, races
from storage.rowsets import Batch, Rowset

_TEXTS: Final = Rowset(
    "inbound_texts",
    {
        "message_sid": "text",
        "received_at": "timestamptz",
        "sent_at": "timestamptz",
        **dict.fromkeys(("sender", "address", "channel"), "text"),
        "subscriber_id": "bigint",
        "body": "text",
        "raw": "bytea",
        "reading": "jsonb",
        "silence": "text",
        "review": "text",
    },
)
_DISCLOSURES: Final = Rowset(
    "disclosures",
    dict.fromkeys(("digest", "program", "language", "method", "text"), "text"),
    conflict="ON CONFLICT (digest) DO NOTHING",
)
_EVENTS: Final = Rowset(
    "consent_events",
    {
        "event": "uuid",
        "subject": "uuid",
        "n": "bigint",
        **dict.fromkeys(("change", "program", "method"), "text"),
        "occurred_at": "timestamptz",
        "recorded_at": "timestamptz",
        "message_sid": "text",
        "placement": "text",
        "evidence_digest": "bytea",
        "envelope": "bytea",
        "prev": "bytea",
        "hash": "bytea",
    },
)
_EVIDENCE: Final = Rowset(
    "consent_evidence", {"event": "uuid", "salt": "bytea", "evidence": "bytea"}
)
STANDING: Final = {
    "state": "text",
    "prior": "text",
    "frequency": "text",
    "asked_at": "timestamptz",
    "expires_at": "timestamptz",
    "reminded_at": "timestamptz",
    "question": "text",
    "confirmed_at": "timestamptz",
    "paused_until": "timestamptz",
    "unsubscribed_at": "timestamptz",
    "method": "text",
    "version": "bigint",
}
_SUBSCRIPTIONS: Final = Rowset(
    "subscriptions",
    {"subscriber_id": "bigint", "program": "text", **STANDING},
    conflict=(
        f"ON CONFLICT (subscriber_id, program) DO UPDATE SET ({', '.join(STANDING)})"
        f" = ({', '.join(f'excluded.{column}' for column in STANDING)})"
    ),
)
_SUBSCRIBERS: Final = Rowset(
    "subscribers",
    {
        "id": "bigint",
        "language": "text",
        "suspended": "boolean",
        "chain_n": "bigint",
        "chain_head": "bytea",
    },
    statement=(
        "UPDATE {table} s SET language = r.language, suspended = r.suspended,"
        " chain_n = r.chain_n, chain_head = r.chain_head FROM {rows} WHERE s.id = r.id"
    ),
)
_MESSAGES: Final = Rowset(
    "messages",
    {
        "id": "uuid",
        "subscriber_id": "bigint",
        **dict.fromkeys(("program", "sender", "kind", "reply", "language", "body"), "text"),
        **dict.fromkeys(("encoding", "in_reply_to", "state", "dedupe_key"), "text"),
        "sms_segments": "bigint",
        "mark": "bytea",
        **dict.fromkeys(("not_before", "not_after", "created_at"), "timestamptz"),
    },
)
_ROWSETS: Final = {
    "texts": _TEXTS,
    "disclosures": _DISCLOSURES,
    "events": _EVENTS,
    "evidence": _EVIDENCE,
    "subscriptions": _SUBSCRIPTIONS,
    "subscribers": _SUBSCRIBERS,
    "messages": _MESSAGES,
    "races": races.ROWS,
}
BATCH: Final = Batch(**_ROWSETS)
# Where somebody leaves, the message that this counts for is looked for in the same statement.
LEAVING: Final = Batch(optouts.THEN, v=optouts.MOMENTS, **_ROWSETS)
