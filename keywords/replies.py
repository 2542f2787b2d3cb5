"""What the service says: each kind of reply, in the person's language, in the shop's voice.

The default texts are data (``data/replies.en.toml`` and its sisters); a shop may override any of
them. :func:`keywords.reply_rules.problems` says what a text lacks before a program is saved.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from typing import Any, Final, TypedDict, Unpack

from keywords import data
from keywords.reply_template import check_fields, compile_template
from keywords.signals import Frequency

INFORMATIONAL: Final = "informational"
MARKETING: Final = "marketing"
DEFAULT_LANGUAGE: Final = "en"
LANGUAGES: Final = ("en", "es", "fr")
ADULT: Final = 18
LONGEST_CODE: Final = 32  # of a coupon, so that a welcome keeps to its SMS segments


class Reply(StrEnum):
    """Each kind of reply. The values are stored with the texts that were sent."""

    ASK_TO_CONFIRM = "ask_to_confirm"  # the question of double opt-in, with the disclosure
    REMINDER = "reminder"  # the one reminder of that question
    AGE_GATE = "age_gate"  # the keyword of a program with a minimum age: where to show one's own
    WELCOME = "welcome"  # opt-in confirmation, CTIA Messaging Principles 5.1.2.1
    ALREADY_SUBSCRIBED = "already_subscribed"
    DECLINED = "declined"
    GOODBYE = "goodbye"  # opt-out confirmation, 47 CFR 64.1200(a)(12)
    GOODBYE_SCOPE = "goodbye_scope"  # the same, with the one question about scope
    GOODBYE_PROGRAM = "goodbye_program"  # the person named the one program to end
    ASK_AGAIN_TO_JOIN = "ask_again_to_join"  # START after STOP, several programs: which one?
    HELP = "help"
    NOTHING_TO_CONFIRM = "nothing_to_confirm"  # YES to no question
    NOT_SUBSCRIBED = "not_subscribed"  # a preference of someone who gets no texts
    FREQUENCY_SET = "frequency_set"
    PAUSED = "paused"
    RESUMED = "resumed"
    STATUS = "status"
    LANGUAGE_SET = "language_set"
    COUPON = "coupon"  # the code of a new subscriber, where the welcome does not carry it
    UNCLEAR_STOP = "unclear_stop"  # marketing is suspended; did they mean to end it?
    FALLBACK = "fallback"


OPT_OUTS: Final = frozenset(
    {Reply.GOODBYE, Reply.GOODBYE_SCOPE, Reply.GOODBYE_PROGRAM, Reply.DECLINED}
)


@dataclass(frozen=True, slots=True)
class ProgramVoice:
    """How a program speaks.

    ``name`` is the program's ("Deals"), ``brand`` the shop's ("Acme Outfitters"); ``category``
    is "marketing" or "informational"; ``keyword`` the first join keyword; ``frequency`` the
    promise, or None for "frequency varies". ``texts`` overrides defaults by (language, kind).
    """

    slug: str
    name: str
    brand: str
    category: str
    keyword: str
    frequency: Frequency | None
    help_contact: str
    terms_url: str
    privacy_url: str
    texts: Mapping[tuple[str, Reply], str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Coupon:
    """A code that one person was given, and the last day on which it counts; None has no end."""

    code: str
    until: date | None = None


class Facts(TypedDict, total=False):
    """What only the conversation knows. Each has a sensible value when it is left out.

    ``programs``: those that a person may choose from (GOODBYE_SCOPE, ASK_AGAIN_TO_JOIN);
    without them the one that speaks. ``wish``: the frequency just set (FREQUENCY_SET) or chosen
    (STATUS); without it the promise. ``until``: the last day of a pause (PAUSED); without it
    the pause has no end. ``states``: for STATUS, program name to consent state ("subscribed").
    ``age`` and ``join_url``: the minimum age and the form that asks for it (AGE_GATE).
    ``coupon``: the code that a new subscriber gets (WELCOME, COUPON); without it there is none.
    """

    programs: Sequence[ProgramVoice]
    wish: Frequency | None
    until: date | None
    states: Mapping[str, str]
    age: int
    join_url: str
    coupon: Coupon | None


def render(kind: Reply, voice: ProgramVoice, language: str | None, **facts: Unpack[Facts]) -> str:
    """The reply of ``kind`` as ``voice`` says it in ``language`` ("es", "fr-CA"; else English).

    Raises :class:`~keywords.reply_template.BadTemplate` only for an override that
    ``problems`` would have refused.
    """
    speech = _SPEECH[language_of(language)]
    gifted = facts.get("coupon") is not None
    template = compile_template(text_of(kind, voice, speech.language, gifted=gifted))
    return template.fill(lambda name: _VALUES[name](voice, speech, facts))


def text_of(kind: Reply, voice: ProgramVoice, language: str, *, gifted: bool = False) -> str:
    """The unfilled text: the shop's own, or the default of the program's category.

    ``gifted`` when there is a coupon to speak of. A welcome that speaks of one is kept for then;
    whoever gets none is welcomed in the default words.
    """
    own = voice.texts.get((language, kind))
    if own is not None and (gifted or kind is not Reply.WELCOME or _COUPON not in own):
        return own
    speech = _SPEECH[language]
    if gifted and kind in speech.gifted:
        return speech.gifted[kind]
    if voice.category == INFORMATIONAL and kind in speech.informational:
        return speech.informational[kind]
    return speech.texts[kind]


def carries_coupon(voice: ProgramVoice, language: str) -> bool:
    """Whether the welcome of a program says the code itself; else it follows in a text of its own.

    The default welcome does. A shop's own words are left as they are.
    """
    return _COUPON in text_of(Reply.WELCOME, voice, language_of(language), gifted=True)


def language_of(tag: str | None) -> str:
    """The language that we speak for a tag such as "es-MX"; English for all others."""
    language = (tag or "").lower().replace("_", "-").split("-")[0]
    return language if language in LANGUAGES else DEFAULT_LANGUAGE


def frequency_words(frequency: Frequency | None, language: str) -> str:
    """A promise in words: "up to 4 msgs/month"; for None, that the frequency varies."""
    words = _SPEECH[language_of(language)].words["frequency"]
    if frequency is None:
        return str(words["varies"])
    number = "one" if frequency.count == 1 else "many"
    return str(words[frequency.period][number]).format(count=frequency.count)


def fields_of(kind: Reply) -> frozenset[str]:
    """The fields that a text of this kind may use."""
    return _VOICE_FIELDS | _FACT_FIELDS.get(kind, frozenset())


@dataclass(frozen=True, slots=True)
class _Speech:
    """One language: the texts, those that differ for informational programs or where there is a
    coupon, and small words.
    """

    language: str
    texts: Mapping[Reply, str]
    informational: Mapping[Reply, str]
    gifted: Mapping[Reply, str]
    words: Mapping[str, Any]


def title(voice: ProgramVoice) -> str:
    """Brand and program in one: "Acme Outfitters Deals", and no word twice."""
    if voice.brand.casefold() in voice.name.casefold():
        return voice.name
    return f"{voice.brand} {voice.name}"


def _listed(items: Sequence[str], last: str) -> str:
    """Items as a sentence lists them: "DEALS, COFFEE or ORDERS"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {last} {items[-1]}"


