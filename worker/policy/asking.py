"""Has the turn of a question that waited come? A pure function of the person and the moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keywords.consent import State
from keywords.optin import ONE_PER, UNANSWERED, Asked
from keywords.people import Person
from worker.policy.daytime import day_begins, day_ends, zones_of

# What is asked must also be sent before the evening.
LEEWAY: Final = timedelta(minutes=15)


class Step(StrEnum):
    """What to do with a question that waits."""

    ASK = "ask"
    WAIT = "wait"
    DROP = "drop"


@dataclass(frozen=True, slots=True)
class Next:
    """A step, and its moment: when to look again (WAIT), or until when to send it (ASK)."""

    step: Step
    until: datetime


def next_step(person: Person, program: str, asked: Asked, now: datetime) -> Next:
    """What becomes of the question that ``person`` waits for. ``now`` is aware.

    Dropped when nobody waits any more (they joined by another way, or said STOP), or when the
    number has been asked as often as it may be. A question a day, by day, and none while it is
    unclear whether a text of theirs was an opt-out.
    """
    standing = person.standing(program)
    if standing.state is not State.PENDING or standing.asked_at is not None:
        return Next(Step.DROP, now)
    if asked.unanswered >= UNANSWERED:
        return Next(Step.DROP, now)
    if asked.lately or person.suspended:
        return Next(Step.WAIT, now + ONE_PER)
    zones = zones_of(person.phone)
    evening = day_ends(zones, now)
    if evening is not None and evening - now > LEEWAY:
        return Next(Step.ASK, evening)
    return Next(Step.WAIT, day_begins(zones, evening or now) or now + ONE_PER)
