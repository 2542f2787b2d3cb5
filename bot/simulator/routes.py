"""The phone page and the calls behind it, under /simulator/."""

from __future__ import annotations

from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, jsonify, render_template, request

from bot.simulator import faults, fields, inbound
from bot.simulator.people import PEOPLE
from bot.simulator.shop import OFFICE
from bot.simulator.texts import for_phone, iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.simulator.carrier import Carrier, Received
    from bot.simulator.texts import Text

routes = Blueprint(
    "simulator",
    __name__,
    url_prefix="/simulator",
    template_folder="templates",
    static_folder="static",
    static_url_path="/static",
)

_CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


def _carrier() -> Carrier:
    carrier: Carrier = current_app.extensions["carrier"]
    return carrier


@routes.after_request
def _guard(answer: Response) -> Response:
    answer.headers["Content-Security-Policy"] = _CONTENT_SECURITY
    answer.headers["X-Content-Type-Options"] = "nosniff"
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers.setdefault("Cache-Control", "no-cache")
    return answer


@routes.errorhandler(fields.FieldError)
def _bad_field(bad: fields.FieldError) -> Response:
    title = "The request cannot be used"
    return fields.problem(bad.status, title, bad.detail, field=bad.field)


@routes.get("/")
def phone_page() -> str:
    """The page with the phones."""
    return render_template("phone.html", office=OFFICE)


@routes.post("/texts")
def send_text() -> tuple[Response, int]:
    """A phone sends a text. The answer waits for the service's TwiML."""
    received = _carrier().receive(inbound.read_request())
    return jsonify(_told(received)), HTTPStatus.CREATED


@routes.get("/phones")
def phones() -> dict[str, Any]:
    """The made-up persons, and every other phone that has texts, the busiest last."""
    active = _carrier().store.phones()
    numbers = [*PEOPLE, *sorted(active.keys() - PEOPLE.keys())]
    items = []
    for number in numbers:
        person = PEOPLE.get(number)
        count, newest = active.get(number, (0, None))
        items.append(
            {
                "number": number,
                "name": person.name if person else None,
                "place": person.place if person else None,
                "zone": person.zone if person else None,
                "texts": count,
                "last_at": iso(newest) if newest else None,
            }
        )
    return {"items": items, "next": None}


@routes.get("/phones/<number>/messages")
def messages(number: str) -> Response:
    """One phone's texts, oldest first; ``with`` picks one sender, ``after`` those after a SID.

    The ETag changes with every new text and every new status, so that polling is cheap.
    """
    store = _carrier().store
    phone = fields.address({"number": _with_plus(number)}, "number")
    tag = f"{store.version(phone)}"
    texts = _after(store.of_phone(phone), request.args.get("after"))
    partner = request.args.get("with")
    shown = [for_phone(text) for text in texts if partner in (None, "", text.service_number)]
    answer = jsonify({"items": shown, "next": None})
    answer.set_etag(tag)
    answer.make_conditional(request)
    return answer


@routes.get("/faults")
def active_faults() -> dict[str, Any]:
    """The faults that are switched on."""
    return {"items": _carrier().faults.listing(), "next": None}


@routes.post("/faults")
def add_fault() -> tuple[dict[str, Any], int]:
    """Switch a fault on."""
    carrier = _carrier()
    number = carrier.faults.add(faults.read_request())
    added = [fault for fault in carrier.faults.listing() if fault["id"] == number]
    return {"id": number, **(added[0] if added else {})}, HTTPStatus.CREATED


@routes.delete("/faults")
def clear_faults() -> dict[str, Any]:
    """Switch every fault off, and lift every block that the carrier kept."""
    carrier = _carrier()
    carrier.blocked.clear()
    return {"cleared": carrier.faults.clear()}


def _told(received: Received) -> dict[str, Any]:
    error = None
    if received.problem:
        error = {"code": received.problem[0], "message": received.problem[1]}
    return {
        **for_phone(received.text),
        "webhook_status": received.webhook_status,
        "replies": [for_phone(reply) for reply in received.replies],
        "error": error,
    }


def _after(texts: Sequence[Text], sid: str | None) -> Sequence[Text]:
    """The texts after this one; all of them where it is not (or no longer) known."""
    for index, text in enumerate(texts):
        if text.sid == sid:
            return texts[index + 1 :]
    return texts


def _with_plus(number: str) -> str:
    """The number, with the "+" that a URL may have turned into a space or lost."""
    bare = number.strip()
    return f"+{bare}" if bare.isdecimal() and len(bare) > 8 else bare
