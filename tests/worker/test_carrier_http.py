"""The SDK's HTTP client: where requests go, what is told of a failure, and that nothing repeats."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, jsonify, request
from twilio.rest import Client

from tests.bot.simulator.service import ACCOUNT, TOKEN, Live, serving
from worker.carrier_http import CarrierHttpClient, NoAnswer, NotSent

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


@pytest.fixture
def requests_seen() -> list[dict[str, Any]]:
    """What the echoing carrier was sent."""
    return []


@pytest.fixture
def echo(requests_seen: list[dict[str, Any]]) -> Iterator[Live]:
    """A carrier that remembers each request and answers like Twilio."""
    app = Flask("echo")

    @app.route("/<path:path>", methods=["GET", "POST"])
    def anything(path: str) -> Any:
        requests_seen.append(
            {
                "path": path,
                "query": request.query_string.decode(),
                "form": request.form.to_dict(flat=False),
                "auth": request.authorization,
                "host": request.host,
            }
        )
        return jsonify({"sid": "SM" + "0" * 32, "status": "queued"}), 201

    yield from serving(app)


@pytest.fixture
def http(echo: Live) -> Iterator[CarrierHttpClient]:
    """The client under test, pointed at the echoing carrier."""
    client = CarrierHttpClient(f"{echo.url}/")
    yield client
    client.close()


def test_the_sdk_reaches_another_host_through_the_base_url(
    http: CarrierHttpClient, requests_seen: list[dict[str, Any]], echo: Live
) -> None:
    """Path, form and credentials arrive unchanged; scheme and host are replaced."""
    Client(ACCOUNT, TOKEN, http_client=http).messages.create(
        to="+14155550123",
        from_="54321",
        body="50 % off & more: 1+1=2 ñ 🎉",
        media_url=["https://a.example/1.jpg", "https://a.example/2.jpg"],
    )

    seen = requests_seen[0]
    assert seen["path"] == f"2010-04-01/Accounts/{ACCOUNT}/Messages.json"
    assert seen["host"] == f"127.0.0.1:{echo.port}"
    assert (seen["auth"].username, seen["auth"].password) == (ACCOUNT, TOKEN)
    assert seen["form"] == {
        "To": ["+14155550123"],
        "From": ["54321"],
        "Body": ["50 % off & more: 1+1=2 ñ 🎉"],
        "MediaUrl": ["https://a.example/1.jpg", "https://a.example/2.jpg"],
    }


@pytest.mark.parametrize(
    ("uri", "params", "expected"),
    [
        pytest.param("https://api.twilio.com/a", None, "", id="no-query"),
        pytest.param("https://api.twilio.com/a", {"To": "+1 5"}, "To=%2B1+5", id="params"),
        pytest.param("https://api.twilio.com/a?Page=2", None, "Page=2", id="a-page-url"),
        pytest.param("https://api.twilio.com/a?Page=2", {"x": 1}, "Page=2&x=1", id="both"),
        pytest.param("https://api.twilio.com/a", {"x": None}, "", id="none-is-left-out"),
    ],
)
def test_the_query_is_kept(
    http: CarrierHttpClient,
    requests_seen: list[dict[str, Any]],
    uri: str,
    params: dict[str, object] | None,
    expected: str,
) -> None:
    """Parameters join those that the SDK's page links carry already."""
    http.request("get", uri, params=params)

    assert requests_seen[0]["query"] == expected


def test_a_carrier_that_is_not_there_has_seen_nothing() -> None:
    """A refused connection is NotSent: the text may be tried again."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    client = CarrierHttpClient(f"http://127.0.0.1:{port}")

    with pytest.raises(NotSent):
        client.request("POST", "https://api.twilio.com/x", data={"Body": "hi"})


def test_a_connection_that_breaks_is_no_answer_and_is_not_repeated() -> None:
    """The request arrived once, the answer did not: NoAnswer, and never a second request."""
    with _Listener(lambda connection: connection.close()) as carrier:
        client = CarrierHttpClient(carrier.url)
        with pytest.raises(NoAnswer):
            client.request("POST", "https://api.twilio.com/x", data={"Body": "hi"})
        client.close()

    assert carrier.accepted == 1


def test_a_carrier_that_hangs_is_no_answer_when_the_time_is_over() -> None:
    """The caller's own timeout replaces the eight seconds."""
    with _Listener(lambda connection: None) as carrier:
        client = CarrierHttpClient(carrier.url)
        with pytest.raises(NoAnswer):
            client.request("POST", "https://api.twilio.com/x", data={}, timeout=0.2)
        client.close()

    assert carrier.accepted == 1


@pytest.mark.parametrize(
    "base_url",
    ["", "127.0.0.1:8001", "ftp://carrier.example", "http://"],
    ids=["empty", "no-scheme", "ftp", "no-host"],
)
def test_a_base_url_that_is_none_is_refused(base_url: str) -> None:
    """A wrong setting is found at start, not with the first text."""
    with pytest.raises(ValueError, match="base URL must begin with http"):
        CarrierHttpClient(base_url)


class _Listener:
    """A socket that takes each connection, reads the request, and does one thing with it."""

    def __init__(self, then: Callable[[socket.socket], None]) -> None:
        self._then = then
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(0.05)
        self._open: list[socket.socket] = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._accept)
        self.accepted = 0
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> _Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for connection in [*self._open, self._listener]:
            connection.close()

    def _accept(self) -> None:
        while not self._stop.is_set():
            try:
                connection, _ = self._listener.accept()
            except TimeoutError:
                continue
            connection.settimeout(5)
            self.accepted += 1
            self._open.append(connection)
            connection.recv(65_536)
            self._then(connection)
