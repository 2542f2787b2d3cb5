"""Which numbers a program does not text, by their country and their line."""

from __future__ import annotations

import pytest

from keywords.phone import parse
from keywords.reach import SENTENCES, Unreached, unreached


@pytest.mark.parametrize(
    ("number", "countries", "why"),
    [
        pytest.param("+14155552671", ("US",), None, id="at home"),
        pytest.param("+17875550123", ("US",), None, id="puerto rico"),
        pytest.param("+16135550123", ("US",), Unreached.COUNTRY, id="canada"),
        pytest.param("+16135550123", ("US", "CA"), None, id="canada, served"),
        pytest.param("+14155552671", ("CA",), Unreached.COUNTRY, id="only canada"),
        pytest.param("+447400123456", ("GB",), None, id="britain"),
        pytest.param("+442079460000", ("GB",), None, id="a landline: a guess"),
        pytest.param("+80012345678", ("US",), Unreached.COUNTRY, id="of no country"),
        pytest.param("+18005550199", ("US",), Unreached.LINE, id="toll-free"),
        pytest.param("+19005550199", ("US",), Unreached.LINE, id="premium"),
    ],
)
def test_a_program_texts_people_of_its_countries(
    number: str, countries: tuple[str, ...], why: Unreached | None
) -> None:
    """And no line that no person reads, or that costs who texts it."""
    assert unreached(parse(number), countries) is why


def test_every_reason_has_a_sentence() -> None:
    """That can be shown, and names no number."""
    assert set(SENTENCES) == set(Unreached)
