"""The handler that a competent developer would write first, as the bench's other yardstick.

Flask view, twilio's RequestValidator, an ORM session for each request, one commit for each
request. It does the same work as the service and ends in the same rows of the same tables: the
same reading and decision (``keywords.respond``), the same loop guard, the same hash chain, the
same guards of the database. It has the tables' indexes and a pool that never makes a thread wait.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from datetime import datetime
from uuid import UUID

from flask import Flask, Response, request
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session
from twilio.request_validator import RequestValidator
from twilio.twiml.messaging_response import MessagingResponse

from bot.forms import Form, inbound
from bot.webhooks import INBOUND_PATH, arrive
from keywords.consent import State
from keywords.conversation import Outcome, respond
from keywords.guard import WINDOW
from keywords.people import Person, SaidBefore, Standing, read_frequency, write_frequency
from keywords.replies import Reply
from keywords.segments import count
from keywords.turn import Spoken, Text, digest
from storage import ledger
from storage.catalogue import CatalogueRow, DisclosureRow
from storage.conversation import Arrival
from storage.conversation_writes import reading_json
from storage.database import engine, raw, sessions
from storage.identifiers import uuid7
from storage.inbound import InboundRow
from storage.messages import MessageRow, MessageState
from storage.people import SubscriberRow, SubscriptionRow
from storage.settings import Settings
from storage.shop import ShopCache
from storage.transaction import transaction

POOL_SIZE = 32
_STANDING = [field.name for field in dataclasses.fields(Standing)]


def create_app(settings: Settings) -> Flask:
    """The application for these settings; ``settings.database_url`` must be set."""
    assert settings.database_url is not None
    made = Flask(__name__)
    validator = RequestValidator(settings.twilio_auth_token)
    url = settings.public_base_url + INBOUND_PATH
    factory = sessions(engine(settings.database_url, "orm", pool_size=POOL_SIZE))
    shops = ShopCache()

    @made.post(INBOUND_PATH)
    def text() -> Response:
        body = request.get_data()
        signature = request.headers.get("X-Twilio-Signature", "")
        if not validator.validate(url, request.form, signature):
            return Response(status=403)
        form = Form(body, request.form.to_dict())
        arrival = arrive(inbound(form.params), form.raw)
        with transaction(factory) as work:
            reply = take(work.session, shops, arrival)
        answer = MessagingResponse()
        if reply is not None:
            answer.message(reply)
        return Response(str(answer), content_type="text/xml")

    return made


def take(session: Session, shops: ShopCache, arrival: Arrival) -> str | None:
    """Decide and record one text from a person's number; the reply's words, or None."""
    assert arrival.phone is not None
    subscriber = find_or_create(session, arrival.phone)
    if session.get(InboundRow, arrival.text.sid) is not None:
        return _said_to(session, arrival.text.sid)
    now = session.scalars(select(func.clock_timestamp())).one()
    version = session.scalars(select(CatalogueRow.version)).one()
    standings = _standings(session, subscriber)
    person = _person(session, subscriber, standings.values(), now)
    outcome = respond(arrival.text, person, shops.at(raw(session), version), now)
    _record_text(session, subscriber, arrival, outcome, now)
    _record_changes(session, subscriber, outcome, now)
    _project(session, subscriber, standings, outcome.person)
    if outcome.reply is not None:
        session.add(_message(subscriber, arrival.text, outcome, outcome.reply, now))
        return outcome.reply.body
    return None


def find_or_create(session: Session, phone: str) -> SubscriberRow:
    """The subscriber with this number, locked until the transaction ends."""
    wanted = select(SubscriberRow).where(SubscriberRow.phone == phone).with_for_update()
    found = session.scalars(wanted).one_or_none()
    if found is None:
        session.execute(insert(SubscriberRow).values(phone=phone).on_conflict_do_nothing())
        found = session.scalars(wanted).one()
    return found


def _said_to(session: Session, sid: str) -> str | None:
    said = select(MessageRow.body).where(
        MessageRow.in_reply_to == sid, MessageRow.state == MessageState.ANSWERED
    )
    return session.scalars(said).first()


def _standings(session: Session, subscriber: SubscriberRow) -> dict[str, SubscriptionRow]:
    rows = session.scalars(
        select(SubscriptionRow).where(SubscriptionRow.subscriber_id == subscriber.id)
    )
    return {row.program: row for row in rows}


def _person(
    session: Session, subscriber: SubscriberRow, rows: Iterable[SubscriptionRow], now: datetime
) -> Person:
    said = session.scalars(
        select(MessageRow).where(
            MessageRow.subscriber_id == subscriber.id,
            MessageRow.created_at > now - WINDOW,
            MessageRow.state == MessageState.ANSWERED,
        )
    )
    return Person(
        ref=subscriber.ref,
        phone=subscriber.phone,
        language=subscriber.language,
        suspended=subscriber.suspended,
        standings={row.program: _standing(row) for row in rows},
        said=tuple(SaidBefore(Reply(m.reply), m.mark or b"") for m in said if m.reply),
    )


def _standing(row: SubscriptionRow) -> Standing:
    values = {name: getattr(row, name) for name in _STANDING}
    values["state"], values["prior"] = State(row.state), State(row.prior)
    values["frequency"] = read_frequency(row.frequency) if row.frequency else None
    return Standing(**values)


def _record_text(
    session: Session, subscriber: SubscriberRow, arrival: Arrival, outcome: Outcome, now: datetime
) -> None:
    text = arrival.text
    session.add(
        InboundRow(
            message_sid=text.sid,
            received_at=now,
            sender=text.sender,
            address=text.address,
            channel=text.channel,
            subscriber_id=subscriber.id,
            body=text.body,
            raw=arrival.raw,
            reading=reading_json(outcome.reading),
            silence=outcome.silence,
            review=outcome.review,
        )
    )


def _record_changes(
    session: Session, subscriber: SubscriberRow, outcome: Outcome, now: datetime
) -> None:
    log: UUID = session.scalars(select(ledger.LogRow.log)).one()
    chain = ledger.Chain(subscriber.ref, subscriber.chain_n, subscriber.chain_head)
    for change in outcome.changes:
        asked = change.evidence.get("asked")
        if isinstance(asked, dict):
            _keep_disclosure(session, change.entry.program or "", change.entry.method, asked)
        session.add_all(_entry(ledger.extend(log, chain, change, now)))
    subscriber.chain_n, subscriber.chain_head = chain.n, chain.head


def _keep_disclosure(
    session: Session, program: str, method: str, asked: Mapping[str, object]
) -> None:
    text, language = str(asked["text"]), str(asked["language"])
    if session.get(DisclosureRow, digest(text)) is None:
        row = {"program": program, "language": language, "method": method, "text": text}
        session.execute(
            insert(DisclosureRow).values(digest=digest(text), **row).on_conflict_do_nothing()
        )


def _entry(made: ledger.Appended) -> tuple[ledger.EventRow, ledger.EvidenceRow]:
    envelope = made.envelope
    event = ledger.EventRow(
        event=envelope.event,
        subject=envelope.subject,
        n=envelope.n,
        change=envelope.change,
        program=envelope.program,
        method=envelope.method,
        occurred_at=envelope.occurred_at,
        recorded_at=envelope.recorded_at,
        message_sid=envelope.message_sid,
        evidence_digest=envelope.evidence_digest,
        envelope=made.canonical,
        prev=made.prev,
        hash=made.hash,
    )
    return event, ledger.EvidenceRow(event=envelope.event, salt=made.salt, evidence=made.evidence)


def _project(
    session: Session, subscriber: SubscriberRow, rows: dict[str, SubscriptionRow], person: Person
) -> None:
    subscriber.language, subscriber.suspended = person.language, person.suspended
    for program, standing in person.standings.items():
        row = rows.get(program)
        if row is None:
            row = SubscriptionRow(subscriber_id=subscriber.id, program=program)
            session.add(row)
        for name in _STANDING:
            setattr(row, name, getattr(standing, name))
        row.frequency = write_frequency(standing.frequency) if standing.frequency else None


def _message(
    subscriber: SubscriberRow, text: Text, outcome: Outcome, spoken: Spoken, now: datetime
) -> MessageRow:
    size = count(spoken.body)
    return MessageRow(
        id=uuid7(now),
        subscriber_id=subscriber.id,
        program=spoken.program,
        sender=text.sender,
        kind="reply",
        reply=spoken.kind,
        language=spoken.language,
        body=spoken.body,
        encoding=size.encoding,
        sms_segments=size.segments,
        in_reply_to=text.sid,
        mark=outcome.mark,
        state=MessageState.ANSWERED,
        created_at=now,
    )
