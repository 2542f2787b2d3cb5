"""Letters are measured and drawn from the same files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.posters.letters import Face, advance, drawable, missing, outline, width
from bot.posters.lines import broken, fitted

SPOKEN = "AÁBCDEÉFGHIÍJKLMNÑOÓPQRSTUÚÜVWXYZaàâäçéèêëîïôœùûüÿñ¿¡?!.,:;&%€$£0123456789’“”«»—–·®™"


@pytest.mark.parametrize("face", list(Face))
def test_every_letter_of_our_languages_has_an_outline(face: Face) -> None:
    """English, Spanish and French, with their punctuation; accents are made of parts."""
    assert missing(SPOKEN) == ""
    for char in SPOKEN:
        assert outline(char, face).startswith("M")
        assert outline(char, face).endswith("Z")
    assert outline("é", face).count("Z") > outline("e", face).count("Z")
    assert outline(" ", face) == ""


@pytest.mark.parametrize("face", list(Face))
def test_a_line_is_as_wide_as_its_letters(face: Face) -> None:
    """The SVG moves by letters what the PDF measures as a line."""
    assert sum(advance(c, face) for c in SPOKEN) * 20 / 1000 == pytest.approx(
        width(SPOKEN, face, 20)
    )


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("Café  del\nMar", "Café del Mar"),
        ("①② 20 % off 🎉", "12 20 % off"),
        ("日本", ""),
        ("Zero\u200bwidth", "Zerowidth"),
    ],
)
def test_what_cannot_be_drawn_is_left_out(text: str, drawn: str) -> None:
    """A brand's name is drawn as well as the faces can, never with empty boxes."""
    assert drawable(text) == drawn
    assert missing(drawn) == ""


@given(st.text(st.sampled_from("abcdefgh W"), max_size=120), st.floats(4, 60))
def test_lines_hold_every_letter_and_keep_to_their_room(text: str, room: float) -> None:
    """Nothing is lost, no line is wider than the room, words stay whole where they can."""
    lines = list(broken(text, room, lambda line: len(line) * 4.0))

    assert "".join(lines).replace(" ", "") == "".join(text.split())
    assert all(len(line) * 4.0 <= room for line in lines)
    for word in text.split():
        if len(word) * 4.0 <= room:
            assert any(word in line for line in lines)


def test_text_is_set_as_large_as_it_fits() -> None:
    """A short headline is large, a long one smaller, and none has a broken word while it may
    shrink.
    """
    short = fitted("Join us", Face.BOLD, (10, 60), 400, 3, 1.1)
    long = fitted(
        "Internationalisation of everything we sell " * 2, Face.BOLD, (10, 60), 200, 3, 1.1
    )

    assert short.size == 60
    assert 10 <= long.size < 60
    assert all(width(line, Face.BOLD, long.size) <= 200 for line in long.lines)
    assert "Internationalisation" in " ".join(long.lines)
