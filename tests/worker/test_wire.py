"""HTTP on a kept socket, against servers that say whatever the test wants, in any pieces."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from urllib.parse import urlsplit

import pytest

from worker import wire
from worker.wire import Answer, Broken, Unreached, Wire

REQUEST = b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nhi"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Server(threading.Thread):
    """Answers each request with the next of its scripts; None ends the connection instead."""

    def __init__(self, scripts: list[list[bytes] | None]) -> None:
        super().__init__(daemon=True)
        self.scripts = scripts
        self.connections = 0
        self.requests = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.start()

    def run(self) -> None:
        """Serve until the listener is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            with connection, contextlib.suppress(OSError):
                self._serve(connection)

    def _serve(self, connection: socket.socket) -> None:
        while self.scripts:
            if not connection.recv(65_536):
                return
            self.requests += 1
            script = self.scripts.pop(0)
            if script is None:
                return
            for piece in script:
                connection.sendall(piece)
                time.sleep(0.01 if len(script) > 1 else 0)

    def close(self) -> None:
        """Stop."""
        self._listener.close()


Open = Callable[..., tuple[Server, Wire]]


@pytest.fixture
def opened() -> Iterator[Open]:
    """Makes a server with scripts, and a wire to it."""
    with ExitStack() as stack:

        def make(*scripts: list[bytes] | None) -> tuple[Server, Wire]:
            server = Server(list(scripts))
            stack.callback(server.close)
            made = Wire(urlsplit(server.url), None)
            stack.callback(made.close)
            return server, made

        yield make


def chunks(*parts: bytes, trailer: bytes = b"") -> bytes:
    """An answer in chunks."""
    body = b"".join(b"%x;x=1\r\n%s\r\n" % (len(part), part) for part in parts)
    return (
        b"HTTP/1.1 201 Created\r\nTransfer-Encoding: chunked\r\n\r\n"
        + body
        + b"0\r\n"
        + (trailer + b"\r\n")
    )


@pytest.mark.parametrize(
    ("answer", "status", "body"),
    [
        pytest.param(OK, 200, b"ok", id="length"),
        pytest.param(OK.replace(b"Content-Length", b"CONTENT-LENGTH"), 200, b"ok", id="capitals"),
        pytest.param(chunks(b"one ", b"two"), 201, b"one two", id="chunks"),
        pytest.param(chunks(b"one", trailer=b"X: y\r\n"), 201, b"one", id="a trailer"),
        pytest.param(b"HTTP/1.1 204 No Content\r\n\r\n", 204, b"", id="no content"),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, 200, b"ok", id="continue first"),
        pytest.param(b"HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n", 503, b"", id="no reason"),
    ],
)
@pytest.mark.parametrize("size", [1, 7, 10_000], ids=["bytes", "pieces", "whole"])
def test_an_answer_is_read_however_it_comes(
    opened: Open, answer: bytes, status: int, body: bytes, size: int
) -> None:
    """In one piece or byte by byte, and the connection is kept for the next one."""
    pieces = [answer[i : i + size] for i in range(0, len(answer), size)]
    server, line = opened(pieces, [OK])
    found = line.exchange(REQUEST, 10)
    assert (found.status, found.body) == (status, body)
    assert line.exchange(REQUEST, 5).body == b"ok"
    assert server.connections == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok", id="c"
        ),
        pytest.param(b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok", id="1.0"),
    ],
)
def test_a_server_that_will_not_keep_the_connection_gets_a_new_one(
    opened: Open, answer: bytes
) -> None:
    """Whoever says so, or speaks HTTP/1.0."""
    server, line = opened([answer])
    line.exchange(REQUEST, 5)
    time.sleep(0.05)
    server.scripts.append([OK])
    assert line.exchange(REQUEST, 5).body == b"ok"
    assert server.connections == 2


def test_an_answer_without_a_length_ends_with_the_connection(opened: Open) -> None:
    """And the next request makes a new one."""
    server, line = opened([b"HTTP/1.1 200 OK\r\n\r\nall of it"])
    assert line.exchange(REQUEST, 5) == Answer(200, {}, b"all of it")
    server.scripts.append([OK])
    assert line.exchange(REQUEST, 5).body == b"ok"


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"SMTP 220 hello\r\n\r\n", id="another protocol"),
        pytest.param(b"HTTP/1.1 abc\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: many\r\n\r\n", id="no number"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n", id="a huge one"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", id="no size"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nokay\r\n", id="wrong size"
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000, id="an endless head"),
    ],
)
def test_what_is_not_http_is_broken(opened: Open, answer: bytes) -> None:
    """The request may have arrived, so it is nobody's business to send it again."""
    _, line = opened([answer])
    with pytest.raises(Broken):
        line.exchange(REQUEST, 5)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param(None, id="before the answer"),
        pytest.param([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nok"], id="in its middle"),
    ],
)
def test_a_connection_that_ends_is_broken(opened: Open, script: list[bytes] | None) -> None:
    """And never repeated: the server has seen one request."""
    server, line = opened(script)
    with pytest.raises(Broken):
        line.exchange(REQUEST, 5)
    assert server.requests == 1


def test_a_kept_connection_that_the_server_has_ended_is_not_used(opened: Open) -> None:
    """It is seen before the request is written, so nothing is in doubt."""
    server, line = opened([OK])
    line.exchange(REQUEST, 5)
    time.sleep(0.1)
    server.scripts.append([OK])
    assert line.exchange(REQUEST, 5).body == b"ok"
    assert (server.connections, server.requests) == (2, 2)


def test_a_connection_that_was_idle_for_long_is_not_trusted(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server may be ending it at this moment."""
    server, line = opened([OK], [OK])
    line.exchange(REQUEST, 5)
    monkeypatch.setattr(wire, "IDLE_S", 0.0)
    line.exchange(REQUEST, 5)
    assert server.connections == 2


def test_time_is_counted_over_the_whole_answer(opened: Open) -> None:
    """A server that drips byte by byte does not get eight seconds for each."""
    _, line = opened([OK[i : i + 1] for i in range(len(OK))])
    started = time.monotonic()
    with pytest.raises(TimeoutError):
        line.exchange(REQUEST, 0.2)
    assert time.monotonic() - started < 4


@pytest.mark.parametrize("host", ["127.0.0.1", "nowhere.invalid"])
def test_without_a_connection_nothing_has_arrived(host: str) -> None:
    """Refused, or a name that nobody knows."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(Unreached):
        Wire(urlsplit(f"http://{host}:{port}"), None).exchange(REQUEST, 5)


def test_a_certificate_that_nobody_vouches_for_is_no_connection(opened: Open) -> None:
    """TLS fails before a request is written."""
    server, _ = opened([OK])
    port = urlsplit(server.url).port
    with pytest.raises(Unreached):
        Wire(urlsplit(f"https://127.0.0.1:{port}"), ssl.create_default_context()).exchange(
            REQUEST, 5
        )
