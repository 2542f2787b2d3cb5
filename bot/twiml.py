"""TwiML: the answer to an inbound text. Twilio's builder costs eighty times this string."""

from __future__ import annotations

from typing import Final
from xml.sax.saxutils import escape

CONTENT_TYPE: Final = "text/xml; charset=utf-8"
_HEAD: Final = '<?xml version="1.0" encoding="UTF-8"?>'
SILENCE: Final = f"{_HEAD}<Response/>".encode()


def reply(words: str | None) -> bytes:
    """The document that says ``words`` in one message, or nothing at all."""
    if words is None:
        return SILENCE
    return f"{_HEAD}<Response><Message>{escape(words)}</Message></Response>".encode()
