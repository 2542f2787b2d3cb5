"""What a text is written for: the program, its rules, and the people who will read it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from keywords.replies import ProgramVoice
from worker.texts.limits import USUAL_SEGMENTS
from worker.texts.values import ATTRIBUTES, PERSONAL, Values


class OptOutLine(StrEnum):
    """When a text has to say how to opt out (CTIA: at regular intervals, at least monthly).

    ALWAYS: in every text; MONTHLY: in the first of a program and once a month; in both cases it
    is added where the author left it out. WRITTEN: in every text, and the author has to write it.
    """

    ALWAYS = "always"
    MONTHLY = "monthly"
    WRITTEN = "written"


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
    most_segments: int = USUAL_SEGMENTS
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
