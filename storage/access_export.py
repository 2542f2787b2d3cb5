"""All that is held about one person, as they may ask for it (GDPR Art. 15 and 20).

The sections are the tables of ``storage.holdings``, so that what is erased and what is shown are
the same list: a table that is added is in both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from storage.database import Connection
from storage.holdings import HOLDINGS
from storage.suppressing import Suppressed, find

KIND: Final = "assent.person/1"
_WHO: Final = "SELECT id, ref, assent_now() FROM subscribers WHERE phone = %s"
# A person may have a thousand clicks; nobody waits for the lock of anything here.
_TIMEOUT_MS: Final = 60_000


@dataclass(frozen=True, slots=True)
class Held:
    """What is held. ``sections`` are rows by table, with times in RFC 3339, empty ones too."""

    phone: str
    ref: UUID
    made_at: datetime
    sections: dict[str, list[dict[str, Any]]]
    suppressed: Suppressed | None


def held(connection: Connection, pepper: str, phone: str) -> Held | None:
    """All that is held about the person with this E.164 number; None when it was never seen.

    Call inside a transaction.
    """
    row = connection.execute(_WHO, (phone,)).fetchone()
    if row is None:
        return None
    subscriber_id, ref, now = row
    connection.execute(f"SET LOCAL statement_timeout = {_TIMEOUT_MS}")
    sections = {
        holding.table: _rows(connection, holding.read, {"id": subscriber_id, "ref": ref})
        for holding in reversed(HOLDINGS)
        if holding.read
    }
    connection.execute("SET LOCAL statement_timeout TO DEFAULT")
    return Held(phone, ref, now, sections, find(connection, pepper, [phone]).get(phone))


def _rows(connection: Connection, query: str, values: dict[str, Any]) -> list[dict[str, Any]]:
    statement = f"SELECT to_jsonb(held) FROM ({query}) held"  # noqa: S608 - our own queries
    return [row for (row,) in connection.execute(statement, values)]


def as_json(found: Held) -> dict[str, Any]:
    """The document that is handed over."""
    listed = found.suppressed
    return {
        "export": KIND,
        "made_at": found.made_at.isoformat(),
        "phone": found.phone,
        "ref": str(found.ref),
        "suppressed": {"reason": listed.reason, "since": listed.since.isoformat()}
        if listed
        else None,
        "sections": found.sections,
    }
