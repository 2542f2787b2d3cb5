"""How often a person wants to hear from us."""

from __future__ import annotations

import pytest

from keywords.reading import read
from keywords.signals import Frequency, Period, Signal

JOIN_WORDS = {"deals": "deals", "coffee": "coffee"}
DAY, WEEK, MONTH = Period.DAY, Period.WEEK, Period.MONTH


@pytest.mark.parametrize(
    ("body", "count", "period"),
    [
        ("weekly", 1, WEEK),
        ("WEEKLY please!", 1, WEEK),
        ("daily", 1, DAY),
        ("monthly", 1, MONTH),
        ("2 a week", 2, WEEK),
        ("twice a month", 2, MONTH),
        ("only once a month", 1, MONTH),
        ("max 3 per month", 3, MONTH),
        ("no more than 2 a week", 2, WEEK),
        ("don't text me more than twice a month", 2, MONTH),
        ("can you text me once a month?", 1, MONTH),
        ("every two weeks", 2, MONTH),
        ("every day", 1, DAY),
        ("3-4 a month", 4, MONTH),
        ("fewer texts please", 1, WEEK),
        ("una vez por semana", 1, WEEK),
        ("2 por semana", 2, WEEK),
        ("máximo 3 al mes", 3, MONTH),
        ("no más de 2 por semana", 2, WEEK),
        ("semanal", 1, WEEK),
        ("cada mes", 1, MONTH),
        ("menos mensajes", 1, WEEK),
        ("une fois par mois", 1, MONTH),
        ("2 par semaine", 2, WEEK),
        ("pas plus de 3 par mois", 3, MONTH),
        ("hebdomadaire", 1, WEEK),
        ("chaque semaine", 1, WEEK),
    ],
)
def test_a_wish_is_read_in_three_languages(body: str, count: int, period: Period) -> None:
    """Words, digits and adverbs; a range means its upper end."""
    reading = read(body, JOIN_WORDS)

    assert (reading.signal, reading.frequency) == (Signal.FREQUENCY, Frequency(count, period))


@pytest.mark.parametrize("body", ["DEALS WEEKLY", "weekly deals", "deals once a week please"])
def test_a_programs_keyword_says_what_the_wish_is_for(body: str) -> None:
    """Otherwise it is for every program."""
    assert read(body, JOIN_WORDS).program == "deals"
    assert read("weekly", JOIN_WORDS).program is None


@pytest.mark.parametrize(
    "body",
    [
        "the weekly ad was great",
        "see you next week",
        "2 people a week work there",
        "weekly coffee deals",
        "a week",
        "99 a day",
        "every 3 months",
        "weekly monthly",
    ],
)
def test_other_talk_of_time_is_no_wish(body: str) -> None:
    """Every word must belong to the wish."""
    assert read(body, JOIN_WORDS).signal is Signal.NOT_UNDERSTOOD


def test_none_at_all_is_no_frequency() -> None:
    """A wish for 0 a week may well be a wish to stop."""
    assert read("0 a week", JOIN_WORDS).signal is Signal.UNCLEAR_STOP
