"""The keyword lists: complete, and nobody else's."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.reading import read
from keywords.signals import Signal
from keywords.text import said
from keywords.vocabulary import core, exact, fold_keyword, reserved

LISTS = {
    "FCC": ["stop", "quit", "end", "revoke", "opt out", "cancel", "unsubscribe"],
    "Twilio": ["STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"],
    "CTIA": ["stop", "end", "unsubscribe", "cancel", "quit", "please opt me out"],
    "AWS": ["ARRET", "CANCEL", "OPT-OUT", "OPTOUT", "REMOVE", "TD", "UNSUBSCRIBE"],
    "Telnyx": ["stopall", "stop all", "unsubscribe"],
    "Salesforce": ["TERMINATE"],
    "Textmagic": ["STOPP"],
    "CWTA": ["STOP", "ARRET", "ARRÊT"],
    "French": ["ARRETE", "ARRETT", "DÉSABONNER"],
    "Spanish": ["ALTO", "PARAR", "CANCELAR", "BASTA", "DETENER", "NO MÁS", "SALIR", "BAJA"],
}
STOP_CASES = [
    pytest.param(word, id=f"{name}: {word}") for name, words in LISTS.items() for word in words
]
STOP_WORDS = sorted(
    {"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "revoke", "optout", "arret", "alto"}
)


@pytest.mark.parametrize("word", STOP_CASES)
def test_every_listed_stop_word_stops(word: str) -> None:
    """The superset of all lists in force stops, as a whole text."""
    assert read(word, {}).signal is Signal.STOP


@pytest.mark.parametrize(
    ("word", "signal"),
    [
        ("START", Signal.START),
        ("unstop", Signal.START),
        ("Subscribe!", Signal.START),
        ("opt-in", Signal.START),
        ("INICIO", Signal.START),
        ("début", Signal.START),
        ("HELP", Signal.HELP),
        ("info please", Signal.HELP),
        ("Ayuda", Signal.HELP),
        ("AIDE svp", Signal.HELP),
        ("YES", Signal.CONFIRM),
        ("y", Signal.CONFIRM),
        ("Sí, por favor", Signal.CONFIRM),
        ("oui merci", Signal.CONFIRM),
        ("yes please!!", Signal.CONFIRM),
        ("No", Signal.DECLINE),
        ("no thanks", Signal.DECLINE),
        ("No, gracias", Signal.DECLINE),
        ("non merci", Signal.DECLINE),
        ("RESUME", Signal.RESUME),
        ("reanudar", Signal.RESUME),
        ("REPRENDRE", Signal.RESUME),
        ("status", Signal.STATUS),
        ("Estado", Signal.STATUS),
        ("statut", Signal.STATUS),
    ],
)
def test_other_keywords_mean_their_signal(word: str, signal: Signal) -> None:
    """In every language, with politeness around them."""
    assert read(word, {}).signal is signal


@pytest.mark.parametrize(
    ("body", "language"),
    [("ESPAÑOL", "es"), ("Spanish please", "es"), ("en français", "fr"), ("ingles", "en")],
)
def test_a_language_is_asked_for_by_its_name(body: str, language: str) -> None:
    """LANGUAGE says which language the person wants."""
    reading = read(body, {})

    assert (reading.signal, reading.to_language) == (Signal.LANGUAGE, language)


@pytest.mark.parametrize("word", ["cancel", "END", "annuler"])
def test_words_with_two_meanings_stop_and_say_so(word: str) -> None:
    """CANCEL may have been about an order: it stops, and the rule is kept for review."""
    reading = read(word, {})

    assert reading.signal is Signal.STOP
    assert reading.rule.endswith(".ambiguous")


@given(
    word=st.sampled_from(STOP_WORDS),
    cases=st.lists(st.booleans(), min_size=12, max_size=12),
    before=st.sampled_from(["", "pls ", "Please, ", "ok ", "“", "hey!! ", "...", "por favor "]),
    after=st.sampled_from(["", "!", "!!!", " 🙏", " please", ", thank you", "”", " svp", ".\n"]),
    repeats=st.integers(1, 3),
)
def test_noise_around_a_stop_word_never_changes_it(
    word: str, cases: list[bool], before: str, after: str, repeats: int
) -> None:
    """Case, politeness, punctuation, emoji and repetition leave a stop word a stop word."""
    dressed = "".join(
        letter.upper() if upper else letter for letter, upper in zip(word, cases, strict=False)
    )

    assert read(before + " ".join([dressed] * repeats) + after, {}).signal is Signal.STOP


@pytest.mark.parametrize("body", ["5T0P", "ST0P", "st op", "E N D", "H3LP"])
def test_carrier_keywords_are_heard_when_spelled_oddly(body: str) -> None:
    """Digits for letters and letters apart do not hide a carrier keyword."""
    assert exact(core(said(body).words)) is not None


@pytest.mark.parametrize(
    ("word", "signal"),
    [
        ("stop", Signal.STOP),
        ("opt-out", Signal.STOP),
        ("st0p", Signal.STOP),
        ("Sí", Signal.CONFIRM),
        ("HELP", Signal.HELP),
        ("start", Signal.START),
        ("weekly", Signal.FREQUENCY),
        ("Pausa", Signal.PAUSE),
    ],
)
def test_reserved_words_are_known(word: str, signal: Signal) -> None:
    """A program may not take a keyword that every sender already understands."""
    assert reserved(word) is signal


def test_join_and_ordinary_words_are_free() -> None:
    """JOIN is an ordinary program keyword."""
    assert [reserved(word) for word in ("JOIN", "deals", "Coffee")] == [None, None, None]


def test_a_keyword_is_folded_as_a_text_is() -> None:
    """So that "Café" is joined by "CAFE"."""
    assert fold_keyword(" Café! ") == "cafe"


@pytest.mark.parametrize("word", ["", "🎉", "two words"])
def test_a_keyword_is_one_word(word: str) -> None:
    """What cannot be texted as one word is refused with a reason."""
    with pytest.raises(ValueError, match="keyword"):
        fold_keyword(word)
