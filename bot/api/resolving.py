"""What follows for a person when one of us has read their text: an opt-out, or none.

Consent moves through the consent machine as always; only the method is another (``operator``),
and the evidence holds the text, who decided, and why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from keywords.consent import Change, Method, decide
from keywords.ledger import Json
from keywords.people import Entry, Person, apply
from keywords.shop import Program, Shop
from keywords.signals import Signal
from keywords.turn import ConsentChange


@dataclass(frozen=True, slots=True)
class Judgement:
    """Who decided when, and on what: ``message_sid`` is the text's, ``evidence`` all of it."""

    actor: str
    at: datetime
    message_sid: str
    evidence: Mapping[str, Json]


def opt_out(
    person: Person, shop: Shop, sender: str, judgement: Judgement
) -> tuple[Person, list[ConsentChange]]:
    """End all of a person's programs, as a STOP of theirs would have.

    Somebody who never joined anything refuses the programs of the number they wrote to, so that
    nothing can begin by mistake.
    """
    changes = []
    for program in _refused(person, shop, sender):
        standing = person.standing(program.slug)
        decision = decide(standing.state, Signal.STOP, standing.prior)
        if decision.change is None:
            continue
        entry = Entry(
            decision.change,
            program.slug,
            program.version,
            Method.OPERATOR,
            standing.state,
            decision.to,
            judgement.at,
            {},
        )
        changes.append(_change(entry, judgement))
        person = apply(person, entry)
    return person, changes


def keep(person: Person, judgement: Judgement) -> tuple[Person, list[ConsentChange]]:
    """Lift the suspension: the text was no opt-out."""
    if not person.suspended:
        return person, []
    entry = Entry(
        Change.SUSPENSION_LIFTED,
        None,
        None,
        Method.OPERATOR,
        "suspended",
        "active",
        judgement.at,
        {},
    )
    return apply(person, entry), [_change(entry, judgement)]


def _refused(person: Person, shop: Shop, sender: str) -> Sequence[Program]:
    known = [p for slug, p in shop.programs.items() if slug in person.standings]
    if known:
        return known
    ours = shop.senders.get(sender)
    return shop.programs_of(ours) if ours else list(shop.programs.values())


def _change(entry: Entry, judgement: Judgement) -> ConsentChange:
    return ConsentChange(entry, judgement.actor, judgement.evidence, judgement.message_sid)
