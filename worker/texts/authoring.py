"""Reading what an author wrote: everything that can be known of a text before anybody gets it."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from liquid.exceptions import LiquidError

from keywords.segments import Encoding, repair
from keywords.text_rules import OptOutLine
from worker.texts import checks, links, optout
from worker.texts.context import TextContext
from worker.texts.engine import TAG_NAMES, parse
from worker.texts.findings import Finding, Severity, error, note, warning
from worker.texts.limits import LONGEST_BODY, LONGEST_SOURCE
from worker.texts.optout import Says
from worker.texts.plans import CannotRender, Liquid, plan
from worker.texts.reading import Reading, read
from worker.texts.rendering import CompiledText, Rendered, Repair, preview
from worker.texts.values import FIGURES, Values, figure, sample

_A_NAME: Final = 4
_CURLY: Final = frozenset("“”‘’„«»")


def compile_text(source: str, context: TextContext) -> CompiledText:
    """The text that ``source`` writes, with everything that was found in it.

    Never raises: a text that cannot be read has no plan and at least one error.
    """
    text = CompiledText(
        source=source,
        links=(),
        fields=frozenset(),
        findings=tuple(_unreadable(source)),
        plan=None,
        says=Says.NEVER,
        opt_out_line=optout.line(context.language),
        repair=Repair.NOTHING,
        link=links.sample_link(context.link_prefix),
    )
    if not text.ok:
        return text
    try:
        template = parse(source)
    except LiquidError as failure:
        return replace(text, findings=(_syntax(source, failure),))
    return _finished(_read(text, read(source, template, context.fields), context), context)


def _unreadable(source: str) -> Iterator[Finding]:
    if not source.strip():
        yield error("empty", 0, 0, "The text is empty.")
    if len(source.encode("utf-8", "surrogatepass")) > LONGEST_SOURCE:
        yield error("too_large", 0, 0, f"The text is longer than {LONGEST_SOURCE} bytes.")
    else:
        yield from checks.unsendable(source)


def _read(text: CompiledText, reading: Reading, context: TextContext) -> CompiledText:
    """The text with what its words and fields tell."""
    found = links.find(text.source, reading.words, context.link_hosts)
    says = optout.says(found.rest)
    repairs, cost = checks.encoding(text.source, found.rest, plain_values=context.plain_values)
    findings = [*reading.findings, *found.findings, *checks.braces(found.rest)]
    findings += [*checks.shaft(found.rest), *_opt_out(says, text.opt_out_line, context)]
    text = replace(
        text,
        links=found.destinations,
        fields=frozenset(reading.fields),
        findings=tuple(findings + ([cost] if cost else [])),
        says=says,
        repair=repairs,
    )
    if not text.ok:
        return text
    marked = parse(found.source)
    made = plan(marked, context.constants, text.fields, reading.figures)
    return replace(text, plan=made)


def _finished(text: CompiledText, context: TextContext) -> CompiledText:
    """The text as people will see it, with what that shows; findings in the order of the text."""
    found = list(text.findings)
    if text.plan is not None:
        typical, worst = _sampled(text, context, "typical"), _sampled(text, context, "long")
        told = context.opt_out is not OptOutLine.MONTHLY
        shown = [
            _try(text, values, opt_out=due) for values, due in ((typical, told), (worst, True))
        ]
        shown.append(_try(text, {}, opt_out=True))
        text = replace(
            text,
            typical=shown[0] if isinstance(shown[0], Rendered) else None,
            worst=shown[1] if isinstance(shown[1], Rendered) else None,
        )
        found += _rendered(text, shown, context)
    return replace(text, findings=tuple(sorted(found, key=_place)))


def _sampled(text: CompiledText, context: TextContext, which: str) -> Values:
    given = context.typical if which == "typical" else context.worst
    if context.exact:
        return given
    cleaners = dict(text.plan.fields) if isinstance(text.plan, Liquid) else {}
    examples: Values = {
        name: sample(FIGURES if cleaners.get(name) is figure else name, which)
        for name in text.fields
    }
    return {name: given.get(name, example) for name, example in examples.items()}


def _try(text: CompiledText, values: Values, *, opt_out: bool) -> Rendered | CannotRender:
    try:
        return preview(text, values, opt_out=opt_out)
    except CannotRender as failure:
        return failure


def _rendered(
    text: CompiledText, shown: list[Rendered | CannotRender], context: TextContext
) -> Iterator[Finding]:
    """What only the finished text shows."""
    reasons = {one.reason for one in shown if isinstance(one, CannotRender)}
    if not text.fields and reasons == {"text.empty"}:
        yield error("empty", 0, 0, "The text is empty, whoever gets it.")
    if "text.too_long" in reasons:
        yield error("too_long", 0, 0, f"The text may be longer than {LONGEST_BODY} characters.")
    if "text.failed" in reasons:
        sentence = "Liquid fails for some people: a number compared with words, or too much of it."
        yield error("failed", 0, 0, sentence)
    for one in shown:
        if isinstance(one, Rendered) and "://" in one.body.replace(text.link, ""):
            yield error("link_hidden", 0, 0, "A link comes together out of parts; write it out.")
            return
    yield from _unnamed(text, shown, context)
    yield from _costly(text, context)


def _unnamed(
    text: CompiledText, shown: list[Rendered | CannotRender], context: TextContext
) -> Iterator[Finding]:
    """Whoever gets a text must see whom it is from: most phones show a short code and no name.

    The first word of a brand of several will do, as people call a shop, unless it is very short.
    """
    brand = context.voice.brand
    whole = _plain(brand)
    first = whole.split(maxsplit=1)[0]
    name = first if len(first) >= _A_NAME else whole
    # A link does not count: it is one of ours, and says what we are called.
    rendered = [one for one in shown if isinstance(one, Rendered)]
    bodies = [_plain(one.body.replace(text.link, "")) for one in rendered]
    if any(name not in body for body in bodies):
        sentence = f"The text does not say whom it is from: {brand}."
        yield warning("brand_missing", 0, 0, sentence, f"{brand}: {text.source}")


def _plain(words: str) -> str:
    """Words without case and accents."""
    parts = unicodedata.normalize("NFKD", words.casefold())
    return "".join(part for part in parts if not unicodedata.combining(part))


def _costly(text: CompiledText, context: TextContext) -> Iterator[Finding]:
    typical, worst = text.typical, text.worst
    if worst is None:
        return
    if worst.sms_segments > context.most_segments:
        usually = f", usually {typical.sms_segments}" if typical else ""
        sentence = f"The text takes up to {worst.sms_segments} SMS segments{usually}."
        yield warning("long", 0, 0, sentence)
    if worst.encoding is Encoding.UCS2 and not _alone_forces(text):
        sentence = "Some people's values allow only 70 characters in an SMS segment."
        yield warning("values_ucs2", 0, 0, sentence)


def _alone_forces(text: CompiledText) -> bool:
    return any(finding.code == "ucs2" for finding in text.findings)


def _opt_out(says: Says, line: str, context: TextContext) -> Iterator[Finding]:
    if says is Says.ALWAYS:
        return
    if context.opt_out is OptOutLine.WRITTEN:
        sentence = f"The text must say how to opt out, for instance: {line}"
        yield error("opt_out_missing", 0, 0, sentence)
    elif context.opt_out is OptOutLine.ALWAYS:
        yield note("opt_out_added", 0, 0, f"This is added at the end: {line}")
    else:
        sentence = f"This is added for those who were not told for a month: {line}"
        yield note("opt_out_added", 0, 0, sentence)


_SYNTAX: Final = (
    ("expected '}}'", "This {{ is not closed by }}."),
    ("missing tag name or closing", "This {% is not closed by %}."),
    ("never closed", "This {% comment %} is not closed by {% endcomment %}."),
    ("primitive expression, found end", "A field is missing between {{ and }}."),
    ("missing expression", "A condition is missing."),
)


def _syntax(source: str, failure: LiquidError) -> Finding:
    """The finding for a text that Liquid cannot read."""
    said = str(failure.message or "")
    token = failure.token
    at = token.start_index if token is not None and 0 <= token.start_index < len(source) else 0
    length = len(token.value) if token is not None and at else 0
    code, sentence = "syntax", f"This is not Liquid: {said}."
    for begin, words in _SYNTAX:
        if begin in said:
            sentence = words
    if said.startswith("expected tag end"):
        tag = said.removeprefix("expected tag end").partition(",")[0]
        at, length = max(source.rfind("{%"), 0), 2
        sentence = f"{{% {tag} %}} is not closed by {{% end{tag} %}}."
    elif said.startswith("unexpected tag"):
        code = "tag"
        sentence = (
            f"There is no tag {said.split(chr(39))[1]} here; there are {', '.join(TAG_NAMES)}."
        )
    plain = repair(source)
    if plain != source and not _CURLY.isdisjoint(source):
        sentence += " Liquid wants straight quotes."
        return Finding(Severity.ERROR, code, at, length, sentence, plain)
    return error(code, at, length, sentence)


def _place(finding: Finding) -> tuple[int, int]:
    return finding.position, list(Severity).index(finding.severity)
