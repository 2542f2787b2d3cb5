"""Before anything is sent: who would get it now, who waits until when, who will not, and the cost.

How many people stand where is counted exactly. Whether each may be texted at this moment is asked
of a sample of at most ``SAMPLE`` people (of everybody, where there are no more), by the very policy
that will decide, and extended to the whole; the answer says when it is an estimate.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from keywords.people import read_frequency
from keywords.shop import Shop
from keywords.signals import Frequency
from storage import due_facts, preview_facts
from storage.campaigns import CampaignRow
from storage.database import Connection
from storage.due_facts import DuePerson
from storage.preview_facts import World
from storage.segments import saved
from storage.segments.saved import Audience, Counts
from storage.suppression import suppressed
from worker.campaigns.checking import Checker, evidence_of, limits, since
from worker.campaigns.texts import values_of
from worker.policy.allowance import decide
from worker.policy.facts import Allowed, CampaignFacts, Held, Refused
from worker.policy.hours import Preset
from worker.policy.places import locate
from worker.policy.prices import micros
from worker.texts.plans import CannotRender
from worker.texts.rendering import CompiledText, Rendered, preview

SAMPLE: Final = 4_000
_SHOWN: Final = 5


@dataclass(frozen=True, slots=True)
class Example:
    """A text as one real person would get it."""

    variant: int
    phone: str
    body: str
    encoding: str
    sms_segments: int


@dataclass(frozen=True, slots=True)
class Preview:
    """What would happen if the campaign were launched at ``at``.

    ``counts`` are exact. ``now``, ``held`` (by hour, with the reason), ``refused`` (by reason) and
    the cost are of the people who get the program; ``estimated`` says whether they were extended
    from a sample of ``asked`` people. Money is in millionths of a US dollar.
    """

    at: datetime
    counts: Counts
    asked: int
    estimated: bool
    now: int
    held: Mapping[tuple[datetime | None, str], int]
    refused: Mapping[str, int]
    segments_average: float
    segments_worst: int
    cost_average: int
    cost_worst: int
    cost_total: int
    examples: Sequence[Example] = field(default=())


@dataclass(slots=True)
class _Seen:
    """What a sample came to so far."""

    now: int = 0
    held: Counter[tuple[datetime | None, str]] = field(default_factory=Counter)
    refused: Counter[str] = field(default_factory=Counter)
    segments: list[int] = field(default_factory=list)
    costs: list[int] = field(default_factory=list)
    examples: list[Example] = field(default_factory=list)


def look_ahead(
    connection: Connection,
    shop: Shop,
    pepper: str,
    audience: Audience,
    campaign: CampaignRow,
    texts: Mapping[int, CompiledText],
) -> Preview:
    """See the module. ``texts`` are the campaign's, by number; ``pepper`` is PHONE_PEPPER."""
    world = preview_facts.world(connection)
    counts = saved.count(connection, audience)
    people = preview_facts.sample(connection, audience, since(world.now), campaign.id, SAMPLE)
    blocked = suppressed(connection, pepper, [person.phone for person in people])
    facts = _facts(campaign, shop, world)
    checker = Checker(_promises(connection, campaign.program, people))
    seen = _Seen()
    for person in people:
        _ask(seen, checker, facts, person, blocked, shop, texts, world.now)
    return _extended(world.now, counts, len(people), seen)


def _facts(campaign: CampaignRow, shop: Shop, world: World) -> CampaignFacts:
    """The campaign as if it ran; only what stops every campaign stops it here."""
    return CampaignFacts(
        program=campaign.program,
        category=shop.programs[campaign.program].category,
        subject=campaign.settings.get("subject") or campaign.program,
        preset=Preset(campaign.preset),
        max_lateness=campaign.max_lateness,
        limits=limits(campaign.settings.get("limits") or {}),
        sending_stopped=world.stopped,
        epoch_confirmed=world.confirmed,
    )


def _promises(
    connection: Connection, program: str, people: Sequence[DuePerson]
) -> dict[int, Frequency | None]:
    """What each version of the program that somebody agreed to has promised."""
    versions = {person.version for person in people if person.version is not None}
    said = {version: due_facts.promise(connection, program, version) for version in versions}
    return {version: read_frequency(each) if each else None for version, each in said.items()}


def _ask(
    seen: _Seen,
    checker: Checker,
    facts: CampaignFacts,
    person: DuePerson,
    blocked: frozenset[str],
    shop: Shop,
    texts: Mapping[int, CompiledText],
    now: datetime,
) -> None:
    known = checker.facts(facts, person, blocked, shop)
    match decide(known, now):
        case Allowed():
            seen.now += 1
        case Held(reason=reason, until=until):
            hour = until.replace(minute=0, second=0, microsecond=0) if until else None
            seen.held[hour, str(reason)] += 1
        case Refused(reason=reason):
            seen.refused[str(reason)] += 1
            return
    _render(seen, person, texts)


def _render(seen: _Seen, person: DuePerson, texts: Mapping[int, CompiledText]) -> None:
    """The text of every variant for this person; the costliest one counts."""
    country = next(iter(locate(evidence_of(person)).countries), None)
    costliest = 0
    for variant, text in texts.items():
        try:
            made = preview(text, values_of(person, text.fields))
        except CannotRender as problem:
            seen.refused[problem.reason] += 1
            continue
        costliest = max(costliest, made.sms_segments)
        _show(seen, variant, person, made)
    if costliest:
        seen.segments.append(costliest)
        seen.costs.append(micros(country, costliest))


def _show(seen: _Seen, variant: int, person: DuePerson, made: Rendered) -> None:
    """Keep a few examples: the first ones, and always the worst so far."""
    example = Example(variant, person.phone, made.body, str(made.encoding), made.sms_segments)
    if len(seen.examples) < _SHOWN:
        seen.examples.append(example)
    elif made.sms_segments > max(e.sms_segments for e in seen.examples):
        seen.examples[-1] = example


def _extended(at: datetime, counts: Counts, asked: int, seen: _Seen) -> Preview:
    """The sample's figures, extended to everybody who gets the program."""
    whole = counts.subscribed + counts.paused
    factor = whole / asked if asked else 0.0
    refused: dict[str, int] = defaultdict(int)
    for reason, n in seen.refused.items():
        refused[reason] += round(n * factor)
    paid = len(seen.costs)
    return Preview(
        at=at,
        counts=counts,
        asked=asked,
        estimated=asked < whole,
        now=round(seen.now * factor),
        held={key: round(n * factor) for key, n in sorted(seen.held.items(), key=_hour)},
        refused=dict(refused),
        segments_average=sum(seen.segments) / paid if paid else 0.0,
        segments_worst=max(seen.segments, default=0),
        cost_average=round(sum(seen.costs) / paid) if paid else 0,
        cost_worst=max(seen.costs, default=0),
        cost_total=round(sum(seen.costs) * factor),
        examples=tuple(sorted(seen.examples, key=lambda e: (e.variant, e.sms_segments))),
    )


def _hour(item: tuple[tuple[datetime | None, str], int]) -> tuple[bool, str, str]:
    (hour, reason), _ = item
    return hour is None, hour.isoformat() if hour else "", reason
