"""The texts that the bench fires: a conversation of many people, signed, as bytes for a socket.

Text ``k`` is always the same for the same people: the handlers that are compared get the same
conversation, from the first text to the last, whatever their speed.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from urllib.parse import urlencode

from bot.forms import FORM_TYPE
from bot.signature import SIGNATURE_HEADER, sign
from bot.webhooks import INBOUND_PATH

SHORT_CODE: Final = "54321"
PUBLIC_URL: Final = "https://text.bench.example"
ACCOUNT_SID: Final = f"AC{0xBE7C:032x}"
AUTH_TOKEN: Final = f"{0x5EC2E7:032x}"
_SEED: Final = 54321


class Kind(StrEnum):
    """What a text asks for. The last two are no texts: a status callback, a tap on a link."""

    JOIN = "join"
    YES = "yes"
    CHAT = "chat"
    STOP = "stop"
    REPORT = "report"
    TAP = "tap"


# What each person does, again and again. Everybody starts at another place, so that at any moment
# a quarter of the texts is of each kind.
_SCRIPT: Final[Sequence[tuple[Kind, Sequence[str]]]] = (
    (Kind.JOIN, ("JOIN", "Join", "deals")),
    (Kind.YES, ("YES", "yes", "Y")),
    (Kind.CHAT, ("What time do you open on Sundays?", "thanks! see you then", "is it in blue?")),
    (Kind.STOP, ("STOP", "stop", "Stop.")),
)
_PLACE: Final[Mapping[str, str]] = {
    "ToCountry": "US",
    "ToState": "",
    "ToCity": "",
    "ToZip": "",
    "FromCountry": "US",
    "FromState": "CA",
    "FromCity": "SAN FRANCISCO",
    "FromZip": "94105",
}


@dataclass(frozen=True, slots=True)
class Shot:
    """One request, ready to be written to a connection."""

    kind: Kind
    sid: str
    request: bytes


class Crowd:
    """``size`` people with phones, who text in an order that no index can profit from."""

    def __init__(self, size: int) -> None:
        self._order = list(range(size))
        random.Random(_SEED).shuffle(self._order)  # noqa: S311 - the same crowd each time

    def shot(self, k: int) -> Shot:
        """Text number ``k``, from 0: every person's first text, then every person's second, …"""
        turn, place = divmod(k, len(self._order))
        person = self._order[place]
        kind, words = _SCRIPT[(turn + person) % len(_SCRIPT)]
        params = parameters(k, person, words[(turn + person) % len(words)])
        return Shot(kind, params["MessageSid"], request(params))


def message_sid(k: int) -> str:
    """The MessageSid of text ``k``."""
    return f"SM{k:032x}"


def parameters(k: int, person: int, body: str) -> dict[str, str]:
    """What Twilio posts for a text to a short code: all its fields, for they are all signed."""
    sid = message_sid(k)
    return {
        **_PLACE,
        "SmsMessageSid": sid,
        "NumMedia": "0",
        "SmsSid": sid,
        "SmsStatus": "received",
        "Body": body,
        "To": SHORT_CODE,
        "NumSegments": "1",
        "MessageSid": sid,
        "AccountSid": ACCOUNT_SID,
        "From": f"+1415{2_000_000 + person}",
        "ApiVersion": "2010-04-01",
    }


def request(params: Mapping[str, str]) -> bytes:
    """The whole HTTP request, signed for the public URL."""
    body = urlencode(params).encode()
    signature = sign(PUBLIC_URL + INBOUND_PATH, params, AUTH_TOKEN)
    head = (
        f"POST {INBOUND_PATH} HTTP/1.1\r\n"
        "Host: text.bench.example\r\n"
        "User-Agent: TwilioProxy/1.1\r\n"
        "Accept: */*\r\n"
        f"Content-Type: {FORM_TYPE}; charset=UTF-8\r\n"
        f"Content-Length: {len(body)}\r\n"
        f"{SIGNATURE_HEADER}: {signature}\r\n"
        "\r\n"
    )
    return head.encode() + body
