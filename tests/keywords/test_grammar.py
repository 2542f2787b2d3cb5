"""The notation in which sentence shapes are written."""

from __future__ import annotations

import pytest

from keywords.grammar import Grammar, Rule, expand
from keywords.typos import Speller, slips

RULES = [
    Rule("halting", ("START NICE* HALT (it|THEM) END",)),
    Rule("going", ("go{,ing} ~{0,1} (?!home)(away|far) LAST",)),
    Rule("counted", ("# HALT", "HALT #")),
]


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    """Two kinds, a macro and a speller that knows one word."""
    return Grammar(
        kinds={"HALT": "halt{,s} cease", "POLITE": "please", "THEM": "them those"},
        macros={"NICE": "(POLITE|kindly|very kindly)"},
        patterns=[shape for rule in RULES for shape in rule.shapes],
        speller=Speller(["kindly"], ["halt"], ["salt"], ["halt"]),
    )


@pytest.mark.parametrize(
    ("words", "rule"),
    [
        ("please halt it", "halting"),
        ("very kindly cease those", "halting"),
        ("well , halt them . bye", "halting"),
        ("haltt it", "halting"),
        ("kindlly halt it", "halting"),
        ("haltit", "halting"),
        ("salt it", None),
        ("we halt it", None),
        ("halt it all", None),
        ("go far", "going"),
        ("going very away .", "going"),
        ("go far home", None),
        ("12 halts", "counted"),
        ("cease 12", "counted"),
        ("", None),
    ],
)
def test_shapes_match_words(grammar: Grammar, words: str, rule: str | None) -> None:
    """Kinds, macros, literals, edges, any word, endings in braces and misspellings."""
    assert grammar.finder(RULES).rule_in(grammar.tags(words.split())) == rule


def test_an_unknown_name_is_an_error(grammar: Grammar) -> None:
    """A slip in a data file is found when the module is loaded."""
    with pytest.raises(ValueError, match="NOUN"):
        grammar.one("HALT NOUN")


def test_endings_are_spread() -> None:
    """One entry for all forms of a verb."""
    assert expand("mand{e,en}{,me} ya") == ["mande", "mandeme", "manden", "mandenme", "ya"]


@pytest.mark.parametrize("slip", ["sotp", "stpo", "sttop", "dtop", "stoop", "stpp"])
def test_slips_of_a_thumb_are_foreseen(slip: str) -> None:
    """Swapped, doubled and neighbouring letters."""
    assert slip in set(slips("stop"))


@pytest.mark.parametrize("word", ["shop", "soap", "top", "atop"])
def test_other_words_are_not_slips(word: str) -> None:
    """Words that a person may well mean."""
    assert word not in set(slips("stop")) - {"atop"}
