"""Hand one text to the carrier, and say what became of it; list what people sent. No decisions.

Four outcomes, because the difference between "no" and "no answer" is the difference between
sending again and texting somebody twice. The SDK has no idempotency key, so a request that may
have arrived is never repeated.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final, TypeAlias

from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException
from twilio.base.values import unset
from twilio.rest import Client
from twilio.rest.api.v2010.account.message import MessageInstance

from storage.meters import Meters
from storage.settings import Settings
from worker.carrier_http import TWILIO_API, CarrierHttpClient, NotSent
from worker.errors import CarrierError, judge

# Twilio's own queue holds a text for up to ten hours; ours is to be refused after ten minutes.
LONGEST_VALIDITY_S: Final = 600
_BAD_REQUEST, _TIMEOUT, _SERVER_ERROR = 400, 408, 500
_PAGE: Final = 1_000
UNREACHABLE: Final = "unreachable"
_NEWEST: Final = 50
_FROM_US: Final = "outbound-api"
_CURRENCY: Final = "USD"
_MICROS: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One text: E.164 ``to``, our number, the words, and for how many seconds it is worth sending.

    ``seconds_left`` is None for a text that never gets too old; ``callback`` is where the carrier
    reports what becomes of it, None for nowhere.
    """

    to: str
    sender: str
    body: str
    seconds_left: float | None = None
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Accepted:
    """The carrier has it, under this SID."""

    sid: str


@dataclass(frozen=True, slots=True)
class Rejected:
    """The carrier will not have it."""

    error: CarrierError


@dataclass(frozen=True, slots=True)
class NotAccepted:
    """The carrier certainly has not got it: it may be sent again later.

    ``halts`` says that no other text would fare better now.
    """

    reason: str
    halts: bool = False


@dataclass(frozen=True, slots=True)
class Unknown:
    """The carrier may have it or not: it must not be sent again blindly."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A text in the carrier's own list of what we sent, and when it was made."""

    sid: str
    body: str
    at: datetime


Outcome: TypeAlias = Accepted | Rejected | NotAccepted | Unknown
_STATUS: Final[Mapping[type, tuple[str, ...]]] = {
    Accepted: ("accepted",),
    Rejected: ("rejected",),
    NotAccepted: ("not_accepted",),
    Unknown: ("unknown",),
}


@dataclass(frozen=True, slots=True)
class Listed:
    """An inbound text in the carrier's log. ``at`` is when the carrier took it.

    ``record`` is what the carrier tells of it, for the evidence.
    """

    sid: str
    address: str
    sender: str
    body: str
    media: int
    at: datetime
    record: Mapping[str, str]


class Gateway:
    """The way to the carrier. Thread-safe; make it in the process that uses it.

    How long its calls take is counted by ``meters``.
    """

    def __init__(self, settings: Settings, meters: Meters | None = None) -> None:
        self._meters = meters or Meters()
        self._http = CarrierHttpClient(_base_url(settings))
        self._client = Client(
            settings.twilio_account_sid,
            settings.twilio_auth_token,
            http_client=self._http,
            # Twilio's edges and regions are not for us to pick up from the environment.
            environment={"TWILIO_REGION": "", "TWILIO_EDGE": ""},
        )

    def send(self, text: Outgoing) -> Outcome:
        """Hand over one text, once. Takes ten seconds at most."""
        started = time.perf_counter()
        outcome = self._send(text)
        took = time.perf_counter() - started
        self._meters.observe("carrier_request_seconds", took, _STATUS[type(outcome)])
        return outcome

    def _send(self, text: Outgoing) -> Outcome:
        try:
            message = self._client.messages.create(
                to=text.to,
                from_=text.sender,
                body=text.body,
                validity_period=validity_s(text.seconds_left),
                status_callback=text.callback or unset,
            )
        except NotSent:
            return NotAccepted(UNREACHABLE)
        except (TwilioRestException, TwilioServiceException) as error:
            return _refused(error.status, error.code)
        except (TwilioException, ValueError, TypeError, LookupError, AttributeError):
            # No answer, or one that the SDK cannot read.
            return Unknown()
        return Accepted(message.sid) if message.sid else Unknown()

    def taken(self, to: str, sender: str) -> list[Taken] | None:
        """The newest texts that we sent to a number from one of ours; None for no answer."""
        try:
            found = self._client.messages.list(to=to, from_=sender, limit=_NEWEST)
        except (TwilioException, ValueError, TypeError, LookupError, AttributeError):
            return None
        return [
            Taken(each.sid, each.body, each.date_created)
            for each in found
            if each.sid and each.date_created and each.direction == _FROM_US
        ]

    def inbound(self, sender: str, since: datetime) -> list[Listed]:
        """The texts that people sent to ``sender`` since then, as the carrier logged them.

        Raises what the SDK raises, and :class:`worker.carrier_http.NotSent`.
        """
        found = self._client.messages.stream(to=sender, date_sent_after=since, page_size=_PAGE)
        return [_listed(message) for message in found if message.direction == "inbound"]

    def prices(self, sender: str, since: datetime, until: datetime) -> Iterator[tuple[str, int]]:
        """What texts from ``sender`` cost: SID and millionths of a US dollar, as far as is known.

        Raises what the SDK raises, and :class:`worker.carrier_http.NotSent`.
        """
        found = self._client.messages.stream(
            from_=sender, date_sent_after=since, date_sent_before=until, page_size=_PAGE
        )
        for message in found:
            if message.sid and message.price is not None and message.price_unit == _CURRENCY:
                yield message.sid, abs(int(Decimal(message.price) * _MICROS))

    def close(self) -> None:
        """Let the kept connections go."""
        self._http.close()


def _listed(message: MessageInstance) -> Listed:
    at = message.date_sent or message.date_created
    if not (message.sid and message.from_ and message.to and at):
        raise ValueError("A text in the carrier's log lacks its SID, an address or its time.")
    body, media = message.body or "", message.num_media or "0"
    record = {
        "MessageSid": message.sid,
        "AccountSid": message.account_sid or "",
        "From": message.from_,
        "To": message.to,
        "Body": body,
        "NumMedia": media,
        "DateSent": at.isoformat(),
    }
    return Listed(message.sid, message.from_, message.to, body, int(media), at, record)


def validity_s(seconds_left: float | None) -> int:
    """For how long the carrier may go on trying, in whole seconds from 1 to 600."""
    if seconds_left is None:
        return LONGEST_VALIDITY_S
    return max(1, min(int(seconds_left), LONGEST_VALIDITY_S))


def _refused(status: int, code: int | None) -> Outcome:
    """A 5xx may come after the text was accepted; so may a time-out. Any other 4xx is a no."""
    if not _BAD_REQUEST <= status < _SERVER_ERROR or status == _TIMEOUT:
        return Unknown()
    error = judge(code or status, status)
    if error.retry:
        return NotAccepted(f"carrier.{error.code}", error.halts)
    return Rejected(error)


def _base_url(settings: Settings) -> str:
    """With the simulator on, nothing may reach Twilio, whatever else is set or not."""
    if settings.simulator and not settings.twilio_api_base_url:
        return f"http://127.0.0.1:{settings.simulator_port}"
    return settings.twilio_api_base_url or TWILIO_API
