"""Finding the first of many sentence shapes: fast, and never otherwise than one by one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.finder import START, Finder, openings

SHAPES = [
    "ab",
    "[bc]d?a",
    "(?:a|bc)d",
    "(?<!a)(?:[cd]|ab)c",
    "^d?a",
    f"{START}cb",
    "e?b,",
    "[^.,]{2}d$",
]


@pytest.mark.parametrize(
    ("shape", "letters"),
    [
        ("ab", "a"),
        ("[bc]d?a", "bc"),
        ("a+b", "a"),
        ("(?:a|bc)d", "ab"),
        ("(?:a|(?:b|[cd])e)f", "abcd"),
        ("(?<!a)(?<!b)c", "c"),
        ("a?b", ""),
        ("a{0,2}b", ""),
        ("(?:a|b)*c", ""),
        ("(?:a|b?)c", ""),
        ("[^.,]a", ""),
        ("(?=a)b", ""),
        (f"(?:{START}|a)b", ""),
    ],
)
def test_the_first_word_of_a_shape_is_known_or_said_not_to_be(shape: str, letters: str) -> None:
    """A shape whose first word may be absent, or any word, has no certain opening."""
    assert openings(shape) == letters


def test_a_group_without_an_end_is_an_error() -> None:
    """Such a shape could not be compiled either."""
    with pytest.raises(ValueError, match="does not end"):
        openings("(?:a|b")


@given(st.text("abcde.,", max_size=12))
def test_trying_shapes_together_finds_what_trying_each_finds(tags: str) -> None:
    """The short cuts change the cost and not the answer."""
    finder = Finder(SHAPES, {"any": "|".join(SHAPES)})

    starts = [found.start() for shape in SHAPES if (found := re.search(shape, tags))]
    found = finder.any.search(tags)

    assert (found.start() if found else None) == min(starts, default=None)
    assert finder.rule_in(tags) == ("any" if starts else None)
