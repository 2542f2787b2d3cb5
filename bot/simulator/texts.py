"""One text as the carrier keeps it, its JSON for the log, and its shape for the phone page."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from keywords import segments

if TYPE_CHECKING:
    from collections.abc import Mapping


class Direction(StrEnum):
    """Which way a text goes, in Twilio's words: inbound is from the phone to the service."""

    INBOUND = "inbound"
    API = "outbound-api"
    REPLY = "outbound-reply"


class Status(StrEnum):
    """How far a text has come. The subset of Twilio's list that this carrier uses."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    SCHEDULED = "scheduled"
    QUEUED = "queued"
    SENT = "sent"
    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    FAILED = "failed"


FINAL = frozenset({Status.RECEIVED, Status.DELIVERED, Status.UNDELIVERED, Status.FAILED})


@dataclass(frozen=True, slots=True)
class Text:
    """One text. ``answers`` is the SID of the inbound text that a TwiML reply belongs to.

    ``validity`` is Twilio's ValidityPeriod in seconds; ``send_at`` its SendAt.
    """

    sid: str
    direction: Direction
    sender: str
    to: str
    body: str
    at: datetime
    status: Status
    updated_at: datetime
    error_code: int | None = None
    status_callback: str | None = None
    answers: str | None = None
    messaging_service: str | None = None
    media: tuple[str, ...] = ()
    validity: int | None = None
    send_at: datetime | None = None

    @property
    def phone(self) -> str:
        """The person's number, whichever way the text goes."""
        return self.sender if self.direction is Direction.INBOUND else self.to

    @property
    def service_number(self) -> str:
        """Our sender's number, whichever way the text goes."""
        return self.to if self.direction is Direction.INBOUND else self.sender

    def moved(self, status: Status, error_code: int | None, at: datetime) -> Text:
        """The same text with a new status. A stored error code is not erased by an empty one."""
        code = self.error_code if error_code is None else error_code
        return replace(self, status=status, error_code=code, updated_at=at)


def new_sid(prefix: str = "SM") -> str:
    """A fresh identifier in Twilio's form: two letters and 32 hexadecimal digits."""
    return prefix + secrets.token_hex(16)


def utc_now() -> datetime:
    """The carrier's clock."""
    return datetime.now(UTC)


def iso(moment: datetime) -> str:
    """ISO 8601 in UTC with milliseconds: ``2026-11-23T22:40:00.123Z``."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def to_record(text: Text) -> dict[str, Any]:
    """The text as one JSON object for the log."""
    record: dict[str, Any] = {
        name: getattr(text, name) for name in Text.__slots__ if getattr(text, name) is not None
    }
    for name in ("at", "updated_at", "send_at"):
        if name in record:
            record[name] = record[name].isoformat()
    return record


def from_record(record: Mapping[str, Any]) -> Text:
    """The text that :func:`to_record` wrote.

    Raises KeyError, TypeError or ValueError where the record is not one of ours.
    """
    values = dict(record)
    values["direction"] = Direction(values["direction"])
    values["status"] = Status(values["status"])
    values["media"] = tuple(values.get("media", ()))
    for name in ("at", "updated_at", "send_at"):
        if name in values:
            values[name] = datetime.fromisoformat(values[name])
    return Text(**values)


def for_phone(text: Text) -> dict[str, Any]:
    """The text as the phone page and scripts read it.

    ``direction`` is "inbound" (phone to service) or "outbound" (service to phone).
    """
    size = segments.count(text.body)
    return {
        "sid": text.sid,
        "direction": "inbound" if text.direction is Direction.INBOUND else "outbound",
        "from": text.sender,
        "to": text.to,
        "body": text.body,
        "at": iso(text.at),
        "status": text.status.value,
        "error_code": text.error_code,
        "in_reply_to": text.answers,
        "media": list(text.media),
        "encoding": str(size.encoding),
        "sms_segments": size.segments,
        "characters": size.characters,
    }
