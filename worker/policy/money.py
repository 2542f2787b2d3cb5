"""Amounts in the smallest unit of a currency, read from what shops write ("19.90", "1200")."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

from keywords.money import exponent, written

__all__ = ["MOST", "BadAmount", "exponent", "minor", "written"]

MOST: Final = 10**15


class BadAmount(ValueError):
    """A text that is no amount of this currency."""


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
