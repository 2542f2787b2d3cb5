"""What the texts of a program must say before it is saved: required elements, cost, promises.

The rules are data, each with its source: ``data/replies.rules.toml``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from keywords import data
from keywords.phone import InvalidPhone, LineType, parse
from keywords.replies import (
    INFORMATIONAL,
    LANGUAGES,
    LONGEST_CODE,
    MARKETING,
    Coupon,
    Facts,
    ProgramVoice,
    Reply,
    fields_of,
    render,
    text_of,
)
from keywords.reply_template import BadTemplate, Template, check_fields, clean, compile_template
from keywords.segments import Encoding, count, forcing, repair
from keywords.signals import Frequency, Period


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason not to save a program.

    ``field`` is the field of the program ("texts", "help_contact"); ``language`` and ``kind``
    say which text; ``rule`` is a stable name ("rates", "segments"); ``message`` is a sentence
    for the person who is saving.
    """

    field: str
    language: str | None
    kind: Reply | None
    rule: str
    message: str


def problems(voice: ProgramVoice) -> list[Problem]:
    """Everything that is wrong with the voice of a program and its texts; empty when it is fit.

    Default texts are checked as well: a long name can push them over their SMS segments.
    """
    found = [*_voice_problems(voice), *_stray_overrides(voice)]
    if any(problem.rule in ("empty", "long") for problem in found):
        return found  # the texts would only repeat it
    for language in LANGUAGES:
        for kind in Reply:
            # With and without a coupon, each text once.
            said = {text_of(kind, voice, language, gifted=g): g for g in (False, True)}
            for gifted in said.values():
                found += _text_problems(voice, language, kind, gifted=gifted)
    return found


_RULES: Final = data.load("replies.rules")
_CATEGORIES: Final = frozenset({MARKETING, INFORMATIONAL})
_KEYWORD: Final = re.compile(r"[^\W_]+")
_URL: Final = re.compile(r"https://[^\s/?#]+\.[^\s/?#]+\S*")
_EMAIL: Final = re.compile(_RULES["contact"]["email"])
_TOLL_FREE: Final = re.compile(_RULES["contact"]["toll_free"], re.IGNORECASE)
_DIALLED: Final = re.compile(r"\+[1-9][\d\s().-]{6,}\d")
_PERIODS: Final[Mapping[str, Period]] = {
    word: Period(period)
    for period, words in _RULES["frequency"]["periods"].items()
    for word in words
}
_LONGEST_DAY: Final = date(2026, 9, 30)  # "until Sep 30, 2026": no date is written longer


def _voice_problems(voice: ProgramVoice) -> Iterator[Problem]:
    for field, longest in _RULES["lengths"].items():
        yield from _value_problems(field, getattr(voice, field), longest)
    if voice.category not in _CATEGORIES:
        yield _of_field("category", "unknown", "must be marketing or informational")
    if voice.keyword and not _KEYWORD.fullmatch(voice.keyword):
        yield _of_field("keyword", "keyword", "must be one word of letters and digits")
    if voice.frequency is not None and voice.frequency.count < 1:
        yield _of_field("frequency", "frequency", "must promise at least one text")
    if voice.help_contact and not _reaches_someone(voice.help_contact):
        yield _of_field("help_contact", "contact", _RULES["contact"]["message"])
    for field in ("terms_url", "privacy_url"):
        url = getattr(voice, field)
        if url and not _URL.fullmatch(url):
            yield _of_field(field, "url", "must be a full address that starts with https://")


def _value_problems(field: str, value: str, longest: int) -> Iterator[Problem]:
    if not value.strip():
        yield _of_field(field, "empty", "must not be empty")
    if len(value) > longest:
        yield _of_field(field, "long", f"must not be longer than {longest} characters")
    accident = _accidental(clean(value))
    if accident:
        yield _of_field(field, "ucs2", _cost_of(accident))


def _of_field(field: str, rule: str, message: str) -> Problem:
    return Problem(field, None, None, rule, f"{field} {message}")


def _reaches_someone(contact: str) -> bool:
    """Whether a toll-free number or an e-mail address is in ``contact``."""
    if _EMAIL.search(contact) or _TOLL_FREE.search(contact):
        return True
    return any(_is_toll_free(number) for number in _DIALLED.findall(contact))


def _is_toll_free(number: str) -> bool:
    try:
        return parse(number).line_type is LineType.TOLL_FREE
    except InvalidPhone:
        return False


def _stray_overrides(voice: ProgramVoice) -> Iterator[Problem]:
    for language, kind in voice.texts:
        if language not in LANGUAGES:
            spoken = ", ".join(LANGUAGES)
            message = f"{language} is not a language of this service, which speaks {spoken}"
            yield Problem("texts", language, kind, "language", message)


