"""The carrier says that a person has unsubscribed: what changes, for which programs.

Twilio keeps block lists of its own and refuses a text to a number on them with 21610. The person
has said STOP somewhere that we did not hear; it is recorded like one that we heard.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from keywords.consent import PRIOR, Method, decide
from keywords.ledger import Json
from keywords.naming import named
from keywords.people import Entry, Person, apply
from keywords.shop import Program, Shop
from keywords.signals import Signal
from keywords.turn import ConsentChange

_ACTOR: Final = "carrier"


def block(
    person: Person, shop: Shop, program: str | None, now: datetime, evidence: Mapping[str, Json]
) -> tuple[Person, list[ConsentChange]]:
    """The person after the carrier's refusal, and the ledger entries.

    As with STOP, silence about the scope means everything: every program that the person had to
    do with, and the one that the refused text was about.
    """
    changes: list[ConsentChange] = []
    for each in shop.programs.values():
        if each.slug not in person.standings and each.slug != program:
            continue
        change = _change(person, each, now, evidence)
        if change is not None:
            changes.append(change)
            person = apply(person, change.entry)
    return person, changes


def _change(
    person: Person, program: Program, now: datetime, evidence: Mapping[str, Json]
) -> ConsentChange | None:
    standing = person.standing(program.slug)
    decision = decide(standing.state, Signal.CARRIER_BLOCKED, standing.prior)
    assert decision.to != PRIOR
    if decision.change is None:
        return None
    entry = Entry(
        decision.change,
        program.slug,
        program.version,
        Method.CARRIER,
        standing.state,
        decision.to,
        now,
        {},
    )
    return ConsentChange(entry, _ACTOR, {**evidence, **named(program)})
