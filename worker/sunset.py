"""The end of marketing to people who never react: a rule, a list to look at, and then a pause.

Nothing is taken away. Consent and its evidence stay; the program is paused without an end, as if
the person had texted PAUSE, by an entry that names the rule and what it found. Their keyword, START
or RESUME ends the pause. Nobody is texted about it: one more text is what they did not want.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any, Final

from keywords.consent import Method, State
from keywords.data import load
from keywords.ledger import Json, instant
from keywords.signals import Reading, Signal
from keywords.turn import ConsentChange, Origin, Text, Turn
from storage import audit, silent
from storage import sunset as settings
from storage.conversation_writes import write_changes
from storage.database import Connection
from storage.fencing import lock_fenced
from storage.shop import ShopCache
from storage.silent import Silent
from storage.transaction import atomic

_DATA: Final[Any] = load("sunset", "worker.data")
DAYS: Final[int] = _DATA["rule"]["days"]
TEXTS: Final[int] = _DATA["rule"]["texts"]
_BATCH: Final = 100
_SYSTEM: Final = "system"
_NO_TEXT: Final = Text("", "", "", "")
_BY_RULE: Final = Reading(Signal.PAUSE, "sunset")


@dataclass(frozen=True, slots=True)
class Rule:
    """So many ``days`` without any reaction to so many ``texts``."""

    days: int = DAYS
    texts: int = TEXTS
    version: int = _DATA["version"]

    @classmethod
    def of(cls, connection: Connection, program: str) -> Rule:
        """The rule of a program: the one that the shop has set, or that of the data file."""
        kept = settings.get(connection, program)
        return cls(kept.days, kept.texts) if kept else cls()

    @property
    def over(self) -> timedelta:
        """The time without a reaction."""
        return timedelta(days=self.days)


def suggest(connection: Connection, program: str, rule: Rule, after: int = 0) -> Iterator[Silent]:
    """Whom the rule would pause, by id, from the one after ``after``. Changes nothing."""
    return silent.find(connection, program, rule.over, rule.texts, after)


def pause(connection: Connection, shops: ShopCache, program: str, rule: Rule) -> int:
    """Pause them; answers how many. Who reacts meanwhile is left alone."""
    found = suggest(connection, program, rule)
    total = 0
    while batch := [each.phone for each in islice(found, _BATCH)]:
        with atomic(connection):
            total += _pause(connection, shops, program, rule, sorted(batch))
    return total


def apply_due(connection: Connection, shops: ShopCache) -> int:
    """Apply each program's rule that is enabled and was not applied today; how many were paused.

    A rule that is cut short goes on the next day: whoever was paused is no longer found.
    """
    total = 0
    while True:
        with atomic(connection):
            due = settings.take(connection)
        if due is None:
            return total
        paused = pause(connection, shops, due.program, Rule(due.days, due.texts))
        with atomic(connection):
            settings.done(connection, due.program, paused)
            if paused:
                detail = {"days": due.days, "texts": due.texts, "paused": paused}
                audit.note(connection, _SYSTEM, "sunset.applied", f"program:{due.program}", detail)
        total += paused


def _pause(
    connection: Connection, shops: ShopCache, slug: str, rule: Rule, phones: Sequence[str]
) -> int:
    locked = lock_fenced(connection, phones)
    shop = shops.at(connection, locked.catalogue_version)
    program = shop.programs[slug]
    changes: list[tuple[str, ConsentChange]] = []
    for each in silent.still(connection, slug, rule.over, rule.texts, phones):
        person = locked.people[each.phone]
        if person.standing(slug).state is not State.SUBSCRIBED:
            continue
        origin = Origin(Method.SYSTEM, "system", _evidence(each, rule))
        turn = Turn(_NO_TEXT, person, shop, None, _BY_RULE, locked.now, origin=origin)
        turn.tell(program, Signal.PAUSE)
        locked.people[each.phone] = turn.person
        changes += [(each.phone, change) for change in turn.changes]
    write_changes(connection, locked, changes)
    return len(changes)


def _evidence(found: Silent, rule: Rule) -> dict[str, Json]:
    told: dict[str, Json] = {
        "rule": f"sunset {rule.version}",
        "days": rule.days,
        "texts": rule.texts,
        "sent": found.texts,
        "subscribed_since": instant(found.confirmed_at),
    }
    return {"sunset": told}
