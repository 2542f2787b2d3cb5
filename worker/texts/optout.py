"""The line that says how to leave: whether a text has it, what it says, and when it is due."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from keywords.replies import language_of
from keywords.text_rules import OptOutLine
from worker.texts.limits import TABLE
from worker.texts.reading import Words

_TABLE: Final = TABLE["opt_out"]
EVERY: Final = timedelta(days=_TABLE["every_days"])
_INSTRUCTION: Final = re.compile(
    "|".join(pattern for patterns in _TABLE["patterns"].values() for pattern in patterns),
    re.IGNORECASE,
)


class Says(StrEnum):
    """Whether the author's own words say how to leave: to everybody, to some, or to nobody."""

    ALWAYS = "always"
    SOMETIMES = "sometimes"
    NEVER = "never"


def says(words: Iterable[Words]) -> Says:
    """What the author's words say. Those in a condition reach only some."""
    told = {stretch.certain for stretch in words if instructs(stretch.text)}
    if True in told:
        return Says.ALWAYS
    return Says.SOMETIMES if told else Says.NEVER


def instructs(text: str) -> bool:
    """Whether a text tells its reader how to leave: "Reply STOP to end", in any language."""
    return _INSTRUCTION.search(text) is not None


def line(language: str) -> str:
    """The line that is added, in the language of the text."""
    words: str = _TABLE["lines"][language_of(language)]
    return words


def due(rule: OptOutLine, told_at: datetime | None, now: datetime) -> bool:
    """Whether a person's next text of a program must have the line.

    ``told_at`` is when a text of the program last told them; None when none did.
    """
    if rule is not OptOutLine.MONTHLY or told_at is None:
        return True
    return now - told_at >= EVERY
