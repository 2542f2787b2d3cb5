"""Numbers that may have another owner by now: what carriers and the FCC's database say of them.

Two files come in. The carrier's list of numbers that were deactivated on a day, and the answers of
the Reassigned Numbers Database (47 CFR 64.1200(l), (m)) to numbers with the day on which the person
was last known to be there. What follows for consent is decided in ``worker.hygiene``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum
from typing import Final

from psycopg.rows import class_row
from sqlalchemy import CheckConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.campaigns import one_of
from storage.database import Connection

# The database is asked about the same number again after so long; carriers report once a month.
ASK_AGAIN: Final = timedelta(days=30)


class Reassigned(StrEnum):
    """The FCC's answers: the number was given up on or after the day asked about, or not."""

    YES = "yes"
    NO = "no"
    NO_DATA = "no_data"


class DeactivationRow(Base):
    """A day whose list was read. ``numbers`` were on it, ``known`` of them are ours."""

    __tablename__ = "deactivation_days"

    day: Mapped[date] = mapped_column(primary_key=True)
    read_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    numbers: Mapped[int]
    known: Mapped[int]


class ReassignedRow(Base):
    """The last answer about a number. ``alive_on`` is the day that was asked about."""

    __tablename__ = "reassigned_checks"
    __table_args__ = (CheckConstraint(one_of("answer", Reassigned), name="answer"),)

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    alive_on: Mapped[date]
    answer: Mapped[str]
    answered_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


@dataclass(frozen=True, slots=True)
class Asked:
    """A number to ask about: E.164, and the last day on which the person was known to be there."""

    subscriber_id: int
    phone: str
    alive_on: date


@dataclass(frozen=True, slots=True)
class Answered:
    """What the FCC's database answered to that."""

    phone: str
    alive_on: date
    answer: Reassigned


_KNOWN: Final = "SELECT phone FROM subscribers WHERE phone = ANY(%s) ORDER BY phone"
# Somebody who has texted or agreed since is there, whoever it is.
_GONE: Final = """
UPDATE subscribers s SET reachability = 'deactivated', reachability_at = assent_now()
WHERE s.phone = ANY(%(phones)s) AND s.reachability <> 'deactivated'
  AND NOT EXISTS (SELECT FROM inbound_texts i WHERE i.subscriber_id = s.id
                  AND coalesce(i.sent_at, i.received_at) > %(moment)s)
"""
_READ: Final = """
INSERT INTO deactivation_days AS d (day, numbers, known) VALUES (%(day)s, %(numbers)s, %(known)s)
ON CONFLICT (day) DO UPDATE SET read_at = assent_now(), numbers = excluded.numbers,
    known = excluded.known
"""
_MISSING: Final = """
SELECT d::date FROM generate_series(
    (SELECT assent_now())::date - %(days)s::int, (SELECT assent_now())::date - 1, '1 day') d
WHERE NOT EXISTS (SELECT FROM deactivation_days x WHERE x.day = d::date) ORDER BY d
"""
# Proof of life: a text of theirs, their agreement, a link that they tapped.
_DUE: Final = """
SELECT s.id AS subscriber_id, s.phone, greatest(max(t.confirmed_at),
    (SELECT max(coalesce(i.sent_at, i.received_at)) FROM inbound_texts i
     WHERE i.subscriber_id = s.id),
    (SELECT max(c.at) FROM clicks c WHERE c.subscriber_id = s.id AND c.label = 'human'))::date
    AS alive_on
FROM subscribers s JOIN subscriptions t ON t.subscriber_id = s.id
LEFT JOIN reassigned_checks r ON r.subscriber_id = s.id
WHERE t.state IN ('subscribed', 'paused') AND t.confirmed_at IS NOT NULL AND s.phone LIKE '+1%%'
  AND s.id > %(after)s AND (r.answered_at IS NULL OR r.answered_at < assent_now() - %(again)s)
GROUP BY s.id ORDER BY s.id LIMIT %(limit)s
"""
_ANSWERED: Final = """
INSERT INTO reassigned_checks AS r (subscriber_id, alive_on, answer)
SELECT s.id, v.alive_on, v.answer
FROM unnest(%s::text[], %s::date[], %s::text[]) AS v (phone, alive_on, answer)
JOIN subscribers s ON s.phone = v.phone
ON CONFLICT (subscriber_id) DO UPDATE SET alive_on = excluded.alive_on, answer = excluded.answer,
    answered_at = assent_now()
"""
_ALIVE: Final = """
UPDATE subscribers s SET reachability = 'reachable', reachability_at = assent_now()
WHERE s.reachability IN ('doubtful', 'unreachable', 'invalid', 'deactivated')
  AND EXISTS (SELECT FROM inbound_texts i WHERE i.subscriber_id = s.id
              AND coalesce(i.sent_at, i.received_at) > s.reachability_at)
RETURNING s.id
"""
_FORGIVE: Final = "DELETE FROM number_strikes WHERE subscriber_id = ANY(%s)"


def known(connection: Connection, phones: Sequence[str]) -> list[str]:
    """Those of these numbers that we have, sorted."""
    return [phone for (phone,) in connection.execute(_KNOWN, (list(phones),))]


def gone(connection: Connection, phones: Collection[str], moment: datetime) -> None:
    """Nobody is at these numbers since ``moment``, unless somebody has texted from them since."""
    connection.execute(_GONE, {"phones": list(phones), "moment": moment})


def day_read(connection: Connection, day: date, numbers: int, known: int) -> None:
    """Note that a day's list was read."""
    connection.execute(_READ, {"day": day, "numbers": numbers, "known": known})


def days_missing(connection: Connection, days: int) -> list[date]:
    """Which of the last ``days`` days have a list that was not read, oldest first."""
    return [day for (day,) in connection.execute(_MISSING, {"days": days})]


def due(connection: Connection, after: int = 0, page: int = 10_000) -> Iterator[Asked]:
    """The North American numbers of subscribers beyond the id ``after`` to ask about, in pages."""
    while True:
        values = {"after": after, "again": ASK_AGAIN, "limit": page}
        with connection.cursor(row_factory=class_row(Asked)) as cursor:
            found = cursor.execute(_DUE, values).fetchall()
        if not found:
            return
        yield from found
        after = found[-1].subscriber_id


def answered(connection: Connection, answers: Sequence[Answered]) -> int:
    """Keep answers; those about numbers that we do not have are left out."""
    columns = (
        [each.phone for each in answers],
        [each.alive_on for each in answers],
        [str(each.answer) for each in answers],
    )
    return connection.execute(_ANSWERED, columns).rowcount


def lift(connection: Connection) -> int:
    """Who has texted since their number was given up can be reached; answers how many."""
    found = [key for (key,) in connection.execute(_ALIVE)]
    if found:
        connection.execute(_FORGIVE, (found,))
    return len(found)
