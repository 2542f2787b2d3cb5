"""Calls to action: the words that a person sees before they agree, for each method and language.

The default texts are data (``data/disclosures.en.toml`` and its sisters); a shop may write its own
with the same fields. Where only the shop can know what was shown (a file, its own systems) there
is no default. :func:`keywords.disclosure_rules.problems` says what a text lacks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keywords import data
from keywords.consent import Method
from keywords.phone import readable
from keywords.replies import INFORMATIONAL, LANGUAGES, ProgramVoice, language_of, title
from keywords.reply_template import check_fields, compile_template
from keywords.signals import Frequency

SHOWN_BY_US: Final = (Method.WEB_FORM, Method.CHECKOUT, Method.POINT_OF_SALE, Method.QR_CODE)
SHOWN_BY_THE_SHOP: Final = (Method.IMPORT, Method.API, Method.OPERATOR)
METHODS: Final = (*SHOWN_BY_US, *SHOWN_BY_THE_SHOP)


@dataclass(frozen=True, slots=True)
class Disclosure:
    """What a person was shown: its SHA-256, its exact words, and which version it is.

    ``version`` counts from 1 for each program, language and method.
    """

    digest: str
    text: str
    language: str
    method: Method
    version: int


def default_words(voice: ProgramVoice, language: str, method: Method) -> str | None:
    """The unfilled default text of a program's category; None where the shop brings its own."""
    texts = _TEXTS[language_of(language)]
    own = texts["informational"] if voice.category == INFORMATIONAL else texts["texts"]
    words = own.get(method)
    return None if words is None else str(words)


def render(words: str, voice: ProgramVoice, sender: str, language: str) -> str:
    """A text with its fields filled in, as it is shown. ``sender`` is the number that will text.

    Raises :class:`~keywords.reply_template.BadTemplate` for words that ``problems`` would refuse.
    """
    values = fields(voice, sender, language)
    template = compile_template(words)
    check_fields(template, values)
    return template.fill(values.__getitem__)


def fields(voice: ProgramVoice, sender: str, language: str) -> dict[str, str]:
    """What each {field} of a call to action stands for."""
    return {name: value(voice) for name, value in _VOICE.items()} | {
        "frequency": _frequency(voice.frequency, language_of(language)),
        "sender": readable(sender),
    }


FIELDS: Final = frozenset(
    {"brand", "program", "title", "keyword", "help_contact", "terms_url", "privacy_url"}
    | {"frequency", "sender"}
)
_VOICE: Final[Mapping[str, Callable[[ProgramVoice], str]]] = {
    "brand": lambda voice: voice.brand,
    "program": lambda voice: voice.name,
    "title": title,
    "keyword": lambda voice: voice.keyword,
    "help_contact": lambda voice: voice.help_contact,
    "terms_url": lambda voice: voice.terms_url,
    "privacy_url": lambda voice: voice.privacy_url,
}


def _frequency(promise: Frequency | None, language: str) -> str:
    words = _TEXTS[language]["words"]["frequency"]
    if promise is None:
        return str(words["varies"])
    number = "one" if promise.count == 1 else "many"
    return str(words[promise.period][number]).format(count=promise.count)


def _load(language: str) -> Mapping[str, Any]:
    """One language's file, checked: every method has a text, every field exists."""
    table = data.load(f"disclosures.{language}")
    for kind in ("texts", "informational"):
        if set(table[kind]) != set(SHOWN_BY_US):
            raise ValueError(f"disclosures.{language}.toml has not one text for each method")
        for words in table[kind].values():
            check_fields(compile_template(words), FIELDS)
    return table


_TEXTS: Final[Mapping[str, Mapping[str, Any]]] = {
    language: _load(language) for language in LANGUAGES
}
