"""The admin API: ``/api/v1``, its OpenAPI document and its docs page.

Each resource is a module with its views and a table ``OPERATIONS``; what is common to all of them
(keys, errors, repeated requests, pages) has modules of its own.
"""

from __future__ import annotations

import logging
import time
import traceback
from functools import cache
from typing import Any, Final

import psycopg
import sqlalchemy.exc
from apiflask import APIBlueprint, APIFlask
from flask import Blueprint, Response, jsonify, request

from bot.api import (
    bands,
    campaigns,
    conversions,
    coupons,
    disclosures,
    docs_page,
    evidence,
    form_breakers,
    growth,
    hygiene,
    imports,
    inbox,
    list_files,
    openapi,
    optins,
    oversight,
    placements,
    problems,
    programs,
    results,
    rights,
    segments,
    senders,
    subscribers,
    sunset,
    switches,
    webhooks,
)
from bot.api.door import Database
from bot.api.operation import Api
from bot.api.pace import Pace
from bot.api.problems import Kind, Problem

_LOG: Final = logging.getLogger(__name__)
_RESOURCES: Final = (
    programs,
    disclosures,
    coupons,
    placements,
    senders,
    subscribers,
    evidence,
    optins,
    form_breakers,
    segments,
    list_files,
    bands,
    sunset,
    campaigns,
    switches,
    conversions,
    results,
    growth,
    webhooks,
    imports,
    inbox,
    hygiene,
    oversight,
    rights,
)


def register(app: APIFlask, database: Database, pace: Pace | None = None) -> None:
    """Add the API to the service.

    ``database`` gives the sessions to work in; ``pace`` limits each key, see ``bot.api.pace``.
    """
    routes = APIBlueprint("api", __name__, url_prefix=openapi.PREFIX)
    api = Api(routes, database, pace or Pace(time.monotonic))
    for resource in _RESOURCES:
        for operation, view in resource.OPERATIONS:
            api.add(operation, view)
    routes.register_error_handler(sqlalchemy.exc.OperationalError, _away)
    routes.register_error_handler(psycopg.OperationalError, _away)
    routes.register_error_handler(Exception, _bug)
    problems.register(routes)
    problems.register(app)
    app.register_blueprint(routes)
    app.register_blueprint(_pages(app))
    app.config["AUTO_404_RESPONSE"] = False
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_AUTH_ERROR_RESPONSE"] = False
    app.spec_processor(openapi.complete)


def _away(_: Exception) -> Response:
    return Problem(Kind.UNAVAILABLE, headers={"Retry-After": "1"}).response()


def _bug(error: Exception) -> Response:
    """Log where a bug is, without any value: paths hold numbers, and so may an error's message."""
    trace = "".join(traceback.format_tb(error.__traceback__))
    _LOG.error("%s in %s %s\n%s", type(error).__name__, request.method, request.url_rule, trace)
    return Problem(Kind.INTERNAL).response()


def _pages(app: APIFlask) -> Blueprint:
    pages = Blueprint("api_pages", __name__, url_prefix="/api", static_folder="static")

    @cache
    def spec() -> dict[str, Any]:
        built = app.spec
        assert isinstance(built, dict)
        return built

    @pages.get("/openapi.json")
    def document() -> Response:
        """The OpenAPI document."""
        return jsonify(spec())

    @pages.get("/docs")
    def docs() -> Response:
        """The same for people."""
        policy = {"Content-Security-Policy": docs_page.POLICY}
        return Response(docs_page.page(spec()), headers=policy)

    return pages
