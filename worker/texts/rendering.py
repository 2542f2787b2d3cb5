"""One person's text: the template filled, the links put in, the opt-out line, and what it costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from keywords.segments import Encoding, count, repair
from worker.texts.findings import Finding, Severity
from worker.texts.limits import LONGEST_BODY
from worker.texts.links import MARKS
from worker.texts.optout import Says, instructs
from worker.texts.plans import CannotRender, Plan
from worker.texts.values import Values


class Rendered(NamedTuple):
    """A text as it is handed to the carrier, and the SMS segments that it costs."""

    body: str
    encoding: Encoding
    sms_segments: int


class Repair(StrEnum):
    """What is replaced in every text so that it stays in GSM-7: nothing, look-alikes, or accents
    of values too.
    """

    NOTHING = "nothing"
    LOOK_ALIKES = "look_alikes"
    ACCENTS = "accents"


@dataclass(frozen=True, slots=True)
class CompiledText:
    """A text that was read and checked, to be rendered for many people.

    ``links`` are the destinations, in the order in which :func:`render` wants the short links;
    ``fields`` those of persons that the text uses, so that no other needs to be read. ``typical``
    and ``worst`` are what it looks like for such people, None where it cannot be rendered.
    """

    source: str
    links: tuple[str, ...]
    fields: frozenset[str]
    findings: tuple[Finding, ...]
    plan: Plan | None
    says: Says
    opt_out_line: str
    repair: Repair
    link: str
    typical: Rendered | None = None
    worst: Rendered | None = None

    @property
    def ok(self) -> bool:
        """Whether the text can be sent."""
        return all(finding.severity is not Severity.ERROR for finding in self.findings)


def render(
    text: CompiledText, values: Values, link_urls: Sequence[str] = (), *, opt_out: bool = True
) -> Rendered:
    """A person's text.

    ``values`` are the person's, by the names in ``text.fields``, as they are stored: they are
    cleaned here. ``link_urls`` are their short links, one for each of ``text.links``. ``opt_out``
    is whether the opt-out line is due (``optout.due``); it is added where the author's words lack
    it. Raises :class:`CannotRender` for a text that is broken, empty or too long for this person,
    and ``ValueError`` for another number of links.
    """
    if text.plan is None:
        raise CannotRender("text.broken")
    body = text.plan.fill(values)
    for mark, url in zip(MARKS[: len(text.links)], link_urls, strict=True):
        body = body.replace(mark, url)
    body = body.replace("\r\n", "\n").strip()
    if not body:
        raise CannotRender("text.empty")
    if opt_out and text.says is not Says.ALWAYS and not _told(text, body):
        body = f"{body} {text.opt_out_line}"
    if text.repair is not Repair.NOTHING:
        body = repair(body, accents=text.repair is Repair.ACCENTS)
    cost = count(body)
    if cost.characters > LONGEST_BODY:
        raise CannotRender("text.too_long")
    return Rendered(body, cost.encoding, cost.segments)


def _told(text: CompiledText, body: str) -> bool:
    return text.says is Says.SOMETIMES and instructs(body)


def preview(text: CompiledText, values: Values, *, opt_out: bool = True) -> Rendered:
    """The same with sample links, which are exactly as long as real ones."""
    return render(text, values, (text.link,) * len(text.links), opt_out=opt_out)


def worst_of(text: CompiledText, people: Iterable[Values], *, opt_out: bool = True) -> Rendered:
    """The longest text that anybody of ``people`` would get: by SMS segments, then by characters.

    Those for whom it cannot be rendered get none. Raises :class:`CannotRender` when that is
    everybody.
    """
    worst: Rendered | None = None
    for values in people:
        try:
            one = preview(text, values, opt_out=opt_out)
        except CannotRender:
            continue
        if worst is None or _size(one) > _size(worst):
            worst = one
    if worst is None:
        raise CannotRender("text.empty")
    return worst


def _size(text: Rendered) -> tuple[int, int]:
    return text.sms_segments, len(text.body)
