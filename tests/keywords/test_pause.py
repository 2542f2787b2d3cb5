"""A wish to hear nothing for a while."""

from __future__ import annotations

import pytest

from keywords.pause import MOST_DAYS
from keywords.reading import read
from keywords.signals import Signal

JOIN_WORDS = {"deals": "deals", "coffee": "coffee"}


@pytest.mark.parametrize(
    ("body", "days", "language"),
    [
        ("PAUSE", None, "en"),
        ("snooze", None, "en"),
        ("PAUSE 2 weeks", 14, "en"),
        ("pause for a month", 30, "en"),
        ("Pause texts for a couple of weeks please", 14, "en"),
        ("can you pause these for 10 days", 10, "en"),
        ("pause 999 weeks", MOST_DAYS, "en"),
        ("pause until March", None, "en"),
        ("pausa 10 días", 10, "es"),
        ("PAUSA", None, "es"),
        ("pausar por una semana", 7, "es"),
        ("pause 2 semaines", 14, "en"),
        ("suspendre pendant un mois", 30, "fr"),
    ],
)
def test_a_pause_has_its_length(body: str, days: int | None, language: str) -> None:
    """In days; None when no length, or a date, is said."""
    reading = read(body, JOIN_WORDS)

    assert (reading.signal, reading.pause_days, reading.language) == (Signal.PAUSE, days, language)


def test_a_pause_may_be_for_one_program() -> None:
    """The keyword among its words says which."""
    assert read("pause deals 2 weeks", JOIN_WORDS).program == "deals"


@pytest.mark.parametrize(
    "body",
    ["pause my delivery", "hold my order please", "the video has a pause", "pause deals coffee"],
)
def test_other_pauses_are_left_to_a_person(body: str) -> None:
    """Deliveries and orders pause as well."""
    assert read(body, JOIN_WORDS).signal is Signal.NOT_UNDERSTOOD
