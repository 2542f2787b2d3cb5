"""Does this text, in words of its own, ask us to stop? Yes, perhaps, or no, and by which rule.

47 CFR 64.1200(a)(10): words that a reasonable person would understand as a request to revoke
consent are one. The rules are sentence shapes in ``data/optout_*.toml``; see
:mod:`keywords.grammar` for their notation. They are tried in this order:

* ``guard``: what only looks like a wish to stop ("don't stop the deals", "stop by at five") is
  taken out of the sentence;
* ``wrong_number``: the person we texted never agreed to anything, so this stops too;
* ``stop``: a clear wish;
* ``unclear``: marketing is suspended, the person is told how to stop, and a colleague looks.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from keywords.data import load
from keywords.finder import Finder
from keywords.grammar import Grammar, Rule, expand, literals
from keywords.signals import Reading, Signal
from keywords.typos import Speller

LANGUAGES: Final = ("en", "es", "fr")
_SECTIONS: Final = ("guard", "wrong_number", "stop", "unclear")
# Nobody spells a wish to stop without one of these signs in the end; they stand for words.
_SIGNS: Final = frozenset("🛑🚫⛔✋🔇🖕")


def read_optout(body: str, tokens: Sequence[str]) -> Reading | None:
    """STOP, UNCLEAR_STOP, or None when the text asks for no such thing.

    ``tokens`` are those of :class:`keywords.text.Text`; ``body`` is the text as it came.
    """
    if not tokens:
        return _sign(body)
    tags = _GRAMMAR.tags(tokens)
    spoken = [language for language in LANGUAGES if _SPOKEN[language].search(tags)]
    tags = _GUARD.sub(_blank, tags)
    for outcome in _OUTCOMES:
        for language in spoken:
            name = outcome.finders[language].rule_in(tags)
            if name is not None:
                rule = f"optout.{language}.{name}"
                return Reading(outcome.signal, rule, language, wrong_number=outcome.wrong_number)
    return None


def _sign(body: str) -> Reading | None:
    """A text that is nothing but a sign which means "stop" on a road or a door."""
    if _SIGNS.isdisjoint(body):
        return None
    return Reading(Signal.UNCLEAR_STOP, "optout.sign")


def _blank(found: re.Match[str]) -> str:
    return "_" * len(found[0])


def _rules(language: str, section: str) -> list[Rule]:
    """The rules of one section; several shapes of a rule are alternatives."""
    return [
        Rule(name, (shapes,) if isinstance(shapes, str) else tuple(shapes))
        for name, shapes in _DATA[language][section].items()
    ]


def _merged(table: str) -> dict[str, str]:
    """A table of all languages; kinds of the same name are one kind."""
    merged: dict[str, str] = {}
    for language in LANGUAGES:
        for name, words in _DATA[language].get(table, {}).items():
            merged[name] = f"{merged[name]} {words}" if name in merged else words
    return merged


def _own_words() -> dict[str, set[str]]:
    """The words of Spanish and of French that the English rules do not know.

    A language is heard in a text that has one of them; otherwise "no", "a" or "texts" would let
    Spanish or French rules loose on English texts, and each would cost its time.
    """
    known: dict[str, set[str]] = {}
    for language in LANGUAGES:
        shapes = [
            shape for name in _SECTIONS for rule in _RULES[language, name] for shape in rule.shapes
        ]
        kinds = [expand(words) for words in _DATA[language]["kinds"].values()]
        known[language] = literals(shapes).union(*kinds)
    return {
        language: (known[language] - known["en"]).union(_DATA[language]["heard"])
        for language in LANGUAGES[1:]
    }


def _words(name: str) -> list[str]:
    return [word for language in LANGUAGES for word in _DATA[language][name]]


_DATA: Final[dict[str, dict[str, Any]]] = {
    language: load(f"optout_{language}") for language in LANGUAGES
}
_RULES: Final = {
    (language, section): _rules(language, section)
    for language in LANGUAGES
    for section in _SECTIONS
}
_OWN: Final = _own_words()
_GRAMMAR: Final = Grammar(
    kinds=_merged("kinds") | {f"OWN_{name.upper()}": " ".join(own) for name, own in _OWN.items()},
    macros=_merged("macros"),
    patterns=[shape for rules in _RULES.values() for rule in rules for shape in rule.shapes],
    speller=Speller(_words("targets"), _words("short"), _words("real"), _words("openers")),
)


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What follows when a rule of one section fires; one finder for each language."""

    signal: Signal
    finders: dict[str, Finder]
    wrong_number: bool = False


def _section(name: str) -> dict[str, Finder]:
    return {language: _GRAMMAR.finder(_RULES[language, name]) for language in LANGUAGES}


_SPOKEN: Final = {"en": re.compile("")} | {
    language: _GRAMMAR.one(f"OWN_{language.upper()}") for language in _OWN
}
_GUARD: Final = _GRAMMAR.finder(
    [rule for language in LANGUAGES for rule in _RULES[language, "guard"]]
).any
_OUTCOMES: Final = (
    _Outcome(Signal.STOP, _section("wrong_number"), wrong_number=True),
    _Outcome(Signal.STOP, _section("stop")),
    _Outcome(Signal.UNCLEAR_STOP, _section("unclear")),
)
