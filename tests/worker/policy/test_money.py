"""Amounts and click ids are read exactly, or refused."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.policy import click_ids
from worker.policy.money import BadAmount, minor, written

AMOUNTS = [
    ("19.90", "USD", 1990),
    ("19.9", "EUR", 1990),
    ("0", "USD", 0),
    ("1200", "JPY", 1200),
    ("1200.00", "JPY", 1200),
    ("1.234", "KWD", 1234),
    ("1e2", "USD", 10000),
]


@pytest.mark.parametrize(("amount", "currency", "expected"), AMOUNTS)
def test_an_amount_is_read_in_its_currency(amount: str, currency: str, expected: int) -> None:
    """A yen has no hundredths, a dinar has thousandths."""
    assert minor(amount, currency) == expected


@pytest.mark.parametrize("amount", ["", "x", "-1", "19.905", "NaN", "Infinity", "1e99", "1,5"])
def test_what_is_no_amount_is_refused(amount: str) -> None:
    """A report that guesses at money is worse than none."""
    with pytest.raises(BadAmount):
        minor(amount, "USD")


@given(st.integers(0, 10**15), st.sampled_from(["USD", "JPY", "KWD"]))
def test_an_amount_is_written_as_it_is_read(amount: int, currency: str) -> None:
    """Both ways, for every currency."""
    assert minor(written(amount, currency), currency) == amount


@given(st.integers(0, 2**41 - 1), st.integers(0, 2**22 - 1))
def test_a_click_id_survives_its_journey(milliseconds: int, chance: int) -> None:
    """In the landing page's address, among other parameters, before a fragment."""
    click = click_ids.make(milliseconds, chance)

    address = click_ids.added("https://acme.example/hats?a=b&c#top", click)

    assert click_ids.read(click_ids.write(click)) == click
    assert click_ids.of_address(address) == (click,)
    assert address.startswith("https://acme.example/hats?a=b&c&assent_click=")
    assert address.endswith("#top")


@pytest.mark.parametrize(
    "address",
    [None, "", "/", "https://[", "/?assent_click=", "/?assent_click=xyz", "/?" + "a=b&" * 200],
)
def test_an_address_without_a_click_has_none(address: str | None) -> None:
    """Whatever a shop sends as the landing site."""
    assert click_ids.of_address(address) == ()
