"""A request to send a text: checked as Twilio checks it, and made into a text."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from bot.simulator import fields
from bot.simulator.errors import TwilioError
from bot.simulator.texts import Direction, Status, Text, new_sid, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from werkzeug.datastructures import MultiDict

_LONGEST_BODY = 1_600
_LONGEST_VALIDITY = 36_000
_SOONEST = timedelta(seconds=300)
_LATEST = timedelta(days=35)


def read(
    form: MultiDict[str, str],
    sender_of: Callable[[str], str],
    callback_allowed: Callable[[str], bool],
) -> Text:
    """The text that a create request asks for.

    ``sender_of`` picks the sender of a Messaging Service for a phone; ``callback_allowed`` says
    whether the simulator may call a URL. Raises :class:`TwilioError` with Twilio's own codes.
    """
    to = form.get("To", "").strip()
    if not fields.is_address(to) or (to.isdecimal()):
        raise TwilioError(21211, f"The 'To' number {to} is not a valid phone number.")
    service = form.get("MessagingServiceSid") or None
    sender = form.get("From", "").strip()
    if not sender and not service:
        raise TwilioError(21603)
    if sender == to:
        raise TwilioError(21266)
    media = form.getlist("MediaUrl")
    send_at = _send_at(form, service)
    now = utc_now()
    return Text(
        sid=new_sid("MM" if media else "SM"),
        direction=Direction.API,
        sender=sender or sender_of(to),
        to=to,
        body=_body(form, media),
        at=now,
        status=_first_status(service, send_at),
        updated_at=now,
        status_callback=_status_callback(form, callback_allowed),
        messaging_service=service,
        media=tuple(media),
        validity=_validity(form),
        send_at=send_at,
    )


def _first_status(service: str | None, send_at: datetime | None) -> Status:
    if send_at:
        return Status.SCHEDULED
    return Status.ACCEPTED if service else Status.QUEUED


def _body(form: MultiDict[str, str], media: Sequence[str]) -> str:
    body = form.get("Body", "")
    if not body and not media:
        raise TwilioError(21602)
    if len(body) > _LONGEST_BODY:
        raise TwilioError(21617)
    return body


def _status_callback(form: MultiDict[str, str], allowed: Callable[[str], bool]) -> str | None:
    url = form.get("StatusCallback") or None
    if url is None:
        return None
    if urlsplit(url).scheme not in ("http", "https"):
        raise TwilioError(21609)
    if not allowed(url):
        raise TwilioError(21609, "The simulator only calls PUBLIC_BASE_URL and this machine.")
    return url


def _validity(form: MultiDict[str, str]) -> int | None:
    value = form.get("ValidityPeriod")
    if not value:
        return None
    if not value.isdecimal() or not 1 <= int(value) <= _LONGEST_VALIDITY:
        raise TwilioError(35117)
    return int(value)


def _send_at(form: MultiDict[str, str], service: str | None) -> datetime | None:
    value = form.get("SendAt")
    if not value:
        return None
    if form.get("ScheduleType") != "fixed" or service is None:
        raise TwilioError(35114)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise TwilioError(35114) from error
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    if not _SOONEST < moment - utc_now() <= _LATEST:
        raise TwilioError(35115)
    return moment
