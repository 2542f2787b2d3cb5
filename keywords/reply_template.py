"""The language of reply texts: plain text with ``{fields}`` from a fixed list, and nothing else.

There are no expressions, filters or nested look-ups, so a text written by a shop can neither
read anything it was not given nor fail while a customer waits.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from keywords.segments import repair

LONGEST_TEXT: Final = 1600  # Twilio refuses a longer Body (error 21617)
LONGEST_VALUE: Final = 160


class BadTemplate(ValueError):
    """A reply text that cannot be used. The message tells the person saving it what is wrong."""


@dataclass(frozen=True, slots=True)
class Template:
    """A parsed text. ``literals`` surround the ``fields``: there is always one more of them."""

    literals: tuple[str, ...]
    fields: tuple[str, ...]

    def fill(self, value_of: Callable[[str], str]) -> str:
        """The text with each field replaced by its cleaned value."""
        pieces = [self.literals[0]]
        for field, literal in zip(self.fields, self.literals[1:], strict=True):
            pieces += (clean(value_of(field)), literal)
        return "".join(pieces)[:LONGEST_TEXT]

    @property
    def words(self) -> str:
        """What the author wrote, without the fields."""
        return " ".join(self.literals)


@lru_cache(maxsize=2048)
def compile_template(text: str) -> Template:
    """The template that ``text`` writes, its look-alikes repaired and its white space tidied.

    Raises :class:`BadTemplate` for an empty or too long text and for a brace that is not part of
    a ``{field}``.
    """
    tidy = "\n".join(_tidy(line) for line in text.splitlines()).strip()
    if not tidy:
        raise BadTemplate("the text is empty")
    if len(tidy) > LONGEST_TEXT:
        raise BadTemplate(f"the text is longer than {LONGEST_TEXT} characters")
    pieces = _FIELD.split(tidy)
    literals = tuple(pieces[::2])
    if any(brace in literal for literal in literals for brace in "{}"):
        raise BadTemplate("a { or } does not belong to a field such as {brand}")
    return Template(literals, tuple(pieces[1::2]))


def check_fields(template: Template, allowed: Collection[str]) -> None:
    """Raise :class:`BadTemplate` when a field is not one of ``allowed``."""
    for field in template.fields:
        if field not in allowed:
            known = ", ".join(f"{{{name}}}" for name in sorted(allowed))
            raise BadTemplate(f"there is no field {{{field}}} in this text; it may use {known}")


@lru_cache(maxsize=4096)
def clean(value: str) -> str:
    """One line of printable text: control characters gone, look-alikes repaired, and capped."""
    return _tidy(value)[:LONGEST_VALUE].rstrip()


def _tidy(line: str) -> str:
    printable = (c for c in line if c.isspace() or unicodedata.category(c) not in _UNSEEN)
    return " ".join(repair("".join(printable)).split())


_FIELD: Final = re.compile(r"\{([a-z_]+)\}")
# Control characters, lone surrogates, private use and unassigned code points.
_UNSEEN: Final = frozenset({"Cc", "Cs", "Co", "Cn"})
