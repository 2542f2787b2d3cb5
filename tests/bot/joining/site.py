"""The demo shop's forms, as a browser without scripts uses them, with a clock that can be moved."""

from __future__ import annotations

import html
import json
import re
from dataclasses import dataclass, field, replace
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from bot.app import Assent
from bot.demo import PROGRAMS
from bot.resources import Resources
from storage.database import connect
from storage.shop import save_program
from storage.transaction import transaction

ANNA, BEN = "+14155550123", "+12125550124"
FIRST, SECOND = "(415) 555-0123", "(212) 555-0124"
GROWN_UP = {"month": "2", "day": "29", "year": "1996"}


def token_in(page: str) -> str:
    """The token of a form."""
    found = re.search(r'name="token" value="([^"]*)"', page)
    assert found is not None
    return html.unescape(found[1])


@dataclass
class Site:
    """The service as a visitor sees it. ``headers`` go with every request, from ``address``."""

    app: Assent
    url: str
    headers: dict[str, str] = field(default_factory=dict)
    address: str = "127.0.0.1"

    @property
    def resources(self) -> Resources:
        """What the service owns."""
        resources: Resources = self.app.extensions["assent"]
        return resources

    @property
    def client(self) -> FlaskClient:
        """A browser that has never been here: it keeps nothing between requests."""
        return self.app.test_client(use_cookies=False)

    def get(self, path: str, **headers: str) -> TestResponse:
        """Open an address."""
        return self.client.get(path, headers=self.headers | headers)

    def token(self, path: str = "/join/deals", **headers: str) -> str:
        """Open a form, and wait until it may be sent."""
        answer = self.get(path, **headers)
        assert answer.status_code == 200
        token = token_in(answer.text)
        self.wait(3)
        return token

    def tokens(self, count: int, path: str = "/join/deals") -> list[str]:
        """Open so many forms, and wait until they may be sent."""
        tokens = [token_in(self.get(path).text) for _ in range(count)]
        self.wait(3)
        return tokens

    def post(self, path: str = "/join/deals", **fields: str) -> TestResponse:
        """Send a form; without other wishes a proper one of Anna's."""
        usual = {"phone": FIRST, "country": "US", "agree": "yes"}
        base = {"REMOTE_ADDR": self.address}
        return self.client.post(path, data=usual | fields, headers=self.headers, environ_base=base)

    def send(self, path: str = "/join/deals", **fields: str) -> TestResponse:
        """Open a form and send it."""
        return self.post(path, token=self.token(path), **fields)

    def wait(self, seconds: float) -> None:
        """Let time pass for everybody: the database's clock is the one that counts."""
        with connect(self.url, "test", role=None) as connection:
            ((name, before),) = connection.execute(
                "SELECT current_database(),"
                " coalesce(nullif(current_setting('assent.clock_offset', true), ''), '0')::interval"
            ).fetchall()
            total = before.total_seconds() + seconds
            connection.execute(f"ALTER DATABASE {name} SET assent.clock_offset = '{total} seconds'")
        self.resources.pool.dispose()

    def change(self, slug: str, **settings: Any) -> None:
        """Publish the next version of a program of the demo."""
        program = next(p for p in PROGRAMS if p.slug == slug)
        with transaction(self.resources.sessions) as work:
            save_program(work.session, replace(program, **settings))

    def rows(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        """What a query finds."""
        with self.resources.work() as work:
            return work.connection.execute(statement, values or None).fetchall()

    def state(self, phone: str = ANNA, program: str = "deals") -> str | None:
        """Where a number stands."""
        found = self.rows(
            "SELECT t.state FROM subscriptions t JOIN subscribers s ON s.id = t.subscriber_id"
            " WHERE s.phone = %s AND t.program = %s",
            phone,
            program,
        )
        return str(found[0][0]) if found else None

    def questions(self) -> list[str]:
        """The bodies of the questions that were queued."""
        return [b for (b,) in self.rows("SELECT body FROM messages WHERE kind = 'confirmation'")]

    def evidence(self) -> dict[str, Any]:
        """The evidence of the one request to join."""
        ((kept,),) = self.rows(
            "SELECT v.evidence FROM consent_evidence v JOIN consent_events e USING (event)"
            " WHERE e.change = 'optin_requested'"
        )
        read: dict[str, Any] = json.loads(bytes(kept))
        return read

    def outcomes(self) -> dict[str, int]:
        """How often forms ended in which way."""
        found = self.rows("SELECT outcome, sum(count)::int FROM form_outcomes GROUP BY outcome")
        return {str(outcome): int(count) for outcome, count in found}
