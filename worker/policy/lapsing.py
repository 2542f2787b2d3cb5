"""When a number was given up: which consent was its former owner's, and ends. Pure."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from typing import Final

from keywords.consent import State
from keywords.people import Standing

_OPEN: Final = frozenset({State.PENDING, State.SUBSCRIBED, State.PAUSED})
_FAR: Final = date(9998, 12, 30)
# A day is over everywhere twelve hours after it is over in Greenwich.
_LAST_ZONE: Final = timezone(timedelta(hours=-12))


def day_over(day: date) -> datetime:
    """The moment at which a day is over wherever the carrier may have counted it."""
    return datetime.combine(min(day, _FAR) + timedelta(days=1), time(), _LAST_ZONE)


def ends(standing: Standing, moment: datetime) -> bool:
    """Whether a consent was given before ``moment``, and is the former owner's therefore."""
    given = standing.asked_at if standing.state is State.PENDING else standing.confirmed_at
    return standing.state in _OPEN and (given is None or given <= moment)
