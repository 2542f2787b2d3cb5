"""The browser of a phone on the phone page, and machines that look at a link before a person does.

``/simulator/browser?address=…`` goes where the phone goes: through the service's own redirect, and
on to the demo shop, which is the whole internet of these phones. The shop's addresses are
``https://acme.example/…``; its pages lie under ``/simulator/shop/``.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from flask import Blueprint, Response, current_app, jsonify, redirect, render_template, request
from werkzeug.wrappers import Response as Answer

from bot.simulator import fields
from bot.simulator.caller import CallError
from bot.simulator.visitors import PERSON, VISITORS, Visits

SHOP_HOST: Final = "acme.example"
SHOP_PATH: Final = "/simulator/shop"
_LONGEST: Final = 4_000
# Pages of the phone's browser are shown in a frame of the phone page, and nowhere else.
CONTENT_SECURITY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'self'"
)

routes = Blueprint("browsing", __name__, url_prefix="/simulator", template_folder="templates")


def _visits() -> Visits:
    visits: Visits = current_app.extensions["visits"]
    return visits


def guard(answer: Response) -> Response:
    """The headers of every page that a phone's browser shows."""
    answer.headers["Content-Security-Policy"] = CONTENT_SECURITY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


routes.after_request(guard)


@routes.errorhandler(fields.FieldError)
def _bad_field(bad: fields.FieldError) -> Response:
    return fields.problem(bad.status, "The request cannot be used", bad.detail, field=bad.field)


@routes.get("/visitors")
def visitors() -> dict[str, Any]:
    """Who can be sent to a link, what links begin with, and which host is the demo shop's."""
    items = [{"name": v.name, "title": v.title, "says": v.says} for v in VISITORS.values()]
    links = current_app.extensions["carrier"].config.links
    return {"items": items, "next": None, "links": links, "shop": SHOP_HOST}


@routes.post("/visits")
def visit() -> tuple[Response, int]:
    """Send somebody to a link: ``{"address", "as"}``; answers what each request came to."""
    values = fields.json_object(("address", "as"))
    address = fields.text(values, "address", longest=_LONGEST)
    visitor = VISITORS.get(str(values.get("as")))
    if visitor is None:
        raise fields.FieldError("as", f"Give one of: {', '.join(VISITORS)}.")
    if not _visits().is_link(address):
        raise fields.FieldError("address", "This is no short link of this service.")
    try:
        seen = _visits().go(visitor, address)
    except CallError as error:
        return fields.problem(502, "No answer", str(error)), HTTPStatus.BAD_GATEWAY
    answers = [
        {"method": one.method, "status": one.status, "location": one.location or None}
        for one in seen
    ]
    told = {"as": visitor.name, "says": visitor.says, "requests": answers}
    return jsonify(told), HTTPStatus.CREATED


@routes.get("/browser")
def browse() -> Answer | tuple[str, int]:
    """Where the phone's browser ends up when the person goes to ``address``."""
    address = request.args.get("address", "")[:_LONGEST]
    if _visits().is_link(address):
        return _tap(address)
    return _open(address)


def _tap(link: str) -> Answer | tuple[str, int]:
    try:
        (seen,) = _visits().go(VISITORS[PERSON], link)
    except CallError as error:
        return _nowhere(link, str(error)), HTTPStatus.BAD_GATEWAY
    if seen.location:
        return _open(seen.location)
    return Response(seen.body, seen.status, content_type=seen.content_type)


def _open(address: str) -> Answer | tuple[str, int]:
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        parts, host = SplitResult("", "", "", "", ""), ""
    if host.removeprefix("www.") != SHOP_HOST or ".." in parts.path:
        sentence = f"These phones are in a simulator: the only site they reach is {SHOP_HOST}."
        return _nowhere(address, sentence), HTTPStatus.NOT_FOUND
    query = f"?{parts.query}" if parts.query else ""
    return redirect(f"{SHOP_PATH}{parts.path or '/'}{query}", HTTPStatus.FOUND)


def _nowhere(address: str, sentence: str) -> str:
    return render_template("nowhere.html", address=address, sentence=sentence)
