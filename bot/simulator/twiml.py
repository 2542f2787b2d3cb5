"""Reading the service's answer to an inbound text: which replies it asks the carrier to send."""

from __future__ import annotations

# The document comes from our own service over loopback, and a document type is refused first.
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bot.simulator.caller import Answer

_XML_TYPES = frozenset({"text/xml", "application/xml"})


class TwimlError(Exception):
    """An answer that Twilio would not act on, with the code of its debugger."""

    def __init__(self, code: int, detail: str) -> None:
        self.code = code
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class ReplyVerb:
    """One ``<Message>``. ``to`` and ``sender`` are None where the verb leaves them open."""

    body: str
    media: tuple[str, ...] = ()
    to: str | None = None
    sender: str | None = None
    status_callback: str | None = None


def replies(answer: Answer) -> list[ReplyVerb]:
    """The replies in an answer, in order; an empty answer has none.

    Raises :class:`TwimlError`: 11200 for a status other than 2xx, 12300 for another content type,
    12100 for XML that cannot be parsed, 12200 for a document that is not TwiML.
    """
    if not 200 <= answer.status < 300:
        raise TwimlError(11200, f"The service answered with HTTP {answer.status}.")
    if not answer.body.strip():
        return []
    if answer.content_type.partition(";")[0].strip().lower() not in _XML_TYPES:
        raise TwimlError(12300, "The answer is not text/xml.")
    return [_reply(verb) for verb in _parse(answer.body) if verb.tag in ("Message", "Sms")]


def _parse(document: str) -> ET.Element:
    if "<!DOCTYPE" in document:
        raise TwimlError(12100, "The answer has a document type.")
    try:
        root = ET.fromstring(document)  # noqa: S314
    except ET.ParseError as error:
        raise TwimlError(12100, "The answer is not well-formed XML.") from error
    if root.tag != "Response":
        raise TwimlError(12200, "The answer does not begin with <Response>.")
    return root


def _reply(verb: ET.Element) -> ReplyVerb:
    bodies = [child.text or "" for child in verb if child.tag == "Body"]
    return ReplyVerb(
        body="".join(bodies) if bodies else (verb.text or ""),
        media=tuple((child.text or "").strip() for child in verb if child.tag == "Media"),
        to=verb.get("to"),
        sender=verb.get("from"),
        status_callback=verb.get("statusCallback") or verb.get("action"),
    )
