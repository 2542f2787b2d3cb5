"""Is the process alive, and may it take work? ``/livez`` and ``/readyz``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import redis
import sqlalchemy.exc
from flask import Blueprint, Response, jsonify
from sqlalchemy import text

from bot.resources import Resources
from storage.migrate import newest

CLOCK_SKEW_S: Final = 2.0
_STATE: Final = """
SELECT (SELECT version_num FROM alembic_version), pg_is_in_recovery(),
       extract(epoch FROM clock_timestamp())
"""
_HELD: Final = "SELECT EXISTS (SELECT FROM instance WHERE held_since IS NOT NULL)"


def blueprint(resources: Resources, clock: Callable[[], float]) -> Blueprint:
    """The two routes. ``clock`` gives this machine's seconds since 1970."""
    routes = Blueprint("health", __name__)

    @routes.get("/livez")
    def livez() -> Response:
        """The process answers."""
        return jsonify({"status": "ok"})

    @routes.get("/readyz")
    def readyz() -> tuple[Response, int]:
        """Texts can be taken: PostgreSQL writes, the schema is ours, the clocks agree.

        Valkey away is "degraded" and still ready, because STOP must keep working without it. So is
        a database that was restored and that nobody has confirmed: it answers, and sends nothing.
        """
        checks = {"postgresql": _postgresql(resources, clock), "valkey": _valkey(resources)}
        if checks["postgresql"] == "ok":
            checks["instance"] = _instance(resources)
        return _report(checks)

    return routes


def _report(checks: Mapping[str, str]) -> tuple[Response, int]:
    ready = checks["postgresql"] == "ok"
    status = "ok" if set(checks.values()) == {"ok"} else "degraded" if ready else "not ready"
    return jsonify({"status": status, "checks": checks}), 200 if ready else 503


def _postgresql(resources: Resources, clock: Callable[[], float]) -> str:
    try:
        with resources.pool.connect() as connection:
            revision, standby, now = connection.execute(text(_STATE)).one()
    except sqlalchemy.exc.OperationalError:
        return "away"
    except sqlalchemy.exc.ProgrammingError:
        return "not migrated"
    if revision != newest():
        return "not migrated"
    if standby:
        return "read-only"
    return "ok" if abs(clock() - float(now)) <= CLOCK_SKEW_S else "clocks differ by more than 2 s"


def _instance(resources: Resources) -> str:
    with resources.pool.connect() as connection:
        held = connection.execute(text(_HELD)).scalar_one()
    return "sends nothing until it is confirmed" if held else "ok"


def _valkey(resources: Resources) -> str:
    url = resources.settings.redis_url
    if url is None:
        return "not configured"
    try:
        with redis.Redis.from_url(url, socket_timeout=1, socket_connect_timeout=1) as client:
            client.ping()
    except redis.RedisError:
        return "away"
    return "ok"
