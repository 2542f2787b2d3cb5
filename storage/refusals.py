"""Refusals that did not come by text: heard at a till, by mail, in a shop's own settings."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from keywords.consent import Method
from keywords.ledger import Json
from keywords.people import Person
from keywords.resolving import Judgement, opt_out, opt_out_of
from keywords.shop import Program, Shop
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.fencing import lock_fenced
from storage.locking import Locked
from storage.shop import ShopCache
from storage.suppression import suppressed

Choose = Callable[[Person, Shop], Sequence[Program]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What somebody no longer wants. ``actor`` is "person", "key:<name>" or "operator:<name>".

    ``choose`` says which programs end; None ends everything, as STOP does. ``happened_at`` is when
    it is said to have happened, None for now.
    """

    phone: str
    actor: str
    method: Method
    evidence: Mapping[str, Json]
    happened_at: datetime | None = None
    choose: Choose | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """What was ended, and whose it was; None for a suppressed number that we have no row of."""

    subscriber_id: int | None
    ref: UUID | None
    ended: tuple[str, ...]


_NOBODY: Final = Refused(None, None, ())
_KNOWN: Final = "SELECT FROM subscribers WHERE phone = %s"


def refuse(connection: Connection, shops: ShopCache, pepper: str, refusal: Refusal) -> Refused:
    """End what a refusal is about, at once. Call inside a transaction.

    A number that was never seen is noted, so that nothing can begin by mistake; one that is on
    the suppression list and has no row needs none.
    """
    known = connection.execute(_KNOWN, (refusal.phone,)).fetchone() is not None
    if not known and suppressed(connection, pepper, [refusal.phone]):
        return _NOBODY
    locked = lock_fenced(connection, [refusal.phone])
    return refuse_locked(connection, shops, locked, refusal)


def refuse_locked(
    connection: Connection, shops: ShopCache, locked: Locked, refusal: Refusal
) -> Refused:
    """The same for a person who is locked already."""
    shop = shops.at(connection, locked.catalogue_version)
    person = locked.people[refusal.phone]
    happened = min(refusal.happened_at or locked.now, locked.now)
    judgement = Judgement(refusal.actor, happened, None, refusal.evidence, refusal.method)
    if refusal.choose is None:
        person, changes = opt_out(person, shop, "", judgement)
    else:
        chosen = refusal.choose(person, shop)
        person, changes = opt_out_of(person, chosen, judgement)
    locked.people[refusal.phone] = person
    write_changes(connection, locked, [(refusal.phone, change) for change in changes])
    ended = tuple(str(change.entry.program) for change in changes)
    return Refused(locked.ids[refusal.phone], person.ref, ended)
