"""A small stand-in for the service: it checks signatures as Twilio's helper does, and answers."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

from flask import Flask, Response, jsonify, request
from twilio.request_validator import RequestValidator
from werkzeug.serving import make_server

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from wsgiref.types import WSGIApplication

ACCOUNT = "AC" + "5" * 32
TOKEN = "a-token-of-no-account"
ENTRY = {
    "program": "deals",
    "method": "sms_keyword",
    "occurred_at": "2026-11-23T22:40:00Z",
    "recorded_at": "2026-11-23T22:40:00.120Z",
    "evidence": {"body": "JOIN", "sender": "54321"},
}


class Live:
    """A WSGI application on a free port of this machine."""

    def __init__(self, app: WSGIApplication) -> None:
        self._server = make_server("127.0.0.1", 0, app, threaded=True)
        self._server.daemon_threads = True  # type: ignore[attr-defined]
        self.port: int = self._server.server_port
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass
class StubService:
    """What the stand-in saw, and how it answers."""

    public_base_url: str
    answer: Callable[[str], str] = lambda body: reply(f"You said: {body}")
    status: int = 200
    content_type: str = "text/xml"
    inbound: list[dict[str, str]] = field(default_factory=list)
    tokens: list[str] = field(default_factory=list)
    callbacks: list[dict[str, str]] = field(default_factory=list)
    hosts: list[str] = field(default_factory=list)
    forged: int = 0
    explanations: dict[str, Any] = field(default_factory=dict)
    destination: str = "https://acme.example/sale"
    taps: list[tuple[str, str, str]] = field(default_factory=list)

    def app(self) -> Flask:
        """The stand-in as a Flask application."""
        app = Flask("stub")
        app.add_url_rule("/webhooks/twilio/inbound", view_func=self._inbound, methods=["POST"])
        app.add_url_rule("/webhooks/twilio/status", view_func=self._status, methods=["POST"])
        app.add_url_rule("/l/<code>", view_func=self._tap)
        app.add_url_rule("/simulator/senders", view_func=_senders)
        app.add_url_rule("/simulator/explanations/<sid>", view_func=self._explanation)
        return app

    def statuses(self, sid: str) -> list[str]:
        """The statuses that were told for one text, in the order in which they came."""
        return [call["MessageStatus"] for call in self.callbacks if call["MessageSid"] == sid]

    def _genuine(self) -> bool:
        url = self.public_base_url + request.full_path.rstrip("?")
        signature = request.headers.get("X-Twilio-Signature", "")
        genuine = bool(RequestValidator(TOKEN).validate(url, request.form, signature))
        self.forged += not genuine
        return genuine

    def _inbound(self) -> Response:
        if not self._genuine():
            return Response(status=403)
        self.inbound.append(dict(request.form))
        self.tokens.append(request.headers["I-Twilio-Idempotency-Token"])
        self.hosts.append(request.host)
        body = request.form.get("Body", "")
        self.explanations[request.form["MessageSid"]] = _explain(request.form["MessageSid"], body)
        return Response(self.answer(body), self.status, content_type=self.content_type)

    def _status(self) -> Response:
        if not self._genuine():
            return Response(status=403)
        self.callbacks.append(dict(request.form) | {"query": request.query_string.decode()})
        return Response(status=204)

    def _tap(self, code: str) -> Response:
        """Every code leads to the same place, or nowhere where there is none."""
        del code
        self.taps.append((request.method, request.host, request.headers.get("User-Agent", "")))
        if not self.destination:
            return Response("This link leads nowhere", 404)
        return Response(status=302, headers={"Location": self.destination})

    def _explanation(self, sid: str) -> Response:
        if sid not in self.explanations:
            return Response('{"status": 404}', 404, content_type="application/problem+json")
        return jsonify(self.explanations[sid])


def reply(*bodies: str) -> str:
    """TwiML with these replies."""
    verbs = "".join(f"<Message>{escape(body)}</Message>" for body in bodies)
    return f'<?xml version="1.0" encoding="UTF-8"?><Response>{verbs}</Response>'


def serving(app: WSGIApplication) -> Iterator[Live]:
    """A live application for the length of a fixture."""
    live = Live(app)
    yield live
    live.close()


def _senders() -> dict[str, Any]:
    programs = [
        {"slug": "deals", "name": "Deals", "keywords": ["JOIN", "DEALS"]},
        {"slug": "coffee", "name": "Coffee", "keywords": ["COFFEE"]},
    ]
    return {"items": [{"number": "54321", "name": "Acme Outfitters", "programs": programs}]}


def _explain(sid: str, body: str) -> dict[str, Any]:
    word = body.strip().lower()
    change = {"join": ("none", "pending"), "yes": ("pending", "subscribed")}.get(word)
    entry = None
    if change:
        before, after = change
        digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        entry = {**ENTRY, "change": f"{before} to {after}", "hash": digest}
        entry |= {"state_before": before, "state_after": after}
    return {
        "sid": sid,
        "reading": {
            "signal": word if change else "not_understood",
            "rule": f"keyword.{word}.en" if change else "none",
            "language": "en",
            "program": "deals",
            "scope": None,
        },
        "entries": [entry] if entry else [],
        "reply": {"kind": "fallback", "body": "x", "sms_segments": 1, "encoding": "GSM-7"},
    }
