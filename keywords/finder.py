"""Finds the first of many sentence shapes in the tags of a text, and spends little on most texts.

Shapes are regular expressions over one character for each word, as :mod:`keywords.grammar`
writes them. Most words of most texts begin no shape, so shapes are tried together and only where
their first word stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

# The edge of a thought before a word: nothing, a full stop or a comma.
START: Final = r"(?<![^.,])"
_WHOLE: Final = "^"
_BEHIND: Final = re.compile(r"(?:\(\?<[!=][^()]*\))+")
_FIRST: Final = re.compile(r"\[(?P<several>[^\]^]+)\]|(?P<one>[^\W\d_])")
_GROUP: Final = "(?:"
# After these the word before them may be absent.
_PERHAPS: Final = frozenset("?*{")


class Finder:
    """Finds the first of several rules in a text.

    ``named`` maps the name of each rule to the expression of all its shapes. Most texts fit no
    rule, so one expression without groups, which is several times faster, says whether there is
    anything to name.
    """

    def __init__(self, shapes: Sequence[str], named: Mapping[str, str]) -> None:
        self.any = re.compile(_together(shapes))
        self._named = re.compile("|".join(f"(?P<{name}>{shape})" for name, shape in named.items()))

    def rule_in(self, tags: str) -> str | None:
        """The name of the rule that fits first, or None."""
        fits = self.any.search(tags)
        if fits is None:
            return None
        found = self._named.match(tags, fits.start())
        return found.lastgroup if found else None


def _together(shapes: Sequence[str]) -> str:
    """One expression for all shapes; what they have in common in front is tested once."""
    groups: dict[str, list[str]] = {_WHOLE: [], START: [], "": []}
    opened: list[str] = []
    letters: set[str] = set()
    for shape in shapes:
        edge = next(edge for edge in groups if shape.startswith(edge))
        first = "" if edge else openings(shape)
        if first:
            letters.update(first)
            opened.append(shape)
        else:
            groups[edge].append(shape.removeprefix(edge))
    if opened:
        groups[f"(?=[{''.join(sorted(letters))}])"] = opened
    return "|".join(f"{edge}(?:{'|'.join(group)})" for edge, group in groups.items() if group)


def openings(shape: str) -> str:
    """The characters that a shape can begin with; none when that cannot be told at a glance."""
    behind = _BEHIND.match(shape)
    rest = shape[behind.end() :] if behind else shape
    first = _FIRST.match(rest)
    if first is not None:
        letters, end = first["several"] or first["one"], first.end()
    elif rest.startswith(_GROUP):
        choices, end = _choices(rest)
        each = [openings(choice) for choice in choices]
        letters = "".join(each) if all(each) else ""
    else:
        return ""
    return "" if rest[end : end + 1] in _PERHAPS else letters


def _choices(pattern: str) -> tuple[list[str], int]:
    """The alternatives of the group that a pattern begins with, and where the group ends."""
    choices, begin, depth = [], len(_GROUP), 0
    for at, char in enumerate(pattern):
        depth += (char == "(") - (char == ")")
        if char == "|" and depth == 1:
            choices.append(pattern[begin:at])
            begin = at + 1
        elif depth == 0:
            return [*choices, pattern[begin:at]], at + 1
    raise ValueError("The group does not end.")
