"""Segments and uploaded lists as rows; counts that are true at the moment they are asked for."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Identity, select, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from storage.base import Base
from storage.database import Connection
from storage.segments import sql
from storage.segments.conditions import EVERYBODY, Condition, document
from storage.segments.conditions import parse as parse_condition
from storage.segments.fields import check

_COUNT: Final = """
SELECT count(*),
       count(*) FILTER (WHERE t.state = 'subscribed'),
       count(*) FILTER (WHERE t.state = 'paused'),
       count(*) FILTER (WHERE t.state = 'pending'),
       count(*) FILTER (WHERE t.state = 'unsubscribed'),
       count(*) FILTER (WHERE s.suspended AND t.state IN ('subscribed', 'paused')),
       count(*) FILTER (WHERE s.reachability = 'invalid' AND t.state IN ('subscribed', 'paused'))
FROM {people} WHERE {where}
"""
_MEMBERS: Final = """
SELECT s.id, s.phone FROM {people} WHERE s.id > %(after)s AND {where} ORDER BY s.id LIMIT %(limit)s
"""
_ADD: Final = """
INSERT INTO list_members (list_id, subscriber_id)
SELECT %s, id FROM subscribers WHERE phone = ANY(%s) ON CONFLICT DO NOTHING
"""


class SegmentRow(Base):
    """A saved condition. ``condition`` is the document that ``conditions.parse`` reads."""

    __tablename__ = "segments"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    condition: Mapped[dict[str, Any]]
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))
    updated_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class ListRow(Base):
    """A list of numbers that somebody uploaded; those never seen before are only counted."""

    __tablename__ = "lists"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    rows: Mapped[int] = mapped_column(server_default=text("0"))
    invalid: Mapped[int] = mapped_column(server_default=text("0"))
    unknown: Mapped[int] = mapped_column(server_default=text("0"))
    created_by: Mapped[str]
    created_at: Mapped[datetime] = mapped_column(server_default=text("assent_now()"))


class ListMemberRow(Base):
    """A subscriber on an uploaded list."""

    __tablename__ = "list_members"

    subscriber_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    list_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


@dataclass(frozen=True, slots=True)
class Audience:
    """Whom a campaign is for: people of ``program`` who meet one condition and not another.

    ``as_of`` is the moment whose bands of customers count (``storage.bands``); None is now. It is
    no part of what is stored.
    """

    program: str
    include: Condition = EVERYBODY
    exclude: Condition | None = None
    as_of: datetime | None = None

    def query(self) -> sql.Query:
        """The SQL over ``sql.PEOPLE``, ``program`` and ``as_of`` among its parameters."""
        include = sql.compile_(self.include, "i")
        where = include.where
        parameters = {"program": self.program, "as_of": self.as_of, **include.parameters}
        if self.exclude is not None:
            exclude = sql.compile_(self.exclude, "e")
            where, parameters = (
                f"{where} AND NOT ({exclude.where})",
                {**parameters, **exclude.parameters},
            )
        return sql.Query(where, parameters)

    def document(self) -> dict[str, Any]:
        """The JSON that :func:`audience` reads back."""
        kept: dict[str, Any] = {"program": self.program, "include": document(self.include)}
        return kept | ({"exclude": document(self.exclude)} if self.exclude is not None else {})


@dataclass(frozen=True, slots=True)
class Counts:
    """How many people an audience has, by where they stand with its program.

    ``never`` were never asked or never answered; ``suspended`` and ``unreachable`` are among
    those who are subscribed or paused.
    """

    people: int
    subscribed: int
    paused: int
    pending: int
    unsubscribed: int
    suspended: int
    unreachable: int

    @property
    def never(self) -> int:
        """People who never agreed to this program."""
        return self.people - self.subscribed - self.paused - self.pending - self.unsubscribed


def audience(stored: Mapping[str, Any]) -> Audience:
    """The audience that :meth:`Audience.document` wrote."""
    exclude = stored.get("exclude")
    return Audience(
        stored["program"],
        parse_condition(stored.get("include", {})),
        None if exclude is None else parse_condition(exclude),
    )


def read(given: Any) -> Condition:
    """A condition from a client, parsed and checked. Raises ``conditions.BadCondition``."""
    condition = parse_condition(given)
    check(condition)
    return condition


def count(connection: Connection, of: Audience) -> Counts:
    """How many people there are now."""
    query = of.query()
    statement = _COUNT.format(people=sql.PEOPLE, where=query.where)
    ((people, *rest),) = connection.execute(statement, dict(query.parameters)).fetchall()
    return Counts(people, *rest)


def members(
    connection: Connection, of: Audience, after: int, limit: int
) -> Sequence[tuple[int, str]]:
    """One page of people, id and number, by id from the one after ``after``."""
    query = of.query()
    statement = _MEMBERS.format(people=sql.PEOPLE, where=query.where)
    values = {**query.parameters, "after": after, "limit": limit}
    return [(key, phone) for key, phone in connection.execute(statement, values)]


def segments(session: Session, after: int | None, limit: int) -> Sequence[SegmentRow]:
    """Saved segments by id, from the one after ``after``."""
    statement = select(SegmentRow).order_by(SegmentRow.id).limit(limit)
    if after is not None:
        statement = statement.where(SegmentRow.id > after)
    return session.scalars(statement).all()


def lists(session: Session, after: int | None, limit: int) -> Sequence[ListRow]:
    """Uploaded lists by id, from the one after ``after``."""
    statement = select(ListRow).order_by(ListRow.id).limit(limit)
    if after is not None:
        statement = statement.where(ListRow.id > after)
    return session.scalars(statement).all()


def add_members(connection: Connection, list_id: int, phones: Iterable[str]) -> int:
    """Put subscribers with these E.164 numbers on a list; answers how many were known."""
    return connection.execute(_ADD, (list_id, list(phones))).rowcount
