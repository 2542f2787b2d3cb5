"""A phone for tests: texts the service through its signed webhook, and reads what it answers."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask.testing import FlaskClient
from twilio.request_validator import RequestValidator
from werkzeug.test import TestResponse

from storage.settings import Settings

INBOUND = "/webhooks/twilio/inbound"
SENDER = "54321"
_sids = itertools.count(1)


def new_sid() -> str:
    """A MessageSid that no other text of this run has."""
    return f"SM{next(_sids):032x}"


def parameters(settings: Settings, **over: str | None) -> dict[str, str]:
    """What Twilio posts for an inbound text; None removes a parameter."""
    sid = over.get("MessageSid") or new_sid()
    usual = {
        "MessageSid": sid,
        "SmsSid": sid,
        "SmsMessageSid": sid,
        "AccountSid": settings.twilio_account_sid,
        "From": "+14155550123",
        "To": SENDER,
        "Body": "",
        "NumMedia": "0",
        "NumSegments": "1",
        "SmsStatus": "received",
        "ApiVersion": "2010-04-01",
        "FromCountry": "US",
    }
    merged: dict[str, str | None] = {**usual, **over}
    return {name: value for name, value in merged.items() if value is not None}


def post(
    client: FlaskClient, settings: Settings, params: Mapping[str, str], **headers: str
) -> TestResponse:
    """Post a form as Twilio does, signed by Twilio's own validator."""
    url = settings.public_base_url + INBOUND
    signature = RequestValidator(settings.twilio_auth_token).compute_signature(url, params)
    return client.post(
        INBOUND,
        data=urlencode(params),
        content_type="application/x-www-form-urlencoded",
        headers={"X-Twilio-Signature": signature, **headers},
    )


def said(response: TestResponse) -> list[str]:
    """The messages in a TwiML answer."""
    assert response.status_code == 200, response.get_data(as_text=True)
    document = ET.fromstring(response.data)
    return [message.text or "" for message in document.findall("Message")]


@dataclass
class Phone:
    """One customer. ``text`` sends and returns the one reply, or None for silence."""

    client: FlaskClient
    settings: Settings
    number: str = "+14155550123"
    sender: str = SENDER
    replies: list[str | None] = field(default_factory=list)

    def text(self, body: str, **over: str | None) -> str | None:
        """Send ``body``; exactly one reply or none is allowed."""
        usual: dict[str, str | None] = {"From": self.number, "To": self.sender, "Body": body}
        params = parameters(self.settings, **(usual | over))
        messages = said(post(self.client, self.settings, params))
        assert len(messages) <= 1
        self.replies.append(messages[0] if messages else None)
        return self.replies[-1]


def states(resources: Any, number: str) -> dict[str, str]:
    """The person's subscriptions by program."""
    with resources.work() as work:
        rows = work.connection.execute(
            "SELECT t.program, t.state FROM subscriptions t"
            " JOIN subscribers s ON s.id = t.subscriber_id WHERE s.phone = %s",
            (number,),
        )
        return dict(rows.fetchall())


def ledger(resources: Any, number: str) -> list[tuple[str | None, str, str]]:
    """Program, change and method of the person's entries, oldest first."""
    with resources.work() as work:
        rows = work.connection.execute(
            "SELECT e.program, e.change, e.method FROM consent_events e"
            " JOIN subscribers s ON s.ref = e.subject WHERE s.phone = %s ORDER BY n",
            (number,),
        )
        return [(row[0], row[1], row[2]) for row in rows]
