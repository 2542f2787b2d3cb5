"""Twilio's inbound webhook: signature first, then one durable exchange, then the answer.

The handler is a function over a plain request, with two doors. The fast one is found by
:class:`bot.app.Assent` before Flask is entered (Flask costs more than the whole exchange); the
ordinary one is a Flask view. Both build the same :class:`Call`, so both answer the same.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import psycopg

from bot import twiml
from bot.forms import MAX_BODY, FormError, InboundForm, inbound, parse_form
from bot.signature import Verifier
from keywords.phone import AddressKind, address
from keywords.turn import SMS, Text
from storage.conversation import Answer, Arrival

INBOUND_PATH: Final = "/webhooks/twilio/inbound"
PLAIN: Final = "text/plain; charset=utf-8"
_CHANNELS: Final = {AddressKind.WHATSAPP: "whatsapp", AddressKind.RCS: "rcs"}
_LONGEST_BODY: Final = 10_000

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Call:
    """What the handler needs of an HTTP request. ``target`` is the raw path and query."""

    target: str
    body: bytes
    content_type: str | None
    signature: str | None
    settings: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered: status, type and bytes."""

    status: int
    content_type: str
    body: bytes


def _refuse(status: int, sentence: str) -> Reply:
    return Reply(status, PLAIN, sentence.encode())


FORBIDDEN: Final = _refuse(403, "The signature of this request is not valid.")
AWAY: Final = _refuse(503, "The database is away; nothing was taken.")
TOO_LARGE: Final = _refuse(413, f"The body is larger than {MAX_BODY} bytes.")


class InboundWebhook:
    """Answers ``POST /webhooks/twilio/inbound``; ``answer`` records a text durably."""

    def __init__(self, verifier: Verifier, answer: Callable[[Arrival], Answer]) -> None:
        self._verifier = verifier
        self._answer = answer

    def __call__(self, call: Call) -> Reply:
        """The reply to a call. 2xx only after the text is committed; 403 writes nothing."""
        try:
            form = parse_form(call.body, call.content_type)
            verdict = self._verifier.verify(call.target, form.params, call.signature, call.settings)
            if not verdict:
                log.warning("inbound refused", extra={"reason": str(verdict)})
                return FORBIDDEN
            arrival = arrive(inbound(form.params), form.raw)
        except FormError as error:
            log.warning("inbound refused", extra={"reason": error.fault.name.lower()})
            return _refuse(error.status, str(error))
        try:
            answer = self._answer(arrival)
        except psycopg.OperationalError:
            log.exception("inbound not taken: the database is away")
            return AWAY
        return Reply(200, twiml.CONTENT_TYPE, twiml.reply(answer.reply))


def arrive(form: InboundForm, raw: bytes) -> Arrival:
    """The text that a form brings. WhatsApp and RCS addresses keep their person's number."""
    source = address(form.address)
    text = Text(
        sid=form.message_sid,
        address=form.address,
        sender=address(form.sender).phone or form.sender,
        body=form.body[:_LONGEST_BODY],
        channel=_CHANNELS.get(source.kind, SMS),
        opt_out_type=form.opt_out_type,
        media=form.media,
    )
    return Arrival(text, source.phone, raw)


def call_from(environ: Mapping[str, object], body: bytes) -> Call:
    """The call that a WSGI environment describes, with header values as they came."""
    query = str(environ.get("QUERY_STRING", ""))
    path = f"{environ.get('SCRIPT_NAME', '')}{environ.get('PATH_INFO', '')}"
    return Call(
        target=f"{path}?{query}" if query else path,
        body=body,
        content_type=_header(environ, "CONTENT_TYPE"),
        signature=_header(environ, "HTTP_X_TWILIO_SIGNATURE"),
        settings=_header(environ, "HTTP_X_TWILIO_WEBHOOKS_SIGNATURE_SETTINGS"),
    )


def _header(environ: Mapping[str, object], name: str) -> str | None:
    value = environ.get(name)
    return value if isinstance(value, str) else None
