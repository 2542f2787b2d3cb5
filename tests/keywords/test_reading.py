"""Reading a text: which intent wins, and what goes with it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.reading import read
from keywords.signals import Reading, Signal, StopScope

JOIN_WORDS = {"join": "deals", "deals": "deals", "coffee": "coffee", "orders": "orders"}
ANY_CHARACTERS = st.text(st.characters(codec=None, categories=None), max_size=200)


@pytest.mark.parametrize(
    ("body", "program", "rule"),
    [
        ("JOIN", "deals", "join.keyword"),
        ("Join 🎉", "deals", "join.keyword"),
        ("hello, JOIN", "deals", "join.keyword"),
        ("DEALS please", "deals", "join.keyword"),
        ("JOIN Anna", "deals", "join.tail"),
        ("deals store12", "deals", "join.tail"),
        ("DEALS W12", "deals", "join.tail"),
        ("join coffee", "coffee", "join.named"),
        ("only deals", "deals", "keep.only"),
        ("keep orders", "orders", "keep.keep"),
        ("KEEP COFFEE", "coffee", "keep.keep"),
    ],
)
def test_a_programs_keyword_joins_it(body: str, program: str, rule: str) -> None:
    """The keyword first, with a short tail; or the answer to "all, or only some?"."""
    assert read(body, JOIN_WORDS) == Reading(Signal.JOIN, rule, program=program)


@pytest.mark.parametrize(
    "body",
    [
        "coffee was cold today",
        "orders late",
        "where are my deals",
        "coffee is great here",
        "deals on shoes today?",
        "I love the coffee",
    ],
)
def test_talk_about_a_product_does_not_join(body: str) -> None:
    """A keyword in prose is not a request."""
    assert read(body, JOIN_WORDS).signal is Signal.NOT_UNDERSTOOD


@pytest.mark.parametrize(
    ("body", "program", "scope"),
    [
        ("STOP", None, StopScope.UNSAID),
        ("STOP ALL", None, StopScope.ALL),
        ("stop everything", None, StopScope.ALL),
        ("STOP DEALS", "deals", StopScope.PROGRAM),
        ("deals stop", "deals", StopScope.PROGRAM),
        ("stop coffee texts", "coffee", StopScope.PROGRAM),
        ("unsubscribe from coffee please", "coffee", StopScope.PROGRAM),
        ("no more coffee texts", "coffee", StopScope.PROGRAM),
        ("stop deals and coffee", None, StopScope.ALL),
        ("stop texting me about coffee, it hurts", None, StopScope.UNSAID),
    ],
)
def test_a_stop_says_how_much_it_ends(body: str, program: str | None, scope: StopScope) -> None:
    """47 CFR 64.1200(a)(12): one program only when the text says so plainly."""
    reading = read(body, JOIN_WORDS)

    assert (reading.signal, reading.program, reading.scope) == (Signal.STOP, program, scope)


@pytest.mark.parametrize("word", ["STOP", "help", "Start", "yes", "no", "cancel"])
def test_carrier_keywords_beat_everything(word: str) -> None:
    """A program that had taken such a word would not get it."""
    assert read(word, {word.lower(): "trap"}) == read(word, {})


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        ("", "empty"),
        ("👍", "empty"),
        ("Loved “ACME: 20% off. Reply STOP to end”", "tapback"),
        ("What time do you open?", "not_understood"),
    ],
)
def test_what_is_not_understood_says_why(body: str, rule: str) -> None:
    """The rule goes to the inbox with the text."""
    assert read(body, JOIN_WORDS) == Reading(Signal.NOT_UNDERSTOOD, rule)


def test_a_wrong_number_stops_and_is_marked() -> None:
    """The person we reached never agreed; the number belongs to somebody else."""
    assert [
        (read(body, {}).signal, read(body, {}).wrong_number)
        for body in ("wrong number", "Número equivocado", "mauvais numéro")
    ] == [(Signal.STOP, True)] * 3


@given(ANY_CHARACTERS)
def test_every_text_is_read_and_none_raises(body: str) -> None:
    """Surrogates, NUL, unassigned code points: something is always meant."""
    assert read(body, JOIN_WORDS).rule


WORDS = ["stop", "no", "me", "dont", "the", "text", "send", "please", "not", "más", "ne", "plus"]


@given(st.lists(st.sampled_from(WORDS)))
def test_no_heap_of_words_takes_long(words: list[str]) -> None:
    """The sentence shapes do not blow up on words that fit many of them."""
    started = time.process_time()
    read(" ".join(words * 20), JOIN_WORDS)

    assert time.process_time() - started < 0.5


@pytest.mark.parametrize("unit", ["a ", "stop to ", "no me ", "please ", "ne ", "S T O P ", "“"])
def test_a_megabyte_is_read_quickly(unit: str) -> None:
    """Only the part that a carrier could have delivered is looked at."""
    started = time.process_time()
    read(unit * (1_000_000 // len(unit)), JOIN_WORDS)

    assert time.process_time() - started < 1
