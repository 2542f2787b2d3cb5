"""An inbound text: read from a script's or the page's JSON, written as Twilio's parameters."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from bot.simulator import fields
from bot.simulator.people import geography
from bot.simulator.texts import Direction, Status, Text, new_sid, utc_now
from keywords import segments

if TYPE_CHECKING:
    from collections.abc import Mapping

_KNOWN = ("from", "to", "body", "media", "opt_out_type", "sid", "params")
_SID = re.compile(r"(SM|MM)[0-9a-f]{32}")
_OPT_OUT_TYPES = ("STOP", "START", "HELP")
_LONGEST_BODY = 20_000
_MOST_MEDIA = 10


@dataclass(frozen=True, slots=True)
class Inbound:
    """A phone's text with what is told about it. ``changes`` sets parameters, or drops (None)."""

    text: Text
    opt_out_type: str | None = None
    changes: tuple[tuple[str, str | None], ...] = ()

    def told(self, opt_out_type: str) -> Inbound:
        """The same text with the carrier's OptOutType."""
        return replace(self, opt_out_type=opt_out_type)


def read_request() -> Inbound:
    """The inbound text in the current request. Raises :class:`fields.FieldError`."""
    return read(fields.json_object(_KNOWN))


def read(values: Mapping[str, Any]) -> Inbound:
    """The inbound text that a JSON object describes. Raises :class:`fields.FieldError`."""
    now = utc_now()
    media = _media(values)
    body = fields.text(values, "body", longest=_LONGEST_BODY) if "body" in values else ""
    if not body and not media:
        raise fields.FieldError("body", "Write something, or attach media.")
    text = Text(
        sid=_sid(values) or new_sid("MM" if media else "SM"),
        direction=Direction.INBOUND,
        sender=fields.address(values, "from"),
        to=fields.address(values, "to"),
        body=body,
        at=now,
        status=Status.RECEIVED,
        updated_at=now,
        media=media,
    )
    return Inbound(text, _opt_out_type(values), _changes(values))


def params(account: str, inbound: Inbound) -> list[tuple[str, str]]:
    """Twilio's parameters of an incoming message, in the order in which Twilio sends them.

    https://www.twilio.com/docs/messaging/guides/webhook-request
    """
    text = inbound.text
    form = [
        *geography("To", text.to),
        ("SmsMessageSid", text.sid),
        ("NumMedia", str(len(text.media))),
        *geography("From", text.sender),
        ("SmsSid", text.sid),
        ("SmsStatus", "received"),
        ("Body", text.body),
        ("To", text.to),
        ("NumSegments", str(segments.count(text.body).segments)),
        ("ReferralNumMedia", "0"),
        ("MessageSid", text.sid),
        ("AccountSid", account),
        ("From", text.sender),
        ("ApiVersion", "2010-04-01"),
    ]
    for index, url in enumerate(text.media):
        form += [(f"MediaUrl{index}", url), (f"MediaContentType{index}", "image/jpeg")]
    if inbound.opt_out_type:
        form.append(("OptOutType", inbound.opt_out_type))
    changed = {name for name, _ in inbound.changes}
    kept = [(name, value) for name, value in form if name not in changed]
    return kept + [(name, value) for name, value in inbound.changes if value is not None]


def _sid(values: Mapping[str, Any]) -> str | None:
    value = values.get("sid")
    if value is None:
        return None
    if not isinstance(value, str) or not _SID.fullmatch(value):
        raise fields.FieldError("sid", "A MessageSid is SM or MM and 32 digits from 0-9 and a-f.")
    return value


def _media(values: Mapping[str, Any]) -> tuple[str, ...]:
    urls = [] if values.get("media") is None else values["media"]
    if not isinstance(urls, list) or not all(url and fields.sendable(url) for url in urls):
        raise fields.FieldError("media", "Give a list of URLs.")
    if len(urls) > _MOST_MEDIA:
        raise fields.FieldError("media", f"At most {_MOST_MEDIA} attachments.")
    return tuple(urls)


def _opt_out_type(values: Mapping[str, Any]) -> str | None:
    value = values.get("opt_out_type")
    if value is not None and value not in _OPT_OUT_TYPES:
        raise fields.FieldError("opt_out_type", "Give STOP, START or HELP.")
    return value


def _changes(values: Mapping[str, Any]) -> tuple[tuple[str, str | None], ...]:
    changes = {} if values.get("params") is None else values["params"]
    if not isinstance(changes, dict):
        raise fields.FieldError("params", "Give an object of parameter names and strings.")
    found: list[tuple[str, str | None]] = []
    for name, value in changes.items():
        several = value if isinstance(value, list) else [value]
        if not all(one is None or fields.sendable(one) for one in several):
            raise fields.FieldError("params", f"{name} must be a string, strings, or null.")
        found += [(name, one) for one in several]
    return tuple(found)
