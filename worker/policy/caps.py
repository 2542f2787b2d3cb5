"""How many marketing texts may one person get, and when may the next one go?

All limits are rolling: at most so many in any stretch of that length, never "per calendar week",
so that Sunday evening and Monday morning do not count as two weeks. A text leaves the stretch
exactly its length after it was sent.

A month has four weeks here, so that a text on the first of each month fits "one a month". Since a
calendar month is longer, what was said of a month holds in each of those as well: five Mondays are
one too many for "four a month".
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from keywords.promise import DAYS
from keywords.signals import Frequency, Period
from worker.policy.hours import DailyCap
from worker.policy.reasons import Reason

# How far back sent texts must be known: a calendar month, whatever its clock does meanwhile.
LONGEST: Final = timedelta(days=32)
# From its first moment on, before its last.
Span: TypeAlias = tuple[datetime, datetime]


@dataclass(frozen=True, slots=True)
class Sent:
    """One campaign text to this person that was or may have been accepted by the carrier.

    A text whose outcome is unknown counts. ``subject`` is what a law calls the same subject
    matter, None when it is not known: such a text counts for every subject. ``marketing`` is False
    for a text of an informational program.
    """

    at: datetime
    program: str
    subject: str | None
    marketing: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """At most ``count`` texts in any stretch of ``per``, or in the one ``span`` that is named.

    Of ``program`` or ``subject`` only, where one is named. ``rule`` names where it comes from.
    """

    reason: Reason
    rule: str
    count: int
    per: timedelta
    program: str | None = None
    subject: str | None = None
    marketing_only: bool = True
    span: Span | None = None

    def counts(self, sent: Sent) -> bool:
        """Whether a text is of the kind that this limit counts."""
        if self.marketing_only and not sent.marketing:
            return False
        if self.program is not None and sent.program != self.program:
            return False
        return self.subject is None or sent.subject in (None, self.subject)


@dataclass(frozen=True, slots=True)
class ShopLimits:
    """The shop's own limits, beside law and promise.

    ``person`` counts all marketing to a person, ``program`` that of one program. ``spacing`` is
    the least time between two marketing texts to one person.
    """

    person: tuple[Frequency, ...] = ()
    program: tuple[Frequency, ...] = ()
    spacing: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Reached:
    """A limit that is reached. ``free_at``: when it allows the next text, None for never."""

    limit: Limit
    counted: int
    free_at: datetime | None


def reached(limits: Iterable[Limit], sent: Sequence[Sent], now: datetime) -> Reached | None:
    """The limit that keeps the next text waiting the longest; None when none is reached.

    At its ``free_at`` every one of ``limits`` allows a text, if none is sent before.
    """
    longest: Reached | None = None
    for limit in limits:
        found = _reached(limit, sent, now)
        if found is None:
            continue
        if found.free_at is None:
            return found
        if longest is None or longest.free_at is None or found.free_at > longest.free_at:
            longest = found
    return longest


def _reached(limit: Limit, sent: Sequence[Sent], now: datetime) -> Reached | None:
    """A text from the future (a clock that was set back) counts until it has left as well."""
    if limit.count <= 0:
        return Reached(limit, 0, None)
    if len(sent) < limit.count:
        return None
    if limit.span is not None:
        return _in_span(limit, limit.span, sent)
    since = now - limit.per
    times = sorted((s.at for s in sent if s.at > since and limit.counts(s)), reverse=True)
    if len(times) < limit.count:
        return None
    return Reached(limit, len(times), times[limit.count - 1] + limit.per)


def _in_span(limit: Limit, span: Span, sent: Sequence[Sent]) -> Reached | None:
    counted = sum(s.at >= span[0] and limit.counts(s) for s in sent)
    return Reached(limit, counted, span[1]) if counted >= limit.count else None


def of_law(caps: Iterable[tuple[str, DailyCap]], subject: str) -> Iterator[Limit]:
    """The caps of the laws that may apply (see :func:`worker.policy.windows.daily_caps`)."""
    for jurisdiction, cap in caps:
        of = subject if cap.same_subject else None
        per = timedelta(hours=cap.hours)
        yield Limit(Reason.CAP_LAW, f"cap.{jurisdiction}", cap.count, per, subject=of)


def of_frequency(
    program: str,
    promised: Frequency | None,
    wished: Frequency | None,
    months: Collection[Span] = (),
) -> Iterator[Limit]:
    """What the program promised, and what the person asked for.

    ``months`` are the calendar months that it is now where the person may be.

    Both are kept, not only the one that is stricter in the long run and that the person is told
    of (``keywords.promise.stricter``): seven a week are no more than one a day, and yet all seven
    could fall on one day.
    """
    if wished is not None:
        yield from _frequency(Reason.CAP_WISH, "frequency.wish", wished, program, months)
    if promised is not None:
        yield from _frequency(Reason.CAP_PROMISE, "frequency.promise", promised, program, months)


def of_shop(limits: ShopLimits, program: str) -> Iterator[Limit]:
    """The limits that the shop has set itself."""
    for each in limits.person:
        per = timedelta(days=DAYS[each.period])
        yield Limit(Reason.CAP_PERSON, "shop.person", each.count, per)
    for each in limits.program:
        per = timedelta(days=DAYS[each.period])
        yield Limit(Reason.CAP_PROGRAM, "shop.program", each.count, per, program=program)
    if limits.spacing is not None:
        yield Limit(Reason.CAP_SPACING, "shop.spacing", 1, limits.spacing)


def _frequency(
    reason: Reason, rule: str, frequency: Frequency, program: str, months: Collection[Span]
) -> Iterator[Limit]:
    per = timedelta(days=DAYS[frequency.period])
    yield Limit(reason, rule, frequency.count, per, program=program, marketing_only=False)
    if frequency.period is Period.MONTH:
        for span in months:
            yield Limit(
                reason,
                f"{rule}.calendar",
                frequency.count,
                span[1] - span[0],
                program=program,
                marketing_only=False,
                span=span,
            )
