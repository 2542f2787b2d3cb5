"""Amounts of money: whole numbers in the smallest unit of a currency, and how people write them."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from keywords.data import load

_EXPONENTS: Final[dict[str, int]] = load("currencies")["exponents"]
_USUAL: Final = 2


def exponent(currency: str) -> int:
    """How many decimal places a currency has (ISO 4217); two unless the table says otherwise."""
    return _EXPONENTS.get(currency, _USUAL)


def written(amount_minor: int, currency: str) -> str:
    """The amount as people write it, without the currency's sign: "19.90"."""
    places = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-places):.{places}f}"
