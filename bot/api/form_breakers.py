"""``form-breakers``: where forms and opt-ins are stopped because hardly anybody answers YES."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final

from pydantic import Field

from bot.api.door import Call
from bot.api.models import Model
from bot.api.operation import Operation
from bot.api.problems import FieldError, invalid
from storage import form_asks
from storage.keys import Scope

_MOST: Final = 1_000


class FormBreaker(Model):
    """A breaker that is not closed. ``key`` is its door, scope and value: "form:prefix:+1415555".

    It was opened because of ``asked`` questions only ``confirmed`` were answered YES. Nothing
    passes before ``until``; then ``probes`` may, and their answers close it or open it again.
    """

    key: str
    open: bool
    until: datetime | None
    trips: int
    probes: int
    asked: int
    confirmed: int
    changed_at: datetime


class FormBreakers(Model):
    """The first thousand breakers that are not closed, by key."""

    items: list[FormBreaker]


class CloseBreaker(Model):
    """Which breaker is to be closed."""

    key: Annotated[str, Field(min_length=1, max_length=100)]


def list_form_breakers(call: Call) -> FormBreakers:
    """Where forms and opt-ins are stopped, and on which figures."""
    return FormBreakers(items=_items(call))


def close_form_breaker(call: Call, json_data: CloseBreaker) -> FormBreakers:
    """Let forms pass again at once; what was asked before does not count any more.

    Answers the breakers that are left.
    """
    if not form_asks.close(call.work.connection, json_data.key):
        raise invalid([FieldError("key", "There is no open breaker with this key.", "unknown")])
    call.audit("form_breaker.closed", f"breaker:{json_data.key}")
    return FormBreakers(items=_items(call))


def _items(call: Call) -> list[FormBreaker]:
    return [
        FormBreaker(
            key=each.key,
            open=each.until is not None and each.until > each.now,
            until=each.until,
            trips=each.trips,
            probes=each.probes,
            asked=each.asked,
            confirmed=each.confirmed,
            changed_at=each.changed_at,
        )
        for each in form_asks.standing(call.work.connection, _MOST)
    ]


OPERATIONS: Final = (
    (Operation("GET", "/form-breakers", Scope.READ, FormBreakers), list_form_breakers),
    (
        Operation("POST", "/form-breakers/close", Scope.ADMIN, FormBreakers, body=CloseBreaker),
        close_form_breaker,
    ),
)
