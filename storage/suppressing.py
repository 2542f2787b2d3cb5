"""Lists of numbers that must not be texted, taken in from elsewhere; and our list, given out.

Of a number that we do not know only the keyed hash is kept. Somebody whom we do know is opted out
of everything by entries of their ledger, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keywords.consent import Method, State
from keywords.ledger import Json
from keywords.people import Person
from keywords.resolving import Judgement, opt_out_of
from keywords.shop import Program, Shop
from keywords.turn import ConsentChange
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.fencing import lock_fenced
from storage.shop import ShopCache
from storage.suppression import SuppressionReason, phone_digest, suppress

_KNOWN: Final = "SELECT phone FROM subscribers WHERE phone = ANY(%s) ORDER BY phone"
_PAGE: Final = """
SELECT digest, reason, source, since FROM suppressions WHERE digest > %s ORDER BY digest LIMIT %s
"""
_FIND: Final = "SELECT digest, reason, source, since FROM suppressions WHERE digest = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Suppressed:
    """One number of the list, by its keyed hash."""

    digest: bytes
    reason: str
    source: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """What a list came to: numbers that were new on ours, and people whose consent it ended."""

    added: int = 0
    opted_out: int = 0

    def __add__(self, other: Taken) -> Taken:
        return Taken(self.added + other.added, self.opted_out + other.opted_out)


def take_in(
    connection: Connection,
    shops: ShopCache,
    pepper: str,
    phones: Sequence[str],
    *,
    source: str,
    actor: str,
) -> Taken:
    """Put E.164 numbers on the list and end the consent of those we know. In a transaction.

    ``source`` says where the list is from ("file:stop-list.csv"); ``actor`` is "key:<name>" or
    "operator:<name>". The same list again changes nothing.
    """
    digests = [phone_digest(pepper, phone) for phone in dict.fromkeys(phones)]
    # First: whoever is opted in while we wait for the locks is then seen to be suppressed.
    added = suppress(connection, digests, SuppressionReason.IMPORTED, source)
    known = [phone for (phone,) in connection.execute(_KNOWN, (list(phones),))]
    if not known:
        return Taken(added)
    locked = lock_fenced(connection, known)
    shop = shops.at(connection, locked.catalogue_version)
    evidence: dict[str, Json] = {"suppression": {"by": actor, "source": source}}
    judgement = Judgement(actor, locked.now, None, evidence, Method.IMPORT)
    changes: list[tuple[str, ConsentChange]] = []
    ended = 0
    for phone in known:
        person, entries = opt_out_of(
            locked.people[phone], _open(locked.people[phone], shop), judgement
        )
        locked.people[phone] = person
        changes += [(phone, entry) for entry in entries]
        ended += bool(entries)
    write_changes(connection, locked, changes)
    return Taken(added, ended)


def _open(person: Person, shop: Shop) -> list[Program]:
    """The programs in which something can still begin or go on."""
    left = (State.UNSUBSCRIBED,)
    return [
        program
        for slug, program in shop.programs.items()
        if slug in person.standings and person.standing(slug).state not in left
    ]


def page(connection: Connection, after: bytes, limit: int) -> list[Suppressed]:
    """The list in the order of its hashes, from the one after ``after`` (first ``b""``)."""
    return [Suppressed(*row) for row in connection.execute(_PAGE, (after, limit))]


def find(connection: Connection, pepper: str, phones: Sequence[str]) -> Mapping[str, Suppressed]:
    """Which of these E.164 numbers are on the list, and since when."""
    digests = {phone_digest(pepper, phone): phone for phone in phones}
    rows = connection.execute(_FIND, (list(digests),))
    return {digests[row[0]]: Suppressed(*row) for row in rows}
