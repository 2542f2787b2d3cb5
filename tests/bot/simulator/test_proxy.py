"""The simulator on the service's own port."""

from __future__ import annotations

import socket
import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

import pytest
import requests
from flask import Flask, Response, request

from bot.simulator.proxy import blueprint
from tests.bot.simulator.service import Live, serving

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.settings import Settings
    from tests.bot.simulator.service import StubService


def _front(port: int, stub: StubService | None = None) -> Flask:
    """A service that passes /simulator/… on to a port."""
    app = stub.app() if stub else Flask("front")
    app.register_blueprint(blueprint(cast("Settings", SimpleNamespace(simulator_port=port))))
    return app


@pytest.fixture
def front(simulator: Live, stub: StubService) -> Iterator[Live]:
    """A live service in front of a live simulator."""
    yield from serving(_front(simulator.port, stub))


def test_a_text_goes_through_and_comes_back(front: Live, browserless: requests.Session) -> None:
    """The contract: every call answers on the service's own port."""
    text = {"from": "+14155550123", "to": "54321", "body": "JOIN"}
    sent = browserless.post(f"{front.url}/simulator/texts", json=text)
    read = browserless.get(f"{front.url}/simulator/phones/+14155550123/messages?with=54321")

    assert sent.status_code == 201
    assert [item["body"] for item in read.json()["items"]] == ["JOIN", "You said: JOIN"]
    assert "ETag" in read.headers


def test_the_page_keeps_its_headers(front: Live, browserless: requests.Session) -> None:
    """Content type and content security policy pass through."""
    page = browserless.get(f"{front.url}/simulator/")
    script = browserless.get(f"{front.url}/simulator/static/main.js")

    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "unsafe" not in page.headers["Content-Security-Policy"]
    assert script.headers["Content-Type"].startswith("text/javascript")
    assert script.headers["X-Content-Type-Options"] == "nosniff"


def test_errors_pass_through(front: Live, browserless: requests.Session) -> None:
    """A bad text is still a problem that names its field."""
    answer = browserless.post(f"{front.url}/simulator/texts", json={"from": "x"})

    assert answer.status_code == 422
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_the_services_own_routes_are_not_shadowed(
    front: Live, browserless: requests.Session
) -> None:
    """Senders and explanations are the service's, whichever was registered first."""
    found = browserless.get(f"{front.url}/simulator/senders").json()

    assert found["items"][0]["number"] == "54321"


@pytest.mark.parametrize("path", ["senders", "explanations/SM0"])
def test_the_services_own_routes_are_never_passed_on(path: str) -> None:
    """Without the service's routes they are simply not there."""
    answer = _front(1).test_client().get(f"/simulator/{path}")

    assert answer.status_code == 404


@pytest.mark.parametrize("path", ["", "texts", "phones"])
def test_a_simulator_that_is_down_is_one_sentence(path: str) -> None:
    """502 with what to do."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]

    answer = _front(port).test_client().get(f"/simulator/{path}")

    assert answer.status_code == 502
    assert answer.content_type == "application/problem+json"
    assert answer.get_json(force=True)["title"] == "The simulator is not running"


def test_slow_phones_never_take_every_thread() -> None:
    """Twenty-four wait at once; the next is told at once to come back, and then all are served."""
    release = threading.Event()
    inside = threading.Semaphore(0)
    slow = Flask("slow")

    @slow.get("/simulator/phones")
    def wait() -> Response:
        inside.release()
        release.wait(10)
        return Response("{}")

    back = Live(slow)
    app = _front(back.port)
    answers: list[int] = []

    def ask() -> None:
        answers.append(app.test_client().get("/simulator/phones").status_code)

    threads = [threading.Thread(target=ask) for _ in range(24)]
    for thread in threads:
        thread.start()
    for _ in threads:
        assert inside.acquire(timeout=10)
    refused = app.test_client().get("/simulator/phones")
    release.set()
    for thread in threads:
        thread.join()
    later = app.test_client().get("/simulator/phones")
    back.close()

    assert refused.status_code == 503
    assert refused.headers["Retry-After"] == "1"
    assert answers == [200] * 24
    assert later.status_code == 200


def test_what_is_passed_on_is_chosen(stub: StubService) -> None:
    """Cookies and credentials of the service's users never reach the simulator."""
    seen: list[dict[str, str]] = []
    back = Flask("back")

    @back.get("/simulator/phones")
    def headers() -> str:
        seen.append(dict(request.headers))
        return "{}"

    live = Live(back)
    private = {"Cookie": "session=1", "Authorization": "Bearer key", "If-None-Match": '"7"'}
    client = _front(live.port).test_client(use_cookies=False)
    client.get("/simulator/phones?a=b%20c", headers=private)
    live.close()

    assert seen[0]["If-None-Match"] == '"7"'
    assert not {"Cookie", "Authorization"} & seen[0].keys()
