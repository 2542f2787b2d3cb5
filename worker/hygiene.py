"""Consent ends where the number has another owner: what lists of such numbers come to.

The consent machine decides (``CARRIER_DEACTIVATED``: an opt-in lapses, a refusal stays). A consent
that was given after the number was given up is its new owner's, and stays. Reading the same list
twice changes nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from itertools import islice
from typing import Final, TypeVar

from keywords.consent import Method
from keywords.ledger import Json, instant
from keywords.signals import Reading, Signal
from keywords.turn import ConsentChange, Origin, Text, Turn
from storage import hygiene
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.fencing import lock_fenced
from storage.hygiene import Answered, Reassigned
from storage.shop import ShopCache
from storage.transaction import atomic
from worker.policy.lapsing import day_over, ends

_CHUNK: Final = 10_000
_BATCH: Final = 100
_ACTOR: Final = "carrier"
_NO_TEXT: Final = Text("", "", "", "")
_BY_LIST: Final = Reading(Signal.CARRIER_DEACTIVATED, "carrier.list")
Item = TypeVar("Item")

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Read:
    """What came of a list: its numbers, those that are ours, and the ledger entries made."""

    numbers: int
    known: int
    lapsed: int


@dataclass(frozen=True, slots=True)
class _Gone:
    """When the number was given up, at the latest, and what shows it."""

    moment: datetime
    evidence: Mapping[str, Json]


def deactivated(
    connection: Connection, shops: ShopCache, phones: Iterable[str], day: date, source: str
) -> Read:
    """Apply the carrier's list of a day; ``source`` says where it came from, for the evidence."""
    told: dict[str, Json] = {"list": "deactivations", "day": day.isoformat(), "source": source}
    gone = _Gone(day_over(day), {"carrier": told})
    numbers = known = lapsed = 0
    for chunk in _chunks(phones, _CHUNK):
        ours = hygiene.known(connection, chunk)
        numbers, known = numbers + len(chunk), known + len(ours)
        for batch in _chunks(ours, _BATCH):
            with atomic(connection):
                lapsed += _lapse(connection, shops, dict.fromkeys(batch, gone))
                hygiene.gone(connection, batch, gone.moment)
    with atomic(connection):
        hygiene.day_read(connection, day, numbers, known)
    _log.warning("a list of deactivated numbers was read", extra={"count": lapsed})
    return Read(numbers, known, lapsed)


def reassigned(
    connection: Connection, shops: ShopCache, answers: Iterable[Answered], source: str
) -> Read:
    """Apply a file of answers of the FCC's database, some hundred at a time."""
    total = Read(0, 0, 0)
    for batch in _chunks(answers, _BATCH):
        with atomic(connection):
            read = apply_answers(connection, shops, batch, source)
        total = Read(
            total.numbers + read.numbers, total.known + read.known, total.lapsed + read.lapsed
        )
    return total


def apply_answers(
    connection: Connection, shops: ShopCache, answers: Sequence[Answered], source: str
) -> Read:
    """Apply answers: "yes" ends consent, each is kept with its date. Call inside a transaction.

    ``source`` says where they come from, for the evidence.
    """
    ours = frozenset(hygiene.known(connection, [each.phone for each in answers]))
    yes = {
        each.phone: _Gone(day_over(each.alive_on), _told(each, source))
        for each in answers
        if each.answer is Reassigned.YES and each.phone in ours
    }
    lapsed = _lapse(connection, shops, yes)
    hygiene.answered(connection, _last(answers))
    return Read(len(answers), len(ours), lapsed)


def _told(answer: Answered, source: str) -> dict[str, Json]:
    told: dict[str, Json] = {
        "list": "reassigned numbers database",
        "answer": answer.answer,
        "asked_about": answer.alive_on.isoformat(),
        "source": source,
    }
    return {"carrier": told}


def _last(batch: Sequence[Answered]) -> list[Answered]:
    """One answer for each number: the last."""
    return list({each.phone: each for each in batch}.values())


def _lapse(connection: Connection, shops: ShopCache, gone: Mapping[str, _Gone]) -> int:
    """End the consent of former owners; ``gone`` is by number. Call inside a transaction."""
    if not gone:
        return 0
    phones = sorted(gone)
    locked = lock_fenced(connection, phones)
    shop = shops.at(connection, locked.catalogue_version)
    changes: list[tuple[str, ConsentChange]] = []
    for phone in phones:
        evidence = {**gone[phone].evidence, "read_at": instant(locked.now)}
        origin = Origin(Method.CARRIER, _ACTOR, evidence)
        turn = Turn(_NO_TEXT, locked.people[phone], shop, None, _BY_LIST, locked.now, origin=origin)
        for program in shop.programs.values():
            if ends(turn.person.standing(program.slug), gone[phone].moment):
                turn.tell(program, Signal.CARRIER_DEACTIVATED)
        locked.people[phone] = turn.person
        changes += [(phone, change) for change in turn.changes]
    write_changes(connection, locked, changes)
    return len(changes)


def _chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk
