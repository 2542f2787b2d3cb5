"""``drift`` and ``reassigned-numbers``: who else knows something about our numbers."""

from __future__ import annotations

from datetime import date, datetime
from itertools import islice
from typing import Annotated, Final

from pydantic import Field

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Model, Page
from bot.api.operation import Operation
from bot.api.optin_models import Phone
from bot.api.problems import FieldError, invalid
from keywords.phone import InvalidPhone, parse
from storage import drift, hygiene
from storage.hygiene import Answered, Reassigned
from storage.keys import Scope
from worker.hygiene import apply_answers


class Disagreement(Model):
    """The carrier and the ledger disagree about one person and program.

    ``refused``: the carrier blocks who is subscribed here; ``taken``: it took a text to somebody
    who had unsubscribed. ``since`` is when the ledger's side began, ``at`` when the carrier last
    showed its own.
    """

    phone: str
    program: str
    sender: str
    kind: drift.Kind
    state: str
    since: datetime | None
    at: datetime


class Disagreements(Model):
    """A page of disagreements."""

    items: list[Disagreement]
    next: str | None


class ToAsk(Model):
    """A number to ask the FCC's database about: the person was last known there on ``alive_on``."""

    phone: str
    alive_on: date


class AllToAsk(Model):
    """A page of them."""

    items: list[ToAsk]
    next: str | None


class Reply(Model):
    """What the FCC's database answered about a number and a day."""

    phone: Phone
    alive_on: date
    answer: Reassigned


class Replies(Model):
    """Answers; ``source`` names where they come from, for the evidence."""

    source: Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]
    items: Annotated[list[Reply], Field(min_length=1, max_length=1000)]


class Applied(Model):
    """What came of a list: its numbers, those that are ours, subscriptions that ended."""

    numbers: int
    known: int
    lapsed: int


def list_drift(call: Call, query_data: Page) -> Disagreements:
    """Where the carrier and the ledger disagree about who has opted out."""
    after = decode(query_data.cursor or None, int, str)
    place = (after[0], after[1]) if after else (0, "")
    found = drift.find(call.work.connection, max(place[0] - 1, 0))
    rest = (row for row in found if (row.subscriber_id, row.program) > place)
    rows = list(islice(rest, query_data.limit + 1))
    shown, following = split(rows, query_data.limit, lambda r: (r.subscriber_id, r.program))
    items = [
        Disagreement.model_validate({n: getattr(row, n) for n in Disagreement.model_fields})
        for row in shown
    ]
    return Disagreements(items=items, next=following)


def list_to_ask(call: Call, query_data: Page) -> AllToAsk:
    """Numbers to ask the FCC's Reassigned Numbers Database about now, with the day to ask for."""
    after = decode(query_data.cursor or None, int)
    found = hygiene.due(call.work.connection, after[0] if after else 0, query_data.limit + 1)
    rows = list(islice(found, query_data.limit + 1))
    shown, following = split(rows, query_data.limit, lambda row: (row.subscriber_id,))
    items = [ToAsk(phone=row.phone, alive_on=row.alive_on) for row in shown]
    return AllToAsk(items=items, next=following)


def apply_replies(call: Call, json_data: Replies) -> Applied:
    """Keep what the database answered. "yes" ends the consent that was given until that day."""
    answers = []
    for index, reply in enumerate(json_data.items):
        try:
            phone = parse(reply.phone).e164
        except InvalidPhone as error:
            place = f"items.{index}.phone"
            raise invalid([FieldError(place, str(error), "phone", "body")]) from error
        answers.append(Answered(phone, reply.alive_on, reply.answer))
    shops = call.database.shops
    read = apply_answers(call.work.connection, shops, answers, json_data.source)
    call.audit("reassigned.answers", "numbers", known=read.known, lapsed=read.lapsed)
    return Applied(numbers=read.numbers, known=read.known, lapsed=read.lapsed)


OPERATIONS: Final = (
    (Operation("GET", "/drift", Scope.READ, Disagreements, query=Page), list_drift),
    (Operation("GET", "/reassigned-numbers", Scope.READ, AllToAsk, query=Page), list_to_ask),
    (
        Operation("POST", "/reassigned-numbers", Scope.ADMIN, Applied, body=Replies),
        apply_replies,
    ),
)
