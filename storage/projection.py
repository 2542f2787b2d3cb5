"""The current consent table against the ledger: what it should say, and how to make it say so.

``subscriptions``, and a subscriber's language and suspension, are what ``keywords.people.replay``
makes of that person's entries. The same ``apply`` wrote them in the first place, so a difference
means that something else did.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from keywords.consent import Change
from keywords.people import Entry, Person, Standing, replay, write_frequency
from storage.database import raw
from storage.ledger import chain_of
from storage.people import SubscriberRow, SubscriptionRow

Columns = Mapping[str, Any]
_NAMES: Final = tuple(field.name for field in fields(Standing))


@dataclass(frozen=True, slots=True)
class Current:
    """A person as the tables have them: language, suspension, subscriptions by program.

    A subscription is its columns but the subscriber, as :func:`columns` writes them.
    """

    language: str | None
    suspended: bool
    subscriptions: Mapping[str, Columns]


def entry_of(envelope: Mapping[str, Any]) -> Entry:
    """The part of an envelope that the projection depends on.

    Raises KeyError or ValueError for an envelope that this version of the ledger did not write.
    """
    return Entry(
        change=Change(envelope["change"]),
        program=envelope["program"],
        version=envelope["program_version"],
        method=envelope["method"],
        before=envelope["before"],
        after=envelope["after"],
        occurred_at=datetime.fromisoformat(envelope["occurred_at"]),
        terms=envelope["terms"],
    )


def replayed(subject: UUID, envelopes: Iterable[Mapping[str, Any]]) -> Person:
    """The person that these entries make, without a number: the ledger holds none."""
    return replay(Person(subject, ""), map(entry_of, envelopes))


def columns(standing: Standing) -> dict[str, Any]:
    """A standing as its row in ``subscriptions``, without the subscriber."""
    values = {name: getattr(standing, name) for name in _NAMES}
    if standing.frequency is not None:
        values["frequency"] = write_frequency(standing.frequency)
    return values


def differences(person: Person, current: Current) -> Iterator[str]:
    """What the tables say otherwise than the ledger, one sentence each."""
    if person.language != current.language:
        yield f"the language is {current.language}, the ledger says {person.language}"
    if person.suspended is not current.suspended:
        yield f"suspended is {current.suspended}, the ledger says {person.suspended}"
    for program in sorted(person.standings.keys() | current.subscriptions.keys()):
        standing = person.standings.get(program)
        yield from _differences(program, standing, current.subscriptions.get(program))


def _differences(program: str, standing: Standing | None, row: Columns | None) -> Iterator[str]:
    if row is None:
        yield f"{program}: the subscription of the ledger is missing"
    elif standing is None:
        yield f"{program}: there is a subscription that the ledger does not know"
    else:
        for name, said in columns(standing).items():
            if row[name] != said:
                yield f"{program}: {name} is {row[name]}, the ledger says {said}"


def rebuild(session: Session, subject: UUID) -> list[str]:
    """Write one person's current state anew from the ledger; answers what was different.

    The caller has verified the chain (``storage.verifying``): a replay of altered entries would
    make the alteration the current state.
    """
    row = session.scalars(
        select(SubscriberRow).where(SubscriberRow.ref == subject).with_for_update(key_share=True)
    ).one()
    chain = chain_of(raw(session).cursor(), subject)
    person = replayed(subject, (json.loads(link.envelope) for link in chain))
    found = list(differences(person, _current(session, row)))
    if found:
        _write(session, row, person)
    return found


def _current(session: Session, row: SubscriberRow) -> Current:
    session.refresh(row)
    rows = session.scalars(
        select(SubscriptionRow)
        .where(SubscriptionRow.subscriber_id == row.id)
        .execution_options(populate_existing=True)
    )
    return Current(
        row.language,
        row.suspended,
        {s.program: {name: getattr(s, name) for name in _NAMES} for s in rows},
    )


def _write(session: Session, row: SubscriberRow, person: Person) -> None:
    row.language, row.suspended = person.language, person.suspended
    session.execute(
        delete(SubscriptionRow).where(
            SubscriptionRow.subscriber_id == row.id,
            SubscriptionRow.program.not_in(person.standings),
        )
    )
    for standing in person.standings.values():
        values = columns(standing)
        session.execute(
            insert(SubscriptionRow)
            .values(subscriber_id=row.id, **values)
            .on_conflict_do_update(index_elements=["subscriber_id", "program"], set_=values)
        )
    session.flush()
    session.expire_all()
