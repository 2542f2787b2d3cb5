"""What texts are expected to cost, by a list of prices by country (``worker/data/prices.toml``)."""

from __future__ import annotations

from typing import Final

from keywords.data import load

_DATA: Final = load("prices", "worker.data")
VERSION: Final[str] = _DATA["version"]
_COUNTRIES: Final[dict[str, int]] = _DATA["countries"]
_OTHERWISE: Final[int] = _DATA["otherwise"]
CURRENCY: Final = "USD"


def micros(country: str | None, sms_segments: int) -> int:
    """The expected price of a text in millionths of a US dollar; ``country`` is ISO 3166-1."""
    return _COUNTRIES.get(country or "", _OTHERWISE) * sms_segments
