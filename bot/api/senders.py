"""``senders``: the numbers that we text from."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.api.checks import sender_errors
from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import Kind, Problem, invalid, not_found
from bot.api.program_models import (
    NewSender,
    SenderAnswer,
    SenderChange,
    SenderFields,
    Senders,
    sender_answer,
)
from storage.catalogue import SenderRow
from storage.keys import Scope
from storage.shop import SenderDefinition, save_sender


def list_senders(call: Call, query_data: Page) -> Senders:
    """The senders, by number."""
    after = decode(query_data.cursor or None, str)
    statement = select(SenderRow).order_by(SenderRow.number).limit(query_data.limit + 1)
    if after is not None:
        statement = statement.where(SenderRow.number > after[0])
    rows = call.session.scalars(statement).all()
    shown, following = split(rows, query_data.limit, lambda row: (row.number,))
    return Senders(items=[sender_answer(row) for row in shown], next=following)


def create_sender(call: Call, json_data: NewSender) -> SenderAnswer:
    """Add a sender. 409 when there is one with this number."""
    if call.session.get(SenderRow, json_data.number) is not None:
        raise Problem(Kind.CONFLICT, "There is a sender with this number.")
    return _save(call, json_data.definition(json_data.number), "sender.created")


def get_sender(call: Call, number: str) -> SenderAnswer:
    """One sender."""
    return sender_answer(_find(call.session, number))


def change_sender(call: Call, number: str, json_data: Any) -> SenderAnswer:
    """Change a sender; fields that are left out stay as they are."""
    row = _find(call.session, number)
    call.session.refresh(row, with_for_update=True)
    current = {name: getattr(row, name) for name in SenderFields.model_fields}
    merged = SenderFields.model_validate(current | json_data.model_dump(exclude_unset=True))
    return _save(call, merged.definition(number), "sender.changed")


def _save(call: Call, sender: SenderDefinition, act: str) -> SenderAnswer:
    errors = sender_errors(sender)
    if errors:
        raise invalid(errors)
    save_sender(call.session, sender)
    call.audit(act, f"sender:{sender.number}", kind=sender.kind, name=sender.name)
    call.session.expire_all()
    return sender_answer(_find(call.session, sender.number))


def _find(session: Session, number: str) -> SenderRow:
    row = session.get(SenderRow, number) if number.isascii() and "\0" not in number else None
    if row is None:
        raise not_found("sender")
    return row


OPERATIONS: Final = (
    (Operation("GET", "/senders", Scope.READ, Senders, query=Page), list_senders),
    (
        Operation("POST", "/senders", Scope.WRITE, SenderAnswer, status=201, body=NewSender),
        create_sender,
    ),
    (Operation("GET", "/senders/<number>", Scope.READ, SenderAnswer), get_sender),
    (
        Operation("PATCH", "/senders/<number>", Scope.WRITE, SenderAnswer, body=SenderChange),
        change_sender,
    ),
)
