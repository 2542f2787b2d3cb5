"""The service as one WSGI application: wiring, and the fast door to the hot paths."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from apiflask import APIFlask
from flask import Response, request

from bot import api, checkpoints, explain, health, home, metering, metrics, recorded, tracking
from bot.api.pace import Pace
from bot.forms import MAX_BODY
from bot.joining import landing
from bot.joining import routes as joining
from bot.links import MISSES, MISSES_PER_SECOND, Links
from bot.posters import routes as posters
from bot.resources import open_resources
from bot.shopify import receiving as shopify
from bot.signature import Verifier
from bot.simulator import proxy
from bot.status import STATUS_PATH, StatusWebhook
from bot.visitors import believe
from bot.webhooks import INBOUND_PATH, TOO_LARGE, Call, InboundWebhook, Reply, call_from
from storage.settings import Settings
from worker.marks import Marks
from worker.queues import wake
from worker.texts.codes import Codes
from worker.texts.links import own_host

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

log = logging.getLogger(__name__)

Hot = Callable[[Call], Reply]
REASONS: Final = {
    200: "200 OK",
    302: "302 Found",
    400: "400 Bad Request",
    403: "403 Forbidden",
    404: "404 Not Found",
    405: "405 Method Not Allowed",
    413: "413 Content Too Large",
    429: "429 Too Many Requests",
    503: "503 Service Unavailable",
}


class Assent(APIFlask):
    """Flask, with a table of paths that are answered before Flask is entered."""

    def __init__(
        self, hot: Mapping[str, Hot], links: Links | None = None, proxies: int = 0
    ) -> None:
        super().__init__(
            "bot", title="Assent", version="1", spec_path=None, docs_path=None, json_errors=False
        )
        self._hot = hot
        self._links = links
        self._proxies = proxies

    def wsgi_app(self, environ: WSGIEnvironment, start_response: StartResponse) -> Any:
        """Answer a hot path at once, anything else through Flask."""
        believe(environ, self._proxies)
        links = self._links
        if links is not None and links.serves(environ):
            found = links(environ)
            start_response(REASONS[found.status], list(found.headers))
            return [] if environ["REQUEST_METHOD"] == "HEAD" else [found.body]
        handler = self._hot.get(environ["PATH_INFO"])
        if handler is None or environ["REQUEST_METHOD"] != "POST":
            return super().wsgi_app(environ, start_response)
        reply = _answer(handler, environ)
        headers = [("Content-Type", reply.content_type), ("Content-Length", str(len(reply.body)))]
        start_response(REASONS[reply.status], headers)
        return [reply.body]

    def log_exception(self, exc_info: Any) -> None:
        """An error that nobody expected, without the address: addresses hold numbers."""
        log.error("unexpected error", extra={"endpoint": request.endpoint}, exc_info=exc_info)


def _answer(handler: Hot, environ: WSGIEnvironment) -> Reply:
    length = environ.get("CONTENT_LENGTH") or "0"
    if not length.isdecimal() or int(length) > MAX_BODY:
        return TOO_LARGE
    return handler(call_from(environ, environ["wsgi.input"].read(int(length))))


def create_app(settings: Settings) -> Assent:
    """The service for one process. Raises ValueError when a secret is missing.

    ``settings.database_url`` must be set; nothing connects before the first request.
    """
    handover = wake(settings.redis_url) if settings.redis_url else None
    resources = open_resources(settings, handover)
    answer = metering.texts(resources.exchange.answer, resources.meters)
    inbound = InboundWebhook(verifier(settings), answer)
    webhook = metering.webhook(inbound, resources.meters, metering.TEXT)
    links = Links(
        Codes(settings.secret_key),
        resources.destinations.find,
        resources.clicks,
        lambda: datetime.now(UTC),
        Pace(time.monotonic, MISSES, MISSES_PER_SECOND),
        own_host(settings.link_base_url, settings.public_base_url),
    )
    status = StatusWebhook(verifier(settings), Marks(settings.secret_key), resources.reports.submit)
    reports = metering.webhook(status, resources.meters, metering.STATUS)
    app = Assent({INBOUND_PATH: webhook, STATUS_PATH: reports}, links, settings.trusted_proxies)
    app.config.update(
        MAX_CONTENT_LENGTH=1024 * 1024, SECRET_KEY=settings.secret_key, TRUSTED_HOSTS=None
    )
    app.extensions["assent"] = resources
    app.add_url_rule(INBOUND_PATH, "inbound", _view(webhook), methods=["POST"])
    app.add_url_rule(STATUS_PATH, "status", _view(reports), methods=["POST"])
    app.before_request(_second_door(links))
    app.register_blueprint(health.blueprint(resources, time.time))
    app.register_blueprint(metrics.blueprint(resources, Pace(time.monotonic), time.time))
    app.register_blueprint(home.blueprint(settings))
    app.register_blueprint(checkpoints.blueprint(resources))
    app.register_blueprint(landing.blueprint(resources))
    app.register_blueprint(posters.blueprint(resources))
    app.register_blueprint(joining.blueprint(resources))
    app.register_blueprint(shopify.blueprint(resources))
    app.register_blueprint(tracking.blueprint())
    if settings.simulator:
        app.register_blueprint(explain.blueprint(resources))
        app.register_blueprint(recorded.blueprint(resources))
        app.register_blueprint(proxy.blueprint(settings))
    api.register(app, resources)
    app.after_request(_harden)
    return app


def _second_door(links: Links) -> Callable[[], Response | None]:
    """Links as Flask answers them: before its routes, which would merge slashes and redirect."""

    def link() -> Response | None:
        if not links.serves(request.environ):
            return None
        found = links(request.environ)
        return Response(found.body, found.status, headers=list(found.headers))

    return link


def verifier(settings: Settings) -> Verifier:
    """The signature check that these settings ask for."""
    tokens = [settings.twilio_auth_token]
    if settings.twilio_auth_token_previous:
        tokens.append(settings.twilio_auth_token_previous)
    return Verifier(
        settings.public_base_url,
        settings.twilio_account_sid,
        tokens,
        settings.twilio_webhook_shared_key,
    )


def _view(handler: Hot) -> Callable[[], Response]:
    """The same handler as an ordinary Flask view."""

    def webhook() -> Response:
        """A call from Twilio."""
        reply = handler(call_from(request.environ, request.get_data(cache=False)))
        return Response(reply.body, reply.status, content_type=reply.content_type)

    return webhook


def _harden(response: Response) -> Response:
    """Headers for every page; a page that needs more than nothing says so itself."""
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault(
        "Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"
    )
    return response
