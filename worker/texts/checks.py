"""What carriers, phones and prices have against a text: looked for in the author's own words."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from keywords import data
from keywords.segments import forcing, repair
from worker.texts.findings import Finding, error, note, warning
from worker.texts.reading import Words
from worker.texts.rendering import Repair

# "{first_name}" is how replies are written; a text of a campaign wants two braces.
_SINGLE: Final = re.compile(r"\{+\s*([A-Za-z_][\w.]*)\s*\}+|\}\}|%\}|\{%|\{\{")
_UNSENDABLE: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
_LINE_ENDS: Final = frozenset("\n\r\t")


def _topics() -> tuple[tuple[str, str, re.Pattern[str]], ...]:
    topics = data.load("shaft", "worker.data")["topics"]
    return tuple(
        (
            topic["code"],
            topic["says"],
            re.compile(rf"\b(?:{'|'.join(topic['words'])})\b".replace(" ", r"\s+"), re.IGNORECASE),
        )
        for topic in topics
    )


_TOPICS: Final = _topics()


def unsendable(source: str) -> Iterator[Finding]:
    """Characters that no phone shows: controls, lone surrogates, private use."""
    for at, character in enumerate(source):
        if character not in _LINE_ENDS and unicodedata.category(character) in _UNSENDABLE:
            sentence = f"The character U+{ord(character):04X} cannot be sent; remove it."
            yield error("character", at, 1, sentence)


def braces(words: Iterable[Words]) -> Iterator[Finding]:
    """Braces that are not Liquid, though somebody meant them to be."""
    for stretch in words:
        for match in _SINGLE.finditer(stretch.text):
            at = stretch.start + match.start()
            if match[1]:
                sentence = f"A field has two braces on each side: {{{{ {match[1]} }}}}."
            else:
                sentence = f"{match[0]} stands here alone."
            yield error("braces", at, len(match[0]), sentence)


def shaft(words: Iterable[Words]) -> Iterator[Finding]:
    """Words by which carriers filter."""
    for stretch in words:
        for code, says, pattern in _TOPICS:
            for match in pattern.finditer(stretch.text):
                at = stretch.start + match.start()
                yield warning(code, at, len(match[0]), f"{says}: {match[0]}.")


def encoding(
    source: str, words: Sequence[Words], *, plain_values: bool
) -> tuple[Repair, Finding | None]:
    """What is repaired in every text, and what the author has to know about its characters."""
    text = "".join(stretch.text for stretch in words)
    usual = Repair.ACCENTS if plain_values else Repair.LOOK_ALIKES
    forced = forcing(text)
    if not forced:
        return usual, None
    at = min(source.find(character) for character in forced)
    shown = " ".join(forced)
    if not forcing(repair(text)):
        sentence = f"These are sent as their plain look-alikes, which cost less: {shown}"
        return usual, note("repaired", at, 1, sentence, repair(source))
    if not forcing(repair(text, accents=True)):
        sentence = f"These letters allow 70 characters in an SMS segment instead of 160: {shown}"
        return Repair.NOTHING, warning("ucs2", at, 1, sentence, repair(source, accents=True))
    lasting = forcing(repair(text, accents=True))
    at = min(source.find(character) for character in lasting)
    sentence = (
        "These characters allow 70 characters in an SMS segment instead of 160: "
        f"{' '.join(lasting)}"
    )
    return Repair.NOTHING, warning("ucs2", at, 1, sentence, _without(source, lasting))


def _without(source: str, characters: Sequence[str]) -> str | None:
    """The source without some signs and the space before each; None when they are letters."""
    if any(unicodedata.category(character).startswith("L") for character in characters):
        return None
    for character in characters:
        source = source.replace(f" {character}", "").replace(character, "")
    return repair(source, accents=True)