def _text_problems(
    voice: ProgramVoice, language: str, kind: Reply, *, gifted: bool
) -> Iterator[Problem]:
    def problem(rule: str, message: str) -> Problem:
        return Problem("texts", language, kind, rule, f"the {kind} text ({language}) {message}")

    try:
        template = compile_template(text_of(kind, voice, language, gifted=gifted))
        check_fields(template, fields_of(kind))
    except BadTemplate as error:
        yield problem("template", f"cannot be used: {error}")
        return
    for rule, message in [
        *_missing(template, voice, language, kind),
        *_forbidden(template, voice, kind),
        *_promise(template, voice, language),
        *_ucs2(template),
        *_cost(kind, voice, language, _sample(voice, gifted=gifted)),
    ]:
        yield problem(rule, message)


_Finding = tuple[str, str]


def _missing(
    template: Template, voice: ProgramVoice, language: str, kind: Reply
) -> Iterator[_Finding]:
    for rule in _RULES["required"]:
        if kind not in rule["kinds"] or rule.get("category", voice.category) != voice.category:
            continue
        said = not set(rule.get("fields", ())).isdisjoint(template.fields)
        said = said or matches(rule.get("words", {}).get(language, ()), template.words)
        said = said or (rule["element"] == "name" and _names(template.words, voice))
        said = said or (
            rule["element"] == "frequency" and stated(template, language) == voice.frequency
        )
        if not said:
            yield rule["element"], f"{rule['message']} ({rule['source']})"


def _names(words: str, voice: ProgramVoice) -> bool:
    return any(name.casefold() in words.casefold() for name in (voice.brand, voice.name))


def _forbidden(template: Template, voice: ProgramVoice, kind: Reply) -> Iterator[_Finding]:
    # A program may be called "Deals"; its name advertises nothing.
    names = re.compile(f"{re.escape(voice.brand)}|{re.escape(voice.name)}", re.IGNORECASE)
    words = names.sub("", template.words)
    for rule in _RULES["forbidden"]:
        shown = not set(rule["fields"]).isdisjoint(template.fields)
        if kind in rule["kinds"] and (shown or matches(rule["words"], words)):
            yield rule["element"], f"{rule['message']} ({rule['source']})"


def matches(patterns: Iterable[str], words: str) -> bool:
    """Whether any of these patterns of a data file is in ``words``, whatever the case."""
    return any(re.search(pattern, words, re.IGNORECASE) for pattern in patterns)


def _promise(template: Template, voice: ProgramVoice, language: str) -> Iterator[_Finding]:
    written = stated(template, language)
    if written is not None and written != voice.frequency:
        yield "promise", "states another frequency than the program promises; use {frequency}"


def stated(template: Template, language: str) -> Frequency | None:
    """The frequency that the author of a text wrote out in figures, if any."""
    found = re.search(_RULES["frequency"][language], template.words, re.IGNORECASE)
    if found is None:
        return None
    return Frequency(int(found["count"]), _PERIODS[found["period"].lower()])


def _ucs2(template: Template) -> Iterator[_Finding]:
    accident = _accidental(template.words)
    if accident:
        yield "ucs2", _cost_of(accident)


def _cost(kind: Reply, voice: ProgramVoice, language: str, facts: Facts) -> Iterator[_Finding]:
    cost = count(render(kind, voice, language, **facts))
    limit = _RULES["segments"].get(kind, _RULES["segments"]["otherwise"])
    if cost.segments > limit:
        why = " because it is not plain GSM-7" if cost.encoding is Encoding.UCS2 else ""
        room = "one SMS segment" if limit == 1 else f"{limit} SMS segments"
        yield "segments", f"takes {cost.segments} SMS segments{why}; it must fit in {room}"


def _sample(voice: ProgramVoice, *, gifted: bool) -> Facts:
    """What a conversation might add to a text, about as long as it gets for this program."""
    return Facts(
        programs=(voice, voice),
        wish=None,
        until=_LONGEST_DAY,
        states={voice.name: "pending"},
        join_url=f"{_RULES['join_url']}{voice.slug}",
        coupon=Coupon("W" * LONGEST_CODE, _LONGEST_DAY) if gifted else None,
    )


def _accidental(text: str) -> tuple[str, ...]:
    """The accented letters that alone force UCS-2. An emoji or another script is no accident."""
    if forcing(repair(text, accents=True)):
        return ()
    return forcing(repair(text))


def _cost_of(characters: tuple[str, ...]) -> str:
    shown = " ".join(characters)
    return f"has letters that more than double the cost of a text: {shown}; write it without them"
