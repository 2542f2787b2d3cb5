"""The API alone on a private database with the demo shop, and keys for each scope."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from apiflask import APIFlask
from sqlalchemy.orm import Session, sessionmaker
from werkzeug.test import TestResponse

from bot import api
from bot.api.pace import Pace
from bot.demo import load_if_empty
from keywords.turn import Text
from storage import keys
from storage.conversation import Arrival, exchange
from storage.database import connect, engine, sessions
from storage.keys import Scope
from storage.shop import ShopCache
from storage.transaction import Handover, transaction
from tests.texting import new_sid

ANNA = "+14155550123"


@dataclass(frozen=True)
class Database:
    """What the API is given by the service."""

    sessions: sessionmaker[Session]
    home: Path = Path()
    shops: ShopCache = field(default_factory=ShopCache)
    phone_pepper: str = "a phone pepper of the tests, 32 b"
    secret_key: str = "a secret key of the tests, 32 b."
    link_prefix: str = "https://a.cm/"
    simulated: bool = False
    handover: Handover | None = None


@pytest.fixture
def database(database_url: str, tmp_path: Path) -> Iterator[Database]:
    """A database with the demo shop."""
    load_if_empty(database_url)
    pool = engine(database_url, "test", pool_size=4)
    yield Database(sessions(pool), tmp_path / "home")
    pool.dispose()


def make_app(database: Database, pace: Pace | None = None) -> APIFlask:
    """The API, and one page that is not part of it."""
    app = APIFlask(
        "tests", title="Assent", version="1", spec_path=None, docs_path=None, json_errors=False
    )
    api.register(app, database, pace)
    app.add_url_rule("/elsewhere", "elsewhere", lambda: "a page")
    return app


@pytest.fixture
def app(database: Database) -> APIFlask:
    """The application."""
    return make_app(database)


def make_key(database: Database, *scopes: Scope, name: str = "tests") -> str:
    """A key with these scopes."""
    with transaction(database.sessions) as work:
        return keys.create(work.session, name, scopes)[0]


@dataclass
class Client:
    """A client that sends a key; answers are parsed JSON beside their status."""

    app: APIFlask
    key: str | None
    headers: dict[str, str] = field(default_factory=dict)

    def send(self, method: str, path: str, **over: Any) -> TestResponse:
        """One request below ``/api/v1``."""
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        headers |= self.headers | over.pop("headers", {})
        url = path if path.startswith("/api/") else f"/api/v1/{path}"
        return self.app.test_client().open(url, method=method, headers=headers, **over)

    def get(self, path: str, status: int = 200, **over: Any) -> Any:
        """The JSON of a GET that answers ``status``."""
        return self._json(self.send("GET", path, **over), status)

    def post(self, path: str, body: Any, status: int = 200, **over: Any) -> Any:
        """The JSON of a POST that answers ``status``."""
        return self._json(self.send("POST", path, json=body, **over), status)

    def put(self, path: str, body: Any, status: int = 200) -> Any:
        """The JSON of a PUT that answers ``status``."""
        return self._json(self.send("PUT", path, json=body), status)

    def patch(self, path: str, body: Any, status: int = 200) -> Any:
        """The JSON of a PATCH that answers ``status``."""
        return self._json(self.send("PATCH", path, json=body), status)

    def _json(self, response: TestResponse, status: int) -> Any:
        assert response.status_code == status, response.get_data(as_text=True)
        if status >= 400:
            assert response.content_type == "application/problem+json"
        return response.get_json(force=True)


@pytest.fixture
def client(app: APIFlask, database: Database) -> Client:
    """A client that may do everything."""
    return Client(app, make_key(database, Scope.ADMIN, name="boss"))


@pytest.fixture
def text(database_url: str, database: Database) -> Callable[..., str]:
    """Have somebody send texts to the demo's short code; answers the last MessageSid."""

    def send(*bodies: str, phone: str = ANNA, sid: str | None = None) -> str:
        last = ""
        with connect(database_url, "test") as connection:
            for body in bodies:
                last = sid or new_sid()
                arrival = Arrival(Text(last, phone, "54321", body), phone, b"raw")
                exchange(connection, ShopCache(), [arrival])
        return last

    return send


def fields(problem: Any) -> set[str]:
    """The fields that a problem names."""
    return {error["field"] for error in problem["errors"]}
