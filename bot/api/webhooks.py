"""``webhooks``: endpoints of the shop's own systems, what was delivered to them, and again."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import Field, StringConstraints
from sqlalchemy import func, select

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Line, Model, Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from storage import webhooks
from storage.keys import Scope
from storage.webhooks import DeliveryState, EndpointRow, Event
from worker.policy import webhook_signing
from worker.webhooks.address import BadAddress, check

Url = Annotated[str, StringConstraints(min_length=8, max_length=2000)]
Events = Annotated[list[Event], Field(min_length=1, max_length=len(Event))]


class NewEndpoint(Model):
    """An endpoint: an https address on the open internet, and what it is told of."""

    url: Url
    events: Events
    description: Line = "endpoint"


class EndpointChange(Model):
    """What may be changed. ``enabled`` true also lifts a stop that followed days of failure."""

    events: Events | None = None
    enabled: Annotated[bool, Field(strict=True)] | None = None


class EndpointAnswer(Model):
    """An endpoint. ``secret`` is shown once, when it is made."""

    id: int
    url: str
    events: list[Event]
    description: str
    created_by: str
    created_at: datetime
    disabled_at: datetime | None
    disabled_reason: str | None
    failing_since: datetime | None
    secret: str | None = None


class Endpoints(Model):
    """A page of endpoints."""

    items: list[EndpointAnswer]
    next: str | None


class DeliveryAnswer(Model):
    """One delivery. ``id`` is the webhook-id, the same at each attempt."""

    id: UUID
    event: Event
    state: DeliveryState
    attempts: int
    next_at: datetime
    status: int | None
    error: str | None
    created_at: datetime
    delivered_at: datetime | None
    body: str


class Deliveries(Model):
    """A page of deliveries, newest first."""

    items: list[DeliveryAnswer]
    next: str | None


class Replayed(Model):
    """A delivery that goes out again."""

    id: UUID
    state: Literal["pending"]


def list_endpoints(call: Call, query_data: Page) -> Endpoints:
    """The endpoints that were set up."""
    after = decode(query_data.cursor or None, int)
    statement = select(EndpointRow).order_by(EndpointRow.id).limit(query_data.limit + 1)
    if after is not None:
        statement = statement.where(EndpointRow.id > after[0])
    rows = call.session.scalars(statement).all()
    shown, following = split(rows, query_data.limit, lambda row: (row.id,))
    return Endpoints(items=[_answer(row) for row in shown], next=following)


def create_endpoint(call: Call, json_data: NewEndpoint) -> EndpointAnswer:
    """Set an endpoint up; its secret is shown in this answer alone.

    Refused when the address is no https address, or can only lead inside.
    """
    try:
        check(json_data.url, local=call.database.simulated)
    except BadAddress as error:
        raise invalid([FieldError("url", str(error), "address")]) from None
    shown = webhook_signing.secret(os.urandom(webhook_signing.SECRET_BYTES))
    row = EndpointRow(
        url=json_data.url,
        events=sorted(set(json_data.events)),
        secret=webhooks.sealed(call.database.secret_key, shown),
        description=json_data.description,
        created_by=call.key.actor,
    )
    call.session.add(row)
    call.session.flush()
    call.session.refresh(row)
    call.audit("webhook.created", f"webhook:{row.id}", events=row.events)
    return _answer(row).model_copy(update={"secret": shown})


def change_endpoint(call: Call, endpoint: str, json_data: EndpointChange) -> EndpointAnswer:
    """Change what an endpoint is told of, or stop and start it."""
    row = _find(call, endpoint)
    if json_data.events is not None:
        row.events = sorted(set(json_data.events))
    if json_data.enabled is not None:
        row.disabled_at = None if json_data.enabled else func.assent_now()
        row.disabled_reason = None if json_data.enabled else "by hand"
        row.failing_since = None
    call.session.flush()
    call.session.refresh(row)
    call.audit("webhook.changed", f"webhook:{row.id}", enabled=row.disabled_at is None)
    return _answer(row)


def list_deliveries(call: Call, endpoint: str, query_data: Page) -> Deliveries:
    """What was, or is to be, delivered to an endpoint, newest first."""
    row = _find(call, endpoint)
    after = decode(query_data.cursor or None, UUID)
    found = webhooks.page(
        call.work.connection, row.id, after[0] if after else None, query_data.limit + 1
    )
    shown, following = split(found, query_data.limit, lambda each: (each["id"],))
    names = DeliveryAnswer.model_fields
    items = [DeliveryAnswer.model_validate({n: each[n] for n in names}) for each in shown]
    return Deliveries(items=items, next=following)


def replay_delivery(call: Call, delivery: str) -> Replayed:
    """Deliver once more, with the same id. 409 while it waits already."""
    try:
        key = UUID(delivery)
    except ValueError:
        raise not_found("delivery") from None
    if webhooks.get(call.work.connection, key) is None:
        raise not_found("delivery")
    if not webhooks.replay(call.work.connection, key):
        raise Problem(Kind.CONFLICT, "This delivery waits for its next attempt already.")
    call.audit("webhook.replayed", f"delivery:{key}")
    return Replayed(id=key, state="pending")


def _find(call: Call, endpoint: str) -> EndpointRow:
    plain = endpoint.isascii() and endpoint.isdecimal() and len(endpoint) < 19
    row = call.session.get(EndpointRow, int(endpoint), with_for_update=True) if plain else None
    if row is None:
        raise not_found("endpoint")
    return row


def _answer(row: EndpointRow) -> EndpointAnswer:
    names = set(EndpointAnswer.model_fields) - {"secret"}
    values: dict[str, Any] = {name: getattr(row, name) for name in names}
    return EndpointAnswer.model_validate(values)


OPERATIONS: Final = (
    (Operation("GET", "/webhooks", Scope.ADMIN, Endpoints, query=Page), list_endpoints),
    (
        Operation("POST", "/webhooks", Scope.ADMIN, EndpointAnswer, status=201, body=NewEndpoint),
        create_endpoint,
    ),
    (
        Operation(
            "PATCH", "/webhooks/<endpoint>", Scope.ADMIN, EndpointAnswer, body=EndpointChange
        ),
        change_endpoint,
    ),
    (
        Operation("GET", "/webhooks/<endpoint>/deliveries", Scope.ADMIN, Deliveries, query=Page),
        list_deliveries,
    ),
    (
        Operation("POST", "/webhooks/deliveries/<delivery>/replay", Scope.ADMIN, Replayed),
        replay_delivery,
    ),
)
