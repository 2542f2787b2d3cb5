"""Queue what happened for the endpoints that want to be told, as documents of one shape.

``{"type": …, "timestamp": …, "data": {…}}``, as Standard Webhooks suggests. Numbers are in it: the
endpoint is the shop's own. What a person's erasure must reach is found by the subscriber's id.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from keywords.ledger import instant
from storage import webhook_feed, webhooks
from storage.database import Connection
from storage.erasing import STAND_IN
from storage.transaction import atomic
from storage.webhooks import Event

_PAGE: Final = 1_000


def feed(connection: Connection) -> int:
    """Queue consent changes and deliveries since the last time; answers how many there were."""
    total = 0
    for event, reader, read, shape in (
        (Event.CONSENT, webhook_feed.CONSENT, webhook_feed.consent_since, _consent),
        (Event.DELIVERY, webhook_feed.DELIVERY, webhook_feed.deliveries_since, _delivery),
    ):
        with atomic(connection):
            if not webhooks.wanted(connection, event):
                webhook_feed.stop(connection, reader)
                continue
            rows = read(connection, _PAGE)
            bodies = [(row["subscriber_id"], document(event, *shape(row))) for row in rows]
            webhooks.emit(connection, event, bodies)
            total += len(rows)
    return total


def tell(
    connection: Connection,
    event: Event,
    happened: Sequence[tuple[int | None, datetime, Mapping[str, Any]]],
) -> None:
    """Queue things that have just happened, in the transaction in which they did.

    Each is the subscriber it is about, its time, and its data.
    """
    if happened and webhooks.wanted(connection, event):
        bodies = [(person, document(event, at, data)) for person, at, data in happened]
        webhooks.emit(connection, event, bodies)


def document(event: Event, at: datetime, data: Mapping[str, Any]) -> str:
    """The document that is signed and sent."""
    whole = {"type": str(event), "timestamp": instant(at), "data": dict(data)}
    return json.dumps(whole, separators=(",", ":"), ensure_ascii=False)


def _consent(row: Mapping[str, Any]) -> tuple[datetime, dict[str, Any]]:
    envelope = json.loads(row["envelope"])
    return row["recorded_at"], {
        **_whom(row),
        "program": row["program"],
        "change": row["change"],
        "method": row["method"],
        "before": envelope["before"],
        "after": envelope["after"],
        "occurred_at": instant(row["occurred_at"]),
        "event": str(row["event"]),
        "hash": row["hash"],
    }


def _delivery(row: Mapping[str, Any]) -> tuple[datetime, dict[str, Any]]:
    return row["at"], {
        **_whom(row),
        "status": row["status"],
        "error_code": row["code"],
        "carrier_sid": row["sid"],
        "campaign_id": row["campaign_id"],
        "recipient_id": row["recipient_id"],
        "message_id": row["message_id"],
    }


def _whom(row: Mapping[str, Any]) -> dict[str, Any]:
    """The person's number, and whether they were erased: then there is none to tell."""
    erased = row["phone"] is not None and row["phone"].startswith(STAND_IN)
    return {"phone": None if erased else row["phone"], "erased": erased}
