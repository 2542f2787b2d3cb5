"""Twilio's forms: a signed body becomes parameters, and the parameters an inbound text.

The bytes are the truth: what was signed is what was sent. A byte that is no UTF-8 becomes a lone
surrogate (``surrogateescape``), so that the signature can be computed over the very same bytes;
:func:`clean_text` makes the copy that a database and a person can read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from functools import lru_cache
from typing import TYPE_CHECKING, Literal, TypeGuard
from urllib.parse import unquote_to_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    OptOutType = Literal["STOP", "START", "HELP"]

MAX_BODY = 64 * 1024
MAX_PARAMETERS = 256
FORM_TYPE = "application/x-www-form-urlencoded"

# The signed string has no separators, so a name with odd characters could swallow the value
# before it: "From+14155550100FromCity" would hide the true From.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,63}")
_MESSAGE_SID = re.compile(r"(?:SM|MM)[0-9a-f]{32}")
_ACCOUNT_SID = re.compile(r"AC[0-9a-f]{32}")
# +14155550100, 54321, whatsapp:+14155550100, rcs:acme_agent: visible ASCII, nothing else.
_ADDRESS = re.compile(r"[!-~]{1,128}")
_COUNT = re.compile(r"[0-9]{1,3}")
_STATUS = re.compile(r"[a-z_]{1,32}")
_CODE = re.compile(r"[0-9]{1,6}")
_SURROGATE = re.compile("[\ud800-\udfff]")
_OPT_OUT_TYPES = frozenset({"STOP", "START", "HELP"})


class FormFault(Enum):
    """Why a form is refused; the value is the HTTP status of the answer."""

    BAD_FORM = 400
    FORBIDDEN_NAMES = 403
    TOO_LARGE = 413


class FormError(ValueError):
    """A form that is refused. The message names limits and fields, never a value."""

    def __init__(self, fault: FormFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault

    @property
    def status(self) -> int:
        """The HTTP status to answer with."""
        return self.fault.value


class BadForm(FormError):
    """A field that is missing or malformed in a form whose signature was right."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(FormFault.BAD_FORM, f"{field} {reason}")
        self.field = field
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Form:
    """The bytes as they came, and the parameters in the order they came, each name once."""

    raw: bytes
    params: dict[str, str]


@dataclass(frozen=True, slots=True)
class StatusForm:
    """A status callback. ``code`` is Twilio's error code, where the text has failed."""

    message_sid: str
    status: str
    code: int | None


@dataclass(frozen=True, slots=True)
class InboundForm:
    """An inbound text. ``address`` is From (the customer), ``sender`` is To (us).

    ``body`` is cleaned and may be empty (media without words); ``media`` counts attachments;
    ``opt_out_type`` is set where Twilio has already answered a keyword (Advanced Opt-Out).
    """

    message_sid: str
    account_sid: str
    address: str
    sender: str
    body: str
    media: int
    opt_out_type: OptOutType | None
    messaging_service_sid: str | None


def parse_form(body: bytes, content_type: str | None) -> Form:
    """Read a form-encoded body. Blank values are kept; ``+`` is a space, ``%XX`` a byte.

    A body of any other content type holds no parameters: its signature will not match, or, if
    Twilio did sign it, the missing fields are reported by :func:`inbound`.

    Raises :class:`FormError`: TOO_LARGE above ``MAX_BODY`` bytes or ``MAX_PARAMETERS``
    parameters, FORBIDDEN_NAMES for a name outside the pattern or given twice.
    """
    if len(body) > MAX_BODY:
        raise FormError(FormFault.TOO_LARGE, f"The body is larger than {MAX_BODY} bytes.")
    if not is_form(content_type):
        return Form(body, {})
    fields = _text(body).replace("+", " ").split("&")
    if len(fields) > MAX_PARAMETERS:
        raise FormError(FormFault.TOO_LARGE, f"There are more than {MAX_PARAMETERS} parameters.")
    params: dict[str, str] = {}
    for field in filter(None, fields):
        name, _, value = field.partition("=")
        key = _name(name)
        if key in params:
            raise FormError(FormFault.FORBIDDEN_NAMES, f"The parameter {key} is given twice.")
        params[key] = _unquoted(value) if "%" in value else value
    return Form(body, params)


def status(params: Mapping[str, str]) -> StatusForm:
    """The status callback in these parameters (rules 5.2).

    Raises :class:`BadForm` for a MessageSid or MessageStatus that is missing or malformed.
    """
    code = params.get("ErrorCode", "")
    return StatusForm(
        message_sid=_required(params, "MessageSid", _MESSAGE_SID),
        status=_required(params, "MessageStatus", _STATUS),
        code=int(code) if _CODE.fullmatch(code) else None,
    )


def is_form(content_type: str | None) -> bool:
    """Whether this Content-Type header names a form-encoded body."""
    return content_type is not None and content_type.partition(";")[0].strip().lower() == FORM_TYPE


def inbound(params: Mapping[str, str]) -> InboundForm:
    """The inbound text in these parameters; unknown ones are left alone.

    Fields: Twilio's messaging webhook request (rules 5.1). Raises :class:`BadForm` for a
    MessageSid, AccountSid, From or To that is missing or malformed.
    """
    opt_out = params.get("OptOutType")
    return InboundForm(
        message_sid=_required(params, "MessageSid", _MESSAGE_SID),
        account_sid=_required(params, "AccountSid", _ACCOUNT_SID),
        address=_required(params, "From", _ADDRESS),
        sender=_required(params, "To", _ADDRESS),
        body=clean_text(params.get("Body", "")),
        media=_count(params.get("NumMedia", "")),
        opt_out_type=opt_out if _is_opt_out_type(opt_out) else None,
        messaging_service_sid=clean_text(params.get("MessagingServiceSid", "")) or None,
    )


def clean_text(text: str) -> str:
    """A copy that PostgreSQL accepts: without NUL, and U+FFFD for each lone surrogate."""
    if text.isascii() and "\0" not in text:
        return text
    return _SURROGATE.sub("\ufffd", text.replace("\0", ""))


def _text(field: bytes) -> str:
    return field.decode("utf-8", "surrogateescape")


def _unquoted(value: str) -> str:
    return _text(unquote_to_bytes(value.encode("utf-8", "surrogateescape")))


@lru_cache(maxsize=512)
def _name(field: str) -> str:
    """A parameter's name. Twilio uses the same few, so each is checked once."""
    name = _unquoted(field)
    if not _NAME.fullmatch(name):
        raise FormError(
            FormFault.FORBIDDEN_NAMES,
            "A parameter's name is not a letter and then letters, digits and _ (64 at most).",
        )
    return name


def _required(params: Mapping[str, str], field: str, pattern: re.Pattern[str]) -> str:
    value = params.get(field, "")
    if not value:
        raise BadForm(field, "is missing.")
    if not pattern.fullmatch(value):
        raise BadForm(field, "is malformed.")
    return value


def _count(value: str) -> int:
    return int(value) if _COUNT.fullmatch(value) else 0


def _is_opt_out_type(value: str | None) -> TypeGuard[OptOutType]:
    return value in _OPT_OUT_TYPES
