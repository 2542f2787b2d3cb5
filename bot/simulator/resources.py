"""Twilio's Message resource: a text as JSON, and a list of texts in pages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from bot.simulator.errors import TwilioError, message
from bot.simulator.texts import Direction, Status, Text
from keywords import segments

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

API = "/2010-04-01/Accounts"
_PAGE_SIZE = 50
_MOST = 1_000
_UNSENT = frozenset({Status.ACCEPTED, Status.SCHEDULED})
_CHARGED = frozenset({Status.DELIVERED, Status.UNDELIVERED})
_PRICE_MICROS = 8_300


def resource(account: str, text: Text) -> dict[str, Any]:
    """One Message as Twilio writes it. Times are RFC 2822; counts are strings."""
    uri = f"{API}/{account}/Messages/{text.sid}"
    unsent = text.messaging_service is not None and text.status in _UNSENT
    count = 0 if unsent else segments.count(text.body).segments
    return {
        "account_sid": account,
        "api_version": "2010-04-01",
        "body": text.body,
        "date_created": _rfc2822(text.at),
        "date_sent": None if text.status in _UNSENT else _rfc2822(text.at),
        "date_updated": _rfc2822(text.updated_at),
        "direction": text.direction.value,
        "error_code": text.error_code,
        "error_message": message(text.error_code),
        "from": None if unsent else text.sender,
        "messaging_service_sid": text.messaging_service,
        "num_media": str(len(text.media)),
        "num_segments": str(count),
        "price": _price(text, count),
        "price_unit": "USD",
        "sid": text.sid,
        "status": text.status.value,
        "subresource_uris": {"media": f"{uri}/Media.json"},
        "to": text.to,
        "uri": f"{uri}.json",
    }


def _price(text: Text, sms_segments: int) -> str | None:
    """What an outbound text cost, once its fate is known; Twilio writes it as a negative number."""
    if text.direction is Direction.INBOUND or text.status not in _CHARGED:
        return None
    return f"-{_PRICE_MICROS * sms_segments / 1_000_000:.5f}"


def page(account: str, texts: Sequence[Text], query: Mapping[str, str]) -> dict[str, Any]:
    """One page of the texts that match the query, newest first. ``texts`` are oldest first.

    Raises :class:`TwilioError` 20001 for a filter that cannot be read.
    """
    size = min(_MOST, max(1, _whole(query, "PageSize", _PAGE_SIZE)))
    number = _whole(query, "Page", 0)
    matching = list(filter(_filter(query), reversed(texts)))
    start = _start(matching, query.get("PageToken", ""), number * size)
    shown = matching[start : start + size]
    more = start + size < len(matching)
    kept = {name: value for name, value in query.items() if name not in ("Page", "PageToken")}
    base = f"{API}/{account}/Messages.json"
    following = {**kept, "PageSize": size, "Page": number + 1}
    return {
        "messages": [resource(account, text) for text in shown],
        "page": number,
        "page_size": size,
        "start": start,
        "end": start + max(0, len(shown) - 1),
        "uri": _uri(base, {**kept, "PageSize": size, "Page": number}),
        "first_page_uri": _uri(base, {**kept, "PageSize": size, "Page": 0}),
        "next_page_uri": (
            _uri(base, {**following, "PageToken": f"PA{shown[-1].sid}"}) if more else None
        ),
        "previous_page_uri": None,
    }


def _filter(query: Mapping[str, str]) -> Callable[[Text], bool]:
    """Whether a text matches To, From and DateSent; the query is read once, not for each text."""
    to, sender = query.get("To") or None, query.get("From") or None
    since = _moment(query, "DateSent>") or datetime.min.replace(tzinfo=UTC)
    until = _moment(query, "DateSent<") or datetime.max.replace(tzinfo=UTC)
    day = _moment(query, "DateSent")

    def matches(text: Text) -> bool:
        at = text.at.replace(microsecond=0)
        return (
            to in (None, text.to)
            and sender in (None, text.sender)
            and since <= at <= until
            and (day is None or day <= at < day + timedelta(days=1))
        )

    return matches


def _moment(query: Mapping[str, str], name: str) -> datetime | None:
    value = query.get(name)
    if not value:
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError as error:
        raise TwilioError(20001, f"{name} is no date: YYYY-MM-DD or ISO 8601.") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _start(matching: Sequence[Text], token: str, otherwise: int) -> int:
    """Where a page starts: after the text that the token names, so that new texts move nothing."""
    for index, text in enumerate(matching):
        if token == f"PA{text.sid}":
            return index + 1
    return otherwise


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "")
    if not value:
        return default
    if not value.isdecimal():
        raise TwilioError(20001, f"{name} must be a whole number.")
    return int(value)


def _uri(base: str, query: Mapping[str, object]) -> str:
    return f"{base}?{urlencode(query)}"


def _rfc2822(moment: datetime) -> str:
    return format_datetime(moment.astimezone(UTC))
