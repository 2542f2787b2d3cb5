"""Twilio's REST dialect: create, list and fetch messages, with the faults that are switched on."""

from __future__ import annotations

import contextlib
import hmac
import socket
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, current_app, jsonify, request

from bot.simulator import drafts
from bot.simulator.errors import TwilioError
from bot.simulator.faults import FaultKind
from bot.simulator.resources import API, page, resource

if TYPE_CHECKING:
    from bot.simulator.carrier import Carrier
    from bot.simulator.texts import Text

routes = Blueprint("twilio", __name__, url_prefix=API)

_AUTHENTICATE, _NOT_FOUND, _TOO_MANY, _SERVER_ERROR = 20_003, 20_404, 20_429, 20_500
_DEFAULT_SENDER = "54321"


def _carrier() -> Carrier:
    carrier: Carrier = current_app.extensions["carrier"]
    return carrier


@routes.errorhandler(TwilioError)
def _refused(error: TwilioError) -> tuple[Response, int]:
    answer = jsonify(error.as_json())
    if error.status == HTTPStatus.TOO_MANY_REQUESTS:
        answer.headers["Retry-After"] = "1"
    return answer, error.status


@routes.post("/<account>/Messages.json")
def create(account: str) -> tuple[Response, int]:
    """Accept a text. The faults before it refuse; the faults after it leave the caller in doubt."""
    carrier = _carrier()
    phone, sender = request.form.get("To", ""), request.form.get("From")
    _check_account(account, phone)
    _fail_before(carrier, phone, sender)
    text = drafts.read(request.form, _sender_of, carrier.caller.reachable)
    carrier.accept(text)
    _fail_after(carrier, text)
    if carrier.faults.strike(FaultKind.RESET_AFTER_ACCEPT, text.to, text.sender):
        return _cut_off(), HTTPStatus.CREATED
    return jsonify(resource(account, text)), HTTPStatus.CREATED


@routes.get("/<account>/Messages.json")
def listing(account: str) -> dict[str, Any]:
    """The texts that match To, From and DateSent, newest first, in pages."""
    _check_account(account, request.args.get("To", ""))
    return page(account, _carrier().store.everything(), request.args)


@routes.get("/<account>/Messages/<sid>.json")
def fetch(account: str, sid: str) -> dict[str, Any]:
    """One text."""
    _check_account(account, "")
    text = _carrier().store.get(sid)
    if text is None:
        raise TwilioError(_NOT_FOUND, f"The requested resource {request.path} was not found")
    return resource(account, text)


@routes.route("/", defaults={"rest": ""}, methods=["GET", "POST", "DELETE"])
@routes.route("/<path:rest>", methods=["GET", "POST", "DELETE"])
def anything_else(rest: str) -> Response:
    """The rest of Twilio's API is not played here."""
    raise TwilioError(_NOT_FOUND, f"The requested resource {API}/{rest} was not found")


def _check_account(account: str, phone: str) -> None:
    """Basic authentication with the account's SID and token, compared in constant time."""
    carrier = _carrier()
    given = request.authorization
    user = (given.username or "") if given else ""
    password = (given.password or "") if given else ""
    config = carrier.config
    known = _same(user, config.account_sid) and _same(password, config.auth_token)
    if not known or carrier.faults.strike(FaultKind.AUTH_FAILURE, phone):
        raise TwilioError(_AUTHENTICATE)
    if account != config.account_sid:
        raise TwilioError(_NOT_FOUND, f"The requested resource {request.path} was not found")


def _same(given: str, kept: str) -> bool:
    return hmac.compare_digest(given.encode(), kept.encode())


def _fail_before(carrier: Carrier, phone: str, sender: str | None) -> None:
    if carrier.faults.strike(FaultKind.TOO_MANY_REQUESTS, phone, sender):
        raise TwilioError(_TOO_MANY)
    if carrier.faults.strike(FaultKind.SERVER_ERROR, phone, sender):
        raise TwilioError(_SERVER_ERROR)


def _fail_after(carrier: Carrier, text: Text) -> None:
    hang = carrier.faults.strike(FaultKind.HANG_AFTER_ACCEPT, text.to, text.sender)
    if hang:
        time.sleep(hang.seconds)
    if carrier.faults.strike(FaultKind.SERVER_ERROR_AFTER_ACCEPT, text.to, text.sender):
        raise TwilioError(_SERVER_ERROR)


class _Nothing(Iterator[bytes]):
    """A body that never comes: the connection ends after the text was accepted.

    Werkzeug's server gives us the socket, which is cut off. Other servers close the connection
    when the body that was promised fails.
    """

    def __init__(self, connection: socket.socket | None) -> None:
        self._connection = connection

    def __next__(self) -> bytes:
        if self._connection is not None:
            with contextlib.suppress(OSError):
                self._connection.shutdown(socket.SHUT_RDWR)
        raise ConnectionResetError


def _cut_off() -> Response:
    nothing = _Nothing(request.environ.get("werkzeug.socket"))
    return Response(nothing, headers={"Content-Length": "512"}, mimetype="application/json")


def _sender_of(phone: str) -> str:
    """A Messaging Service's sender for a phone: the one it talked with last."""
    texts = _carrier().store.of_phone(phone)
    return texts[-1].service_number if texts else _DEFAULT_SENDER
