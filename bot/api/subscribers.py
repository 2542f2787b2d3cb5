"""``subscribers/<e164>``: one person's state, ledger and texts."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy.orm import Session

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Page
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from bot.api.subscriber_models import (
    ConsentEntries,
    Messages,
    Subscriber,
    entry_answer,
    message_answer,
    subscriber_answer,
)
from keywords.phone import AddressKind, InvalidPhone, address, parse
from storage import erasures, reading_ledger
from storage.keys import Scope
from storage.people import SubscriberRow
from storage.reading_ledger import Place


def get_subscriber(call: Call, phone: str) -> Subscriber:
    """One person: language, reachability, and where they stand with each program.

    404 for a number that was never seen; 422 for something that is no phone number.
    """
    row = visible(call, phone)
    return subscriber_answer(row, list(reading_ledger.subscriptions(call.session, row.id)))


def list_consent(call: Call, phone: str, query_data: Page) -> ConsentEntries:
    """A person's consent ledger, oldest first, each entry with its evidence and hashes."""
    row = visible(call, phone)
    after = decode(query_data.cursor or None, int)
    links = reading_ledger.entries(
        call.session, row.ref, after[0] if after else 0, query_data.limit + 1
    )
    shown, following = split(links, query_data.limit, lambda link: (link.n,))
    return ConsentEntries(items=[entry_answer(link) for link in shown], next=following)


def list_messages(call: Call, phone: str, query_data: Page) -> Messages:
    """A person's texts, inbound and outbound, oldest first; a reply follows its text."""
    row = visible(call, phone)
    after = decode(query_data.cursor or None, *_PLACE)
    place = Place(*after) if after else None
    texts = reading_ledger.texts(call.session, row.id, place, query_data.limit + 1)
    shown, following = split(
        texts, query_data.limit, lambda t: (t["at"], t["thread"], t["direction"], t["id"])
    )
    return Messages(items=[message_answer(dict(text)) for text in shown], next=following)


def visible(call: Call, phone: str) -> SubscriberRow:
    """The same, unless the person is restricted and the key is not for compliance. Raises 403."""
    row = find(call.session, phone)
    closed = erasures.restricted(call.work.connection, row.id)
    if closed and not call.key.may(Scope.COMPLIANCE):
        message = "This person is restricted; it takes the scope compliance to read about them."
        raise Problem(Kind.FORBIDDEN, message)
    return row


def find(session: Session, phone: str) -> SubscriberRow:
    """The person with this number, however it is punctuated. Raises :class:`Problem`.

    A number in E.164 is looked up as it is: carriers deliver from numbers that no numbering plan
    knows, and those people are subscribers too.
    """
    number = phone
    if address(phone).kind is not AddressKind.E164:
        try:
            number = parse(phone).e164
        except InvalidPhone as error:
            raise invalid([FieldError("phone", str(error), error.code, "path")]) from None
    row = reading_ledger.subscriber(session, number)
    if row is None:
        raise not_found("subscriber")
    return row


_PLACE: Final = (datetime, str, str, str)
OPERATIONS: Final = (
    (
        Operation("GET", "/subscribers/<phone>", Scope.READ, Subscriber, problems=(Kind.INVALID,)),
        get_subscriber,
    ),
    (
        Operation("GET", "/subscribers/<phone>/consent", Scope.READ, ConsentEntries, query=Page),
        list_consent,
    ),
    (
        Operation("GET", "/subscribers/<phone>/messages", Scope.READ, Messages, query=Page),
        list_messages,
    ),
)
