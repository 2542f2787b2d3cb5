"""What follows for a person when one of us has read their text, or heard a refusal elsewhere.

Consent moves through the consent machine as always; only the method is another (``operator`` and
its like), and the evidence holds what was said, who decided, and why. A refusal counts by whatever
reasonable means it comes (47 CFR 64.1200(a)(10)).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
    """Who decided, when it happened, and on what: ``evidence`` is all of it.

    ``message_sid`` is the text's, None for what did not come by text.
    """

    actor: str
    at: datetime
    message_sid: str | None
    evidence: Mapping[str, Json]
    method: Method = Method.OPERATOR


def opt_out(
    person: Person, shop: Shop, sender: str, judgement: Judgement
) -> tuple[Person, list[ConsentChange]]:
    """End all of a person's programs, as a STOP of theirs would have.

    Somebody who never joined anything refuses the programs of the number they wrote to (of all
    where they did not), so that nothing can begin by mistake.
    """
    return opt_out_of(person, _refused(person, shop, sender), judgement)


def opt_out_of(
    person: Person, programs: Iterable[Program], judgement: Judgement
) -> tuple[Person, list[ConsentChange]]:
    """End these programs. Where a person has left already there is no entry."""
    changes = []
    for program in programs:
        standing = person.standing(program.slug)
        decision = decide(standing.state, Signal.STOP, standing.prior)
        if decision.change is None:
            continue
        entry = Entry(
            decision.change,
            program.slug,
            program.version,
            judgement.method,
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
