"""A whole street: the service, the simulator with its phones and its shop, and those who work.

Everything is real and listens on ports of its own, as under ``make run``; what the workers and the
ticker do there by themselves is done here when a test says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from wsgiref.types import WSGIApplication

import requests

from bot.app import Assent, create_app
from bot.demo import load_if_empty
from bot.demo_key import ensure_key
from bot.resources import Resources
from bot.simulator.app import build
from bot.simulator.config import from_settings
from storage.database import Connection, connect
from storage.settings import Settings
from tests import campaigns
from tests.bot.simulator.service import Live
from tests.worker.campaigns.conftest import send
from worker.campaigns import sweeps
from worker.campaigns.desk import Desk, desk_of
from worker.campaigns.planning import plan_launched
from worker.clicks import ClickDrain
from worker.reports import Reports
from worker.runtime import Runtime

_PATIENCE_S = 30.0
_ON_THE_WAY = "SELECT FROM recipients WHERE state = 'accepted' AND delivered_at IS NULL"
ANNA = "+14155550123"
OFFICE = "/simulator/shop/office"


@dataclass
class Later:
    """A WSGI application whose address must be known before it can be made."""

    made: list[WSGIApplication] = field(default_factory=list)

    def __call__(self, environ: Any, start: Any) -> Any:
        """What the application answers."""
        return self.made[-1](environ, start)


@dataclass
class Street:
    """The service's address, its database, and the hands of its workers."""

    url: str
    settings: Settings
    connection: Connection
    resources: Resources
    desk: Desk
    reports: Reports = field(default_factory=Reports)

    def text(self, body: str, phone: str = ANNA) -> list[str]:
        """A phone texts the short code; the replies."""
        answer = self.post("/simulator/texts", {"from": phone, "to": "54321", "body": body})
        return [reply["body"] for reply in answer["replies"]]

    def texts(self, phone: str = ANNA) -> list[dict[str, Any]]:
        """What is on a phone, oldest first."""
        items: list[dict[str, Any]] = self.get(f"/simulator/phones/{phone}/messages")["items"]
        return items

    def join(self, phone: str = ANNA) -> None:
        """Somebody agrees, and lives where it is noon."""
        self.text("JOIN", phone)
        self.text("YES", phone)
        self.connection.execute(
            "INSERT INTO profiles (subscriber_id, time_zone, place_source)"
            " SELECT id, %s, 'profile' FROM subscribers WHERE phone = %s",
            (campaigns.noon(), phone),
        )

    def work(self) -> None:
        """What the workers and the ticker do: plan, send, hear what was delivered."""
        plan_launched(self.connection, self.settings, float("inf"))
        send(self.desk)
        sweeps.tidy(self.connection)
        until = time.monotonic() + _PATIENCE_S
        while self.rows(_ON_THE_WAY) and time.monotonic() < until:
            self.reports.apply(self.connection, self.resources.shops)
            time.sleep(0.02)

    def a_minute_passes(self) -> None:
        """So that whoever taps now has had time to read."""
        self.connection.execute(
            "UPDATE recipients SET settled_at = settled_at - interval '1 minute',"
            " delivered_at = delivered_at - interval '1 minute'"
        )

    def drain(self) -> None:
        """Bring the log of clicks into the database."""
        ClickDrain(self.settings.home).run(self.connection)

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows, to count by hand."""
        return self.connection.execute(statement, values).fetchall()

    def get(self, path: str) -> Any:
        """JSON from the service's port."""
        answer = requests.get(self.url + path, timeout=20)
        answer.raise_for_status()
        return answer.json()

    def post(self, path: str, values: dict[str, Any]) -> Any:
        """The same, posted."""
        answer = requests.post(self.url + path, json=values, timeout=20)
        answer.raise_for_status()
        return answer.json()


@contextmanager
def opened(settings: Settings, database_url: str, redis_url: str) -> Iterator[Street]:
    """The street, with the demo shop and its key."""
    load_if_empty(database_url)
    front, back = Later(), Later()
    service, carrier = Live(front), Live(back)
    ours = replace(
        settings,
        database_url=database_url,
        redis_url=redis_url,
        port=service.port,
        simulator_port=carrier.port,
        public_base_url=service.url,
        link_base_url=service.url,
        twilio_api_base_url=carrier.url,
    )
    simulator = build(replace(from_settings(ours), folder=None))
    back.made.append(simulator)
    app: Assent = create_app(ours)
    front.made.append(app)
    resources: Resources = app.extensions["assent"]
    with resources.work() as work:
        ensure_key(work, ours.home)
    runtime = Runtime(ours, "test worker")
    try:
        with connect(database_url, "test") as connection:
            yield Street(service.url, ours, connection, resources, desk_of(runtime))
    finally:
        runtime.close()
        service.close()
        carrier.close()
        simulator.extensions["carrier"].close()
        resources.close()
