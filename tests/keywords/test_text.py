"""Folding: what a person wrote, made comparable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.text import LONGEST, fold, said


@pytest.mark.parametrize(
    "body",
    [
        pytest.param("STOP", id="case"),
        pytest.param("S.T.O.P", id="dots"),
        pytest.param("S T O P", id="spaces"),
        pytest.param("S-T-O-P", id="hyphens"),
        pytest.param("ST\u200bOP", id="zero-width space"),
        pytest.param("S\u00adTOP", id="soft hyphen"),
        pytest.param("\u202eSTOP\u202c", id="bidi marks"),
        pytest.param("ST\x00OP", id="NUL"),
        pytest.param("ＳＴＯＰ", id="full width"),
        pytest.param("ЅТОР", id="Cyrillic look-alikes"),
        pytest.param("STΟΡ", id="Greek look-alikes"),
        pytest.param("𝐒𝐓𝐎𝐏", id="mathematical letters"),
        pytest.param("🅢🅣🅞🅟", id="letters in circles"),
        pytest.param("s\u0301to\u0308p", id="combining accents"),
        pytest.param("STOP🛑🙏🏽", id="emoji"),
        pytest.param("“stop”", id="smart quotes"),
        pytest.param("  stop \t\r\n", id="blanks"),
        pytest.param("STOP\nSent from my iPhone", id="signature"),
        pytest.param("> Reply HELP for help\nstop", id="quoted line"),
    ],
)
def test_small_differences_disappear(body: str) -> None:
    """CTIA 5.1.3: case, punctuation and dress do not decide whether STOP is heard."""
    assert fold(body) == "stop"


@pytest.mark.parametrize(
    ("body", "folded"),
    [
        pytest.param("Don’t text me", "dont text me", id="apostrophe"),
        pytest.param("Arrêtez de m'écrire", "arretez de m ecrire", id="French elision"),
        pytest.param("¿Sí, señor?", "si senor", id="Spanish"),
        pytest.param("٢ a week", "2 a week", id="Arabic-Indic digit"),
        pytest.param("see https://acme.example/stop now", "see now", id="link"),
        pytest.param("u r a star", "u r a star", id="chat is not a spelled word"),
        pytest.param("", "", id="empty"),
        pytest.param("\ud800 stop \udfff", "stop", id="lone surrogates"),
    ],
)
def test_words_are_kept_in_their_plainest_form(body: str, folded: str) -> None:
    """Folding leaves the words and their order."""
    assert fold(body) == folded


@pytest.mark.parametrize(
    "body",
    [
        "Loved “ACME: 20% off. Reply STOP to end”",
        'Loved "ACME: 20% off. Reply STOP to end"',
        "Liked “STOP”",
        "Emphasized “Reply STOP",
        "Laughed at “stop”",
        "Disliked “stop”",
        "Questioned “stop”",
        "Reacted ❤️ to “Text STOP to quit”",
        "Removed a like from “STOP”",
        "\u200a👍\u200b to \u201c\u200aReply STOP\u200a\u201d\u200a",
        "Le gustó “Responda STOP”",
        "Le encantó “STOP”",
        "A aimé “Répondez ARRET”",
        "A réagi avec ❤️ à “STOP”",
        "Liked an image",
    ],
)
def test_a_reaction_says_nothing_of_its_own(body: str) -> None:
    """What the phone quotes is our text, not the person's."""
    text = said(body)

    assert text.tapback
    assert text.words == ()


def test_words_after_a_reaction_are_heard() -> None:
    """Only the quotation is left out, not what the person added."""
    assert fold("Liked “our deals” please stop") == "please stop"


@given(st.text())
def test_folding_twice_is_folding_once(body: str) -> None:
    """A stored keyword and a texted one meet in the same form."""
    once = fold(body)

    assert fold(once) == once


@given(st.text(st.characters(codec=None, categories=None), max_size=40))
def test_folding_takes_any_characters(body: str) -> None:
    """Surrogates, NUL and unassigned code points included."""
    assert fold(body) == " ".join(fold(body).split())


def test_a_text_is_read_no_further_than_a_carrier_takes_it() -> None:
    """A megabyte of text costs no more than the longest SMS."""
    assert len(fold("a " * 500_000)) <= LONGEST
