"""How long to wait before a text that was certainly not accepted is tried again.

The wait grows with the time the text has already waited, so no attempt has to be counted, and it
is spread, so that many texts refused together do not come back together.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Final

SHORTEST: Final = timedelta(seconds=2)
LONGEST: Final = timedelta(minutes=5)
_SHARE: Final = 0.5


def wait(age: timedelta, chance: float) -> timedelta:
    """The wait for a text that is ``age`` old. ``chance``, from 0 to 1, spreads it by a half."""
    usual = min(max(age * _SHARE, SHORTEST), LONGEST)
    return usual * (0.75 + 0.5 * chance)
