"""Amounts in the smallest unit of a currency, read from what shops write ("19.90", "1200")."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from keywords.data import load

_EXPONENTS: Final[dict[str, int]] = load("currencies", "worker.data")["exponents"]
_USUAL: Final = 2
MOST: Final = 10**15


class BadAmount(ValueError):
    """A text that is no amount of this currency."""


def exponent(currency: str) -> int:
    """How many decimal places a currency has (ISO 4217); two unless the table says otherwise."""
    return _EXPONENTS.get(currency, _USUAL)


def minor(amount: str, currency: str) -> int:
    """The amount in minor units: ``minor("19.90", "USD")`` is 1990.

    Raises :class:`BadAmount` for what is no number, is negative, or is finer than the currency.
    """
    try:
        scaled = Decimal(amount).scaleb(exponent(currency))
        whole = int(scaled)
    except (InvalidOperation, ValueError, OverflowError):
        raise BadAmount("This is not an amount.") from None
    if whole != scaled:
        raise BadAmount("The amount has more decimal places than its currency.")
    if not 0 <= whole <= MOST:
        raise BadAmount("The amount must be from 0 to 10^15 minor units.")
    return whole


def written(amount_minor: int, currency: str) -> str:
    """The amount as people write it, without the currency's sign: "19.90"."""
    places = exponent(currency)
    return f"{Decimal(amount_minor).scaleb(-places):.{places}f}"
