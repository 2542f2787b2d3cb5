"""Entries, texts and evidence in words that a reader without any technical knowledge follows.

Pure: values in, sentences out. Whatever evidence holds is said, in the order in which it lies
there; a field that has no label of its own gets its name, so that nothing can be left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from keywords.consent import Change, Method
from keywords.people import read_frequency
from worker.policy.reasons import SENTENCES, Reason

Fact = tuple[str, str]

TITLES: Final[Mapping[str, str]] = MappingProxyType(
    {
        Change.OPTIN_REQUESTED: "Opt-in requested; the question to confirm it follows",
        Change.OPTIN_ASKED: "The question to confirm went out",
        Change.OPTIN_CONFIRMED: "Opt-in confirmed",
        Change.OPTIN_DECLINED: "Opt-in declined",
        Change.OPTIN_EXPIRED: "The question was not answered in time; no consent",
        Change.OPTIN_REMINDED: "Reminded of the open question",
        Change.RESUBSCRIBE_REQUESTED: "Asked to come back after an opt-out; the question follows",
        Change.PREFERENCE_CHANGED: "Changed how often they want texts",
        Change.PAUSED: "Paused the texts",
        Change.RESUMED: "Texts resumed",
        Change.OPTOUT: "Opted out",
        Change.IMPORT_ASSERTED: "A file claims a consent without proof; nothing changed",
        Change.LAPSED: "Consent lapsed",
        Change.LANGUAGE_CHANGED: "Language changed",
        Change.SUSPENDED: "Marketing suspended: a text may have been an opt-out",
        Change.SUSPENSION_LIFTED: "Suspension lifted",
        Change.ERASURE_REQUESTED: "Erasure of the person's data requested",
        Change.EVIDENCE_DESTROYED: "Evidence of all entries before this one destroyed",
        Change.LEGAL_HOLD_SET: "Legal hold set",
        Change.LEGAL_HOLD_LIFTED: "Legal hold lifted",
    }
)
METHODS: Final[Mapping[str, str]] = MappingProxyType(
    {
        Method.SMS_KEYWORD: "text message from the phone itself",
        Method.QR_CODE: "text message opened from a printed code",
        Method.WEB_FORM: "form on the web",
        Method.POINT_OF_SALE: "till of a store",
        Method.CHECKOUT: "checkout of a shop",
        Method.IMPORT: "file of another system",
        Method.API: "another system of the shop",
        Method.OPERATOR: "entered by hand by the shop's staff",
        Method.CARRIER: "reported by the carrier",
        Method.SYSTEM: "the clock",
    }
)
_LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text.sid": "Carrier's id of the text",
        "text.from": "Sent from",
        "text.to": "Sent to",
        "text.body": "Words of the text",
        "text.channel": "Channel",
        "text.opt_out_type": "Handled by the carrier as",
        "signature": "Carrier's signature of the request",
        "reading.signal": "Understood as",
        "reading.rule": "By the rule",
        "reading.language": "Language of the text",
        "asked.text": "The question, word for word",
        "asked.disclosure": "SHA-256 of the question",
        "asked.language": "Language of the question",
        "question.text": "The question that was answered",
        "question.asked_at": "Asked at",
        "question.disclosure": "SHA-256 of that question",
        "disclosure": "SHA-256 of what was shown",
        "shown.artifact": "SHA-256 of the page as rendered",
        "shown.language": "Language shown",
        "shown.at": "Shown at",
        "act.box.shown": "The box was shown",
        "act.box.sent": "The box was sent",
        "act.button": "The button was",
        "page.url": "Page",
        "page.referrer": "Came from",
        "page.embedded_in": "Embedded in",
        "visitor.ip": "IP address",
        "visitor.user_agent": "Browser",
        "program.name": "Name of the program then",
        "program.brand": "Seller named",
        "program.version": "Version of the program",
        "placement.code": "Code of the placement",
        "placement.known": "Code was given out",
        "placement.label": "Placement",
        "placement.store": "Store",
        "placement.channel": "Kind of placement",
        "gesture": "What the person did",
        "clerk": "Clerk",
        "register": "Register",
        "store": "Store",
        "reason": "Reason",
        "document": "Document",
        "claim.by": "Claimed by",
        "claim.shown": "Disclosure given as",
    }
)
_UNSAID: Final = frozenset({"base64"})
_FILE: Final = "(kept in evidence.json)"
_STATES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "answered": "answered in the same moment",
        "queued": "waiting to be sent",
        "planned": "planned, not sent",
        "sending": "being handed to the carrier",
        "accepted": "accepted by the carrier",
        "rejected": "rejected by the carrier",
        "refused": "not sent: our own rules refused it",
        "unknown": "handed over without an answer of the carrier",
        "expired": "not sent: too late",
        "suppressed": "not sent: consent had ended",
        "canceled": "not sent: canceled",
        "holdout": "not sent: in the group that gets nothing, for comparison",
    }
)
SENT: Final = frozenset({"answered", "sending", "accepted", "unknown"})


def title(change: str) -> str:
    """What an entry is, as a headline."""
    return TITLES.get(change, change.replace("_", " "))


def method(name: str) -> str:
    """How a change came about."""
    return METHODS.get(name, name.replace("_", " "))


def who(actor: str) -> str:
    """Who acted."""
    kind, _, name = actor.partition(":")
    named = {"key": "a system of the shop", "operator": "staff of the shop", "file": "a file"}
    if kind in named and name:
        return f"{named[kind]} ({name})"
    return {"person": "the person", "system": "the clock", "carrier": "the carrier"}.get(
        actor, actor
    )


def state(name: str) -> str:
    """How far a text came."""
    return _STATES.get(name, name)


def facts(value: Any, path: str = "") -> Iterator[Fact]:
    """Everything that evidence holds, as pairs of label and value."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from facts(inner, f"{path}.{name}" if path else str(name))
    elif isinstance(value, list) and any(isinstance(part, Mapping | list) for part in value):
        for number, part in enumerate(value, 1):
            yield from facts(part, f"{path} {number}")
    elif value is not None and value != [] and value != "":
        yield _label(path), _FILE if path.rpartition(".")[2] in _UNSAID else _word(value)


def _label(path: str) -> str:
    known = _LABELS.get(path)
    if known:
        return known
    words = path.replace(".", ", ").replace("_", " ")
    return f"{words[:1].upper()}{words[1:]}"


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ", ".join(str(part) for part in value)
    return str(value)


def terms(envelope: Mapping[str, Any]) -> Iterator[Fact]:
    """What an entry set, as far as it matters to a reader."""
    set_ = envelope["terms"]
    if "frequency" in set_:
        yield "Wanted frequency", set_["frequency"]
    for name, label in (("paused_until", "Paused until"), ("expires_at", "Valid until")):
        if name in set_:
            yield label, set_[name]
    if "ground" in set_:
        yield "Ground", set_["ground"]


def decision(decided: Mapping[str, Any]) -> Iterator[Fact]:
    """Why a message was allowed, held or refused, with the rule and what it rested on."""
    reason = decided.get("reason", "")
    try:
        yield "Answer", SENTENCES[Reason(reason)]
    except ValueError:
        yield "Answer", str(reason)
    yield "Rule", f"{decided.get('rule')} ({decided.get('version')})"
    if decided.get("until"):
        yield "Allowed or held until", str(decided["until"])
    yield from facts(decided.get("evidence") or {})


def promise(frequency: str | None) -> str:
    """A program's promised frequency in words: "4/month" as it is stored."""
    if not frequency:
        return "none was promised"
    read = read_frequency(frequency)
    return f"at most {read.count} in a {read.period}"
