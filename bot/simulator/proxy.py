"""The simulator on the service's own port: /simulator/… is passed on to the simulator's process."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import requests
from flask import Blueprint, Response, request
from requests.adapters import HTTPAdapter

from bot.simulator.fields import problem

if TYPE_CHECKING:
    from storage.settings import Settings

_TIMEOUT = 20
_MOST_AT_ONCE = 24
_METHODS = ["GET", "POST", "DELETE"]
_PASSED_ON = (
    *("Content-Type", "If-None-Match", "If-Modified-Since", "Range", "Accept"),
    "Sec-Fetch-Site",
)
# What belongs to one connection, or is measured again here (RFC 9110, section 7.6.1).
_KEPT_BACK = frozenset(
    {"connection", "keep-alive", "transfer-encoding", "content-length", "content-encoding"}
    | {"date", "server", "upgrade", "te", "trailer"}
)
# The service itself answers these, below the same path.
_SERVICE_OWN = ("senders", "explanations", "recorded")


def blueprint(settings: Settings) -> Blueprint:
    """The routes to register where ``settings.simulator`` is true.

    At most 24 requests of a process wait for the simulator at once, so that phones that are slow
    never take every thread; beyond that the answer is 503.
    """
    routes = Blueprint("simulator_proxy", __name__)
    session = _session()
    places = threading.BoundedSemaphore(_MOST_AT_ONCE)
    base = f"http://127.0.0.1:{settings.simulator_port}/simulator/"

    @routes.route("/simulator/", defaults={"path": ""}, methods=_METHODS)
    @routes.route("/simulator/<path:path>", methods=_METHODS)
    def forward(path: str) -> Response:
        if path.partition("/")[0] in _SERVICE_OWN:
            return problem(404, "Not found", "There is nothing at this address.")
        if not places.acquire(blocking=False):
            return problem(
                503, "The simulator is busy", "Too many texts at once: try again.", retry_after=1
            )
        try:
            return _forward(session, base)
        finally:
            places.release()

    return routes


def _session() -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    session.mount("http://", HTTPAdapter(pool_connections=1, pool_maxsize=_MOST_AT_ONCE))
    return session


def _forward(session: requests.Session, base: str) -> Response:
    headers = {name: request.headers[name] for name in _PASSED_ON if name in request.headers}
    url = base + request.full_path.removeprefix("/simulator/")
    try:
        answer = session.request(
            request.method,
            url,
            data=request.get_data(),
            headers=headers,
            timeout=_TIMEOUT,
            allow_redirects=False,
        )
    except requests.Timeout:
        return problem(504, "The simulator is slow", "It did not answer within 20 seconds.")
    except requests.RequestException:
        return problem(502, "The simulator is not running", "Start it with: assent simulator.")
    kept = [
        (name, value) for name, value in answer.headers.items() if name.lower() not in _KEPT_BACK
    ]
    return Response(answer.content, answer.status_code, kept)
