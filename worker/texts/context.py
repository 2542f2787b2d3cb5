"""What a text is written for: the program, its rules, and the people who will read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from keywords.replies import ProgramVoice
from keywords.shop import Program
from keywords.text_rules import MOST_SEGMENTS, OptOutLine
from worker.texts.values import ATTRIBUTES, PERSONAL, Values

__all__ = ("PROGRAM_FIELDS", "OptOutLine", "TextContext", "for_program")


@dataclass(frozen=True, slots=True)
class TextContext:
    """Everything that decides whether a text is right.

    ``link_prefix`` is what stands before the code of a short link; ``link_hosts`` the hosts that
    links may lead to, each with all that is below it. ``attributes`` are the shop's own fields,
    without "attributes.". ``typical`` and ``worst`` are values of real people of the audience,
    field by field; what they lack is taken from examples, unless ``exact`` says that they are
    complete. ``plain_values``: names lose accents that would double the price of a text.
    """

    voice: ProgramVoice
    language: str
    link_prefix: str
    link_hosts: frozenset[str]
    attributes: frozenset[str] = frozenset()
    opt_out: OptOutLine = OptOutLine.ALWAYS
    most_segments: int = MOST_SEGMENTS
    plain_values: bool = False
    typical: Values = field(default_factory=dict)
    worst: Values = field(default_factory=dict)
    exact: bool = False

    @property
    def constants(self) -> Mapping[str, str]:
        """The fields that are the same for everybody."""
        voice = self.voice
        return {"brand": voice.brand, "program": voice.name, "keyword": voice.keyword}

    @property
    def fields(self) -> frozenset[str]:
        """Every field that the text may use, attributes with their prefix."""
        own = {f"{ATTRIBUTES}.{name}" for name in self.attributes}
        return PROGRAM_FIELDS | PERSONAL | own


PROGRAM_FIELDS: Final = frozenset({"brand", "program", "keyword"})


def for_program(program: Program, link_prefix: str, language: str | None = None) -> TextContext:
    """What a text of a program is written for; ``language`` is the program's unless given.

    The prefix is ``links.link_prefix`` of the settings. For a preview, replace ``typical`` and
    ``worst`` by values of real people.
    """
    rules = program.campaign_texts
    return TextContext(
        voice=program.voice,
        language=language or program.language,
        link_prefix=link_prefix,
        link_hosts=program.link_hosts,
        attributes=frozenset(rules.attributes),
        opt_out=rules.opt_out,
        most_segments=rules.most_segments,
        plain_values=rules.plain_values,
    )
