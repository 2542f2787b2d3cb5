"""What a call to action must say before it is published, element by element, each with its source.

The rules are data: ``data/disclosures.rules.toml``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keywords import data
from keywords.consent import Method
from keywords.disclosures import FIELDS, METHODS, fields
from keywords.replies import LANGUAGES, ProgramVoice
from keywords.reply_rules import matches, stated
from keywords.reply_template import BadTemplate, Template, check_fields, compile_template


@dataclass(frozen=True, slots=True)
class Missing:
    """One reason not to publish a call to action.

    ``rule`` is a stable name ("seller", "no_condition"); ``message`` a sentence for the person
    who publishes; ``source`` where the rule comes from, empty for a text that cannot be read.
    """

    rule: str
    message: str
    source: str = ""

    def sentence(self) -> str:
        """The message with its source."""
        return f"{self.message} ({self.source})" if self.source else self.message


def problems(
    words: str, voice: ProgramVoice, sender: str, language: str, method: Method
) -> list[Missing]:
    """Everything that ``words`` lack as the call to action of ``method``; empty when it is fit."""
    if language not in LANGUAGES:
        spoken = ", ".join(LANGUAGES)
        return [Missing("language", f"{language} is not a language of this service: {spoken}")]
    if method not in METHODS:
        return [Missing("method", f"nothing is shown to people who join by {method}")]
    try:
        template = compile_template(words)
        check_fields(template, FIELDS)
    except BadTemplate as error:
        return [Missing("template", f"the text cannot be used: {error}")]
    values = fields(voice, sender, language)
    return [
        *_missing(template, values, voice, language, method),
        *_promise(template, voice, language),
    ]


_RULES: Final = data.load("disclosures.rules")


def _missing(
    template: Template,
    values: Mapping[str, str],
    voice: ProgramVoice,
    language: str,
    method: Method,
) -> Iterator[Missing]:
    for rule in _RULES["required"]:
        if method not in rule.get("methods", METHODS):
            continue
        if rule.get("category", voice.category) != voice.category:
            continue
        if not _says(rule, template, values, language) and not (
            rule["element"] == "frequency" and stated(template, language) == voice.frequency
        ):
            yield Missing(rule["element"], f"the text {rule['message']}", rule["source"])


def _says(
    rule: Mapping[str, Any], template: Template, values: Mapping[str, str], language: str
) -> bool:
    named = rule.get("fields", ())
    if not set(named).isdisjoint(template.fields):
        return True
    written = template.words.casefold()
    if any(values[field].casefold() in written for field in named if field != "frequency"):
        return True
    return matches(rule.get("words", {}).get(language, ()), template.words)


def _promise(template: Template, voice: ProgramVoice, language: str) -> Iterator[Missing]:
    written = stated(template, language)
    if written is not None and written != voice.frequency:
        message = "the text states another frequency than the program promises; use {frequency}"
        yield Missing("promise", message, "CTIA 5.1.1")
