"""Who has not reacted for long: no text of theirs, no tap on a link, no order, although we wrote.

The rule is data (``worker/data/sunset.toml``); what follows from it is in ``worker.sunset``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from psycopg.rows import class_row

from storage.database import Connection


@dataclass(frozen=True, slots=True)
class Silent:
    """A subscriber who did not react. ``texts`` campaign texts were taken by the carrier."""

    id: int
    phone: str
    confirmed_at: datetime
    texts: int


# Whatever a person does of their own will. ``s`` is the subscriber; a time to compare with follows.
REACTIONS: Final = """
1 FROM (
    SELECT i.received_at AS at FROM inbound_texts i WHERE i.subscriber_id = s.id
    UNION ALL
    SELECT k.at FROM clicks k WHERE k.subscriber_id = s.id AND k.label = 'human'
    UNION ALL
    SELECT o.ordered_at FROM orders o WHERE o.subscriber_id = s.id
) x WHERE x.at
"""
_FIND: Final = f"""
SELECT id, phone, confirmed_at, texts FROM (
    SELECT s.id, s.phone, t.confirmed_at, (
        SELECT count(*) FROM recipients r JOIN campaigns c ON c.id = r.campaign_id
        WHERE r.subscriber_id = s.id AND r.claimed_at > (SELECT assent_now()) - %(over)s
          AND r.state = 'accepted' AND c.program = t.program) AS texts
    FROM subscribers s JOIN subscriptions t ON t.subscriber_id = s.id
    WHERE t.program = %(program)s AND t.state = 'subscribed'
      AND t.confirmed_at < (SELECT assent_now()) - %(over)s
      AND (s.id > %(after)s AND s.id <= %(until)s OR s.phone = ANY(%(phones)s))
      AND NOT EXISTS (SELECT {REACTIONS} > (SELECT assent_now()) - %(over)s)
) AS quiet WHERE texts >= %(texts)s ORDER BY id
"""  # noqa: S608 - a part of a statement, which is our own
_LAST: Final = "SELECT coalesce(max(id), 0) FROM subscribers"
_WINDOW: Final = 20_000


def find(
    connection: Connection, program: str, over: timedelta, texts: int, after: int = 0
) -> Iterator[Silent]:
    """The silent subscribers of a program by id, from the one after the id ``after``.

    They are read in windows of people, so that no statement is long.
    """
    ((last,),) = connection.execute(_LAST).fetchall()
    values = {"program": program, "over": over, "texts": texts, "phones": []}
    for start in range(after, last, _WINDOW):
        yield from _read(connection, values | {"after": start, "until": start + _WINDOW})


def still(
    connection: Connection, program: str, over: timedelta, texts: int, phones: Sequence[str]
) -> list[Silent]:
    """Those of ``phones`` that are silent at this moment."""
    values = {"program": program, "over": over, "texts": texts, "phones": list(phones)}
    return _read(connection, values | {"after": 0, "until": 0})


def _read(connection: Connection, values: dict[str, object]) -> list[Silent]:
    with connection.cursor(row_factory=class_row(Silent)) as cursor:
        return cursor.execute(_FIND, values).fetchall()