def _programs(voice: ProgramVoice, facts: Facts) -> Sequence[ProgramVoice]:
    return facts.get("programs") or (voice,)


def _until(speech: _Speech, last_day: date | None) -> str:
    words = speech.words["until"]
    if last_day is None:
        return str(words["open"])
    month = words["months"][last_day.month - 1]
    return str(words["date"]).format(day=last_day.day, month=month, year=last_day.year)


def _status(voice: ProgramVoice, speech: _Speech, facts: Facts) -> str:
    states = facts.get("states") or {voice.name: "none"}
    words = speech.words["states"]
    return "; ".join(f"{program} - {words[state]}" for program, state in states.items())


def _wish(voice: ProgramVoice, speech: _Speech, facts: Facts) -> str:
    return frequency_words(facts.get("wish") or voice.frequency, speech.language)


def _coupon(speech: _Speech, coupon: Coupon | None) -> str:
    """The code, with its last day where it has one: "TEA-7KXM (until Dec 24, 2026)"."""
    if coupon is None:
        return ""
    return (
        coupon.code if coupon.until is None else f"{coupon.code} ({_until(speech, coupon.until)})"
    )


_Value = Callable[[ProgramVoice, _Speech, Facts], str]
_VALUES: Final[Mapping[str, _Value]] = {
    "brand": lambda voice, _speech, _facts: voice.brand,
    "program": lambda voice, _speech, _facts: voice.name,
    "title": lambda voice, _speech, _facts: title(voice),
    "keyword": lambda voice, _speech, _facts: voice.keyword,
    "frequency": lambda voice, speech, _: frequency_words(voice.frequency, speech.language),
    "help_contact": lambda voice, _speech, _facts: voice.help_contact,
    "terms_url": lambda voice, _speech, _facts: voice.terms_url,
    "privacy_url": lambda voice, _speech, _facts: voice.privacy_url,
    "programs": lambda voice, speech, facts: _listed(
        [program.name for program in _programs(voice, facts)], speech.words["and"]
    ),
    "keywords": lambda voice, speech, facts: _listed(
        [program.keyword for program in _programs(voice, facts)], speech.words["or"]
    ),
    "wish": _wish,
    "until": lambda _voice, speech, facts: _until(speech, facts.get("until")),
    "status": _status,
    "age": lambda _voice, _speech, facts: str(facts.get("age", ADULT)),
    "join_url": lambda voice, _speech, facts: facts.get("join_url", f"/join/{voice.slug}"),
    "coupon": lambda _voice, speech, facts: _coupon(speech, facts.get("coupon")),
}
_VOICE_FIELDS: Final = frozenset(
    {"brand", "program", "title", "keyword", "frequency", "help_contact"}
    | {"terms_url", "privacy_url"}
)
_FACT_FIELDS: Final[Mapping[Reply, frozenset[str]]] = {
    Reply.GOODBYE_SCOPE: frozenset({"programs", "keywords"}),
    Reply.ASK_AGAIN_TO_JOIN: frozenset({"programs", "keywords"}),
    Reply.FREQUENCY_SET: frozenset({"wish"}),
    Reply.RESUMED: frozenset({"wish"}),
    Reply.PAUSED: frozenset({"until"}),
    Reply.STATUS: frozenset({"status", "wish"}),
    Reply.AGE_GATE: frozenset({"age", "join_url"}),
    Reply.WELCOME: frozenset({"coupon"}),
    Reply.COUPON: frozenset({"coupon"}),
}
_COUPON: Final = "{coupon}"


def _load(language: str) -> _Speech:
    """One language's file, checked: every kind has a text, every field exists."""
    table = data.load(f"replies.{language}")
    texts = {Reply(kind): text for kind, text in table["texts"].items()}
    informational = {Reply(kind): text for kind, text in table["informational"].items()}
    gifted = {Reply(kind): text for kind, text in table["gifted"].items()}
    silent = set(Reply) - set(texts)
    if silent:
        raise ValueError(f"replies.{language}.toml has no text for {', '.join(sorted(silent))}")
    for kind, text in [*texts.items(), *informational.items(), *gifted.items()]:
        check_fields(compile_template(text), fields_of(kind))
    return _Speech(language, texts, informational, gifted, table["words"])


_SPEECH: Final[Mapping[str, _Speech]] = {language: _load(language) for language in LANGUAGES}
