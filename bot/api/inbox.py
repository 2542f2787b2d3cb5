"""``inbox``: texts that a person must read, and what they decide."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final, Literal

from pydantic import Field

from bot.api.cursors import decode, split
from bot.api.door import Call
from bot.api.models import Model, Note, Page, absent
from bot.api.operation import Operation
from bot.api.problems import FieldError, Kind, Problem, invalid, not_found
from keywords.conversation import Review
from keywords.ledger import Json
from keywords.resolving import Judgement, keep, opt_out
from keywords.turn import ConsentChange
from storage import inbox
from storage.conversation_writes import write_changes
from storage.fencing import lock_fenced
from storage.inbound import Resolution
from storage.inbox import Waiting, Wanted
from storage.keys import Scope
from storage.locking import lock
from storage.shop import load_shop


class InboxPage(Page):
    """Which texts: of one kind or all, still open or resolved."""

    kind: Review = Field(default_factory=absent)
    open: Literal["true", "false"] = "true"


class InboxItem(Model):
    """A text and what was decided about it. ``phone`` is null where no person's number sent it."""

    message_sid: str
    received_at: datetime
    kind: Review
    phone: str | None
    address: str
    sender: str
    channel: str
    body: str
    reading: dict[str, Any]
    suspended: bool
    resolved_at: datetime | None
    resolution: Resolution | None
    resolved_by: str | None
    note: str | None


class Inbox(Model):
    """A page of the inbox, oldest first."""

    items: list[InboxItem]
    next: str | None


class Resolve(Model):
    """A decision. ``note`` says why; it becomes part of the evidence."""

    resolution: Resolution
    note: Note


def list_inbox(call: Call, query_data: InboxPage) -> Inbox:
    """Texts that may be opt-outs or that nobody understood, oldest first."""
    after = decode(query_data.cursor or None, datetime, str)
    wanted = Wanted(query_data.kind, query_data.open == "true")
    place = (after[0], after[1]) if after else None
    waiting = inbox.page(call.session, wanted, place, query_data.limit + 1)
    shown, following = split(
        waiting, query_data.limit, lambda w: (w.text.received_at, w.text.message_sid)
    )
    return Inbox(items=[item(w) for w in shown], next=following)


def resolve_text(call: Call, message_sid: str, json_data: Resolve) -> InboxItem:
    """Decide what a text meant.

    ``opt_out`` ends all of the person's programs. ``keep`` lifts their suspension, unless another
    text of theirs that may be an opt-out is still open. ``handled`` changes nothing else. The same
    decision again changes nothing; 409 when another one was taken before.
    """
    waiting = _find(call, message_sid)
    if waiting.phone is None and json_data.resolution is not Resolution.HANDLED:
        message = "This text came from no person's number; it can only be handled."
        raise invalid([FieldError("resolution", message, "no_person")])
    if waiting.phone is not None:
        return _resolve_for(call, waiting.phone, message_sid, json_data)
    return _close(call, _find(call, message_sid, lock=True), json_data)


def _resolve_for(call: Call, phone: str, message_sid: str, decision: Resolve) -> InboxItem:
    """The same for a person: locked first, as when a text of theirs is taken in."""
    connection = call.work.connection
    leaving = decision.resolution is Resolution.OPT_OUT
    locked = (lock_fenced if leaving else lock)(connection, [phone])
    waiting = _find(call, message_sid, lock=True)
    if waiting.text.resolved_at is not None:
        return _close(call, waiting, decision)
    judgement = Judgement(
        call.key.actor, locked.now, message_sid, _evidence(call, waiting, decision)
    )
    person = locked.people[phone]
    changes: list[ConsentChange] = []
    if decision.resolution is Resolution.OPT_OUT:
        shop = load_shop(connection)
        person, changes = opt_out(person, shop, waiting.text.sender, judgement)
    elif decision.resolution is Resolution.KEEP and not inbox.others_unclear(
        call.session, waiting.text
    ):
        person, changes = keep(person, judgement)
    locked.people[phone] = person
    write_changes(connection, locked, [(phone, change) for change in changes])
    return _close(call, waiting, decision)


def _close(call: Call, waiting: Waiting, decision: Resolve) -> InboxItem:
    text = waiting.text
    if text.resolved_at is not None:
        if text.resolution != decision.resolution:
            raise Problem(Kind.CONFLICT, f"This text was resolved before: {text.resolution}.")
        return item(waiting)
    inbox.close(call.session, text, decision.resolution, call.key.actor, decision.note)
    subject = f"subscriber:{waiting.ref}" if waiting.ref else "subscriber:none"
    call.audit(
        "inbox.resolved", subject, message_sid=text.message_sid, resolution=decision.resolution
    )
    return item(_find(call, text.message_sid))


def _find(call: Call, message_sid: str, *, lock: bool = False) -> Waiting:
    plain = message_sid.isascii() and message_sid.isalnum()
    waiting = inbox.find(call.session, message_sid, lock=lock) if plain else None
    if waiting is None:
        raise not_found("text in the inbox")
    return waiting


def _evidence(call: Call, waiting: Waiting, decision: Resolve) -> dict[str, Json]:
    text = waiting.text
    return {
        "text": {
            "sid": text.message_sid,
            "from": text.address,
            "to": text.sender,
            "body": text.body,
            "channel": text.channel,
            "received_at": text.received_at.isoformat(),
        },
        "reading": {
            "signal": text.reading.get("signal"),
            "rule": text.reading.get("rule"),
            "language": text.reading.get("language"),
        },
        "operator": {
            "who": call.key.actor,
            "key": call.key.prefix,
            "resolution": decision.resolution,
            "note": decision.note,
        },
    }


def item(waiting: Waiting) -> InboxItem:
    """A text of the inbox as it is shown."""
    text = waiting.text
    return InboxItem(
        message_sid=text.message_sid,
        received_at=text.received_at,
        kind=Review(text.review or ""),
        phone=waiting.phone,
        address=text.address,
        sender=text.sender,
        channel=text.channel,
        body=text.body,
        reading=text.reading,
        suspended=waiting.suspended,
        resolved_at=text.resolved_at,
        resolution=Resolution(text.resolution) if text.resolution else None,
        resolved_by=text.resolved_by,
        note=text.note,
    )


OPERATIONS: Final = (
    (Operation("GET", "/inbox", Scope.INBOX, Inbox, query=InboxPage), list_inbox),
    (
        Operation("POST", "/inbox/<message_sid>/resolve", Scope.INBOX, InboxItem, body=Resolve),
        resolve_text,
    ),
)
