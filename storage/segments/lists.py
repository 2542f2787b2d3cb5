"""Where the people of an uploaded list stand with a program."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from psycopg.rows import class_row

from storage.database import Connection

_STANDINGS: Final = """
SELECT s.phone, s.suspended, s.reachability, t.state, t.confirmed_at
FROM subscribers s
LEFT JOIN subscriptions t ON t.subscriber_id = s.id AND t.program = %(program)s
WHERE s.phone = ANY(%(phones)s)
"""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody we have a row of. ``state`` is None where the program never came up."""

    phone: str
    suspended: bool
    reachability: str
    state: str | None
    confirmed_at: datetime | None


def known(
    connection: Connection, program: str | None, phones: Sequence[str]
) -> Mapping[str, Known]:
    """Those of these E.164 numbers that we know, and how they stand with ``program``."""
    values = {"program": program, "phones": list(phones)}
    with connection.cursor(row_factory=class_row(Known)) as cursor:
        return {each.phone: each for each in cursor.execute(_STANDINGS, values)}
