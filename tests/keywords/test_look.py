"""A brand's colour is readable wherever it is put, whatever colour the brand has."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keywords.look import (
    BLACK,
    DEFAULT_COLOUR,
    NIGHT,
    PAPER,
    PART,
    TEXT,
    WHITE,
    contrast,
    dark,
    filled,
    is_colour,
    light,
)

COLOURS = st.integers(0, 0xFFFFFF).map(lambda value: f"#{value:06x}")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        (BLACK, WHITE, 21.0),
        (WHITE, WHITE, 1.0),
        ("#767676", WHITE, 4.54),
        ("#ff0000", WHITE, 4.0),
        ("#0000ff", BLACK, 2.44),
    ],
)
def test_contrast_is_the_ratio_of_wcag(one: str, other: str, ratio: float) -> None:
    """Known pairs; the order does not matter."""
    assert contrast(one, other) == pytest.approx(ratio, abs=0.01)
    assert contrast(other, one) == contrast(one, other)


@given(COLOURS)
def test_every_colour_gets_readable_text_and_visible_controls(colour: str) -> None:
    """4.5 to 1 for text, 3 to 1 for the button against what it lies on, by day and by night."""
    for palette, ground in ((light(colour), PAPER), (dark(colour), NIGHT)):
        assert contrast(palette.button, palette.on_button) >= TEXT
        assert contrast(palette.button, ground) >= PART
        assert contrast(palette.accent, ground) >= TEXT


@given(COLOURS)
def test_a_filled_surface_carries_its_text(colour: str) -> None:
    """A poster's band is the brand's colour, at most a shade darker, with black or white on it."""
    surface, text = filled(colour)

    assert text in (BLACK, WHITE)
    assert contrast(surface, text) >= TEXT


def test_a_colour_that_is_readable_already_stays_as_it_is() -> None:
    """A brand's own colour is not touched without need."""
    assert light(DEFAULT_COLOUR).button == light(DEFAULT_COLOUR).accent == DEFAULT_COLOUR
    assert filled("#ffd400") == ("#ffd400", BLACK)


@pytest.mark.parametrize("text", ["", "1f5f4f", "#1F5F4F", "#1f5f4", "#1f5f4f;", "red", "#１f5f4f"])
def test_only_six_small_digits_are_a_colour(text: str) -> None:
    """It is written into a stylesheet, so nothing else may pass."""
    assert not is_colour(text)
    assert is_colour(DEFAULT_COLOUR)
