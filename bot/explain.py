"""For the phone page: what the service made of a text, and which senders there are.

Only registered beside the simulator. These pages show numbers and texts of made-up people to
anyone who asks, which in production would be a leak.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Blueprint, Response, abort, jsonify
from sqlalchemy import text
from sqlalchemy.orm import Session

from bot.resources import Resources
from storage import shop
from storage.database import raw
from storage.ledger import chain_of, read

_TEXT: Final = text("""
SELECT i.reading, i.silence, i.review, s.ref
FROM inbound_texts i LEFT JOIN subscribers s ON s.id = i.subscriber_id WHERE message_sid = :sid
""")
_REPLY: Final = text("""
SELECT m.kind, m.reply, m.language, m.body, m.encoding, m.sms_segments
FROM inbound_texts i JOIN messages m
ON m.subscriber_id = i.subscriber_id AND m.created_at = i.received_at
WHERE i.message_sid = :sid AND m.in_reply_to = :sid
""")


def blueprint(resources: Resources) -> Blueprint:
    """``/simulator/senders`` and ``/simulator/explanations/<MessageSid>``."""
    routes = Blueprint("explain", __name__)

    @routes.get("/simulator/senders")
    def senders() -> Response:
        """The senders with their programs and keywords."""
        with resources.work() as work:
            return jsonify({"items": _senders(work.session)})

    @routes.get("/simulator/explanations/<sid>")
    def explanation(sid: str) -> Response:
        """The reading of a text, the ledger entries it made, and the reply."""
        with resources.work() as work:
            found = _explain(work.session, sid)
        if found is None:
            abort(404)
        return jsonify(found)

    return routes


def _senders(session: Session) -> list[dict[str, Any]]:
    programs = shop.programs(session)
    return [
        {
            "number": sender.number,
            "name": sender.name,
            "programs": [
                {
                    "slug": program.slug,
                    "name": program.body["name"],
                    "keywords": program.body["keywords"],
                }
                for program in programs
                if program.sender == sender.number
            ],
        }
        for sender in shop.senders(session)
    ]


def _explain(session: Session, sid: str) -> dict[str, Any] | None:
    found = session.execute(_TEXT, {"sid": sid}).one_or_none()
    if found is None:
        return None
    reply = session.execute(_REPLY, {"sid": sid}).mappings().first()
    return {
        "sid": sid,
        "reading": found.reading,
        "silence": found.silence,
        "review": found.review,
        "entries": _entries(session, found.ref, sid) if found.ref else [],
        "reply": dict(reply) if reply else None,
    }


def _entries(session: Session, ref: Any, sid: str) -> list[dict[str, Any]]:
    cursor = raw(session).cursor()
    entries = []
    for link in chain_of(cursor, ref):
        envelope, evidence = read(link)
        if envelope["message_sid"] == sid:
            shown = {
                name: envelope[name]
                for name in ("n", "program", "change", "method", "occurred_at", "recorded_at")
            }
            entries.append(
                shown
                | {
                    "state_before": envelope["before"],
                    "state_after": envelope["after"],
                    "hash": link.hash.hex(),
                    "evidence": evidence,
                }
            )
    return entries
