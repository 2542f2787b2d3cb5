"""HTTP/1.1 over one kept socket: what a thousand calls to the carrier a second leave room for.

Only what an API client needs: a request with a body, an answer with a length, in chunks or until
the end, and the difference between "never arrived" and "may have arrived". http.client parses each
header as an e-mail's, which costs more than everything else here together.
"""

from __future__ import annotations

import select
import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult

CONNECT_S: Final = 2.0
# A server ends idle connections when it likes; one that was idle for longer is not trusted.
IDLE_S: Final = 20.0
_LARGEST_HEAD: Final = 64 * 1024
_LARGEST_BODY: Final = 8 * 1024 * 1024
_PIECE: Final = 64 * 1024
_WITHOUT_BODY: Final = frozenset({204, 304})
_CONTINUE: Final = range(100, 200)
_PORTS: Final = {"http": 80, "https": 443}


class Unreached(OSError):
    """No connection was made: the server has not seen a request."""


class Broken(OSError):
    """The connection ended, or what came is not HTTP: the request may have arrived."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said. Names of headers are in small letters; the last of a name counts."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Wire:
    """One connection to one server, made when it is wanted. For one thread at a time."""

    def __init__(self, server: SplitResult, context: ssl.SSLContext | None) -> None:
        self._host = server.hostname or ""
        self._port = server.port or _PORTS[server.scheme]
        self._context = context if server.scheme == "https" else None
        self._socket: socket.socket | None = None
        self._used = 0.0
        self._buffer = b""

    def exchange(self, request: bytes, timeout: float) -> Answer:
        """Send a whole request and read its answer, ``timeout`` seconds for both.

        Raises :class:`Unreached`, or :class:`Broken`; TimeoutError for no answer in time.
        """
        connection = self._connected()
        deadline = time.monotonic() + timeout
        try:
            connection.settimeout(timeout)
            connection.sendall(request)
            answer, keep = self._read(connection, deadline)
        except BaseException:
            self.close()
            raise
        if keep:
            self._used = time.monotonic()
        else:
            self.close()
        return answer

    def close(self) -> None:
        """Let the connection go."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        self._buffer = b""

    def _connected(self) -> socket.socket:
        """The kept connection if it is still good, else a new one."""
        if self._socket is not None:
            fresh = time.monotonic() - self._used < IDLE_S
            if fresh and not self._buffer and not _readable(self._socket):
                return self._socket
            self.close()
        self._socket = self._connect()
        return self._socket

    def _connect(self) -> socket.socket:
        deadline = time.monotonic() + CONNECT_S
        try:
            places = socket.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise Unreached("The server's name is not known.") from error
        for family, kind, protocol, _, place in places:
            left = deadline - time.monotonic()
            if left <= 0:
                break
            made = socket.socket(family, kind, protocol)
            try:
                made.settimeout(left)
                made.connect(place)
                made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if self._context is None:
                    return made
                made.settimeout(max(deadline - time.monotonic(), 0.1))
                return self._context.wrap_socket(made, server_hostname=self._host)
            except OSError:
                made.close()
        raise Unreached("No connection was made.")

    def _read(self, connection: socket.socket, deadline: float) -> tuple[Answer, bool]:
        """The answer, and whether the connection may be used again."""
        while True:
            status, version, headers = _head(self._until(connection, b"\r\n\r\n", deadline))
            if status not in _CONTINUE:
                break
        said = headers.get("connection", "").lower()
        keep = said != "close" if version == "HTTP/1.1" else said == "keep-alive"
        if status in _WITHOUT_BODY:
            return Answer(status, headers, b""), keep
        if headers.get("transfer-encoding", "").lower() == "chunked":
            return Answer(status, headers, self._chunks(connection, deadline)), keep
        length = headers.get("content-length")
        if length is None:
            return Answer(status, headers, self._rest(connection, deadline)), False
        if not length.isdecimal() or int(length) > _LARGEST_BODY:
            raise Broken("The answer's length cannot be right.")
        return Answer(status, headers, self._exactly(connection, int(length), deadline)), keep

    def _chunks(self, connection: socket.socket, deadline: float) -> bytes:
        pieces = []
        while True:
            line = self._until(connection, b"\r\n", deadline)
            try:
                size = int(line.partition(b";")[0], 16)
            except ValueError as error:
                raise Broken("A chunk without a size.") from error
            if not size:
                break
            pieces.append(self._exactly(connection, size, deadline))
            if self._exactly(connection, 2, deadline) != b"\r\n":
                raise Broken("A chunk of another size.")
        while self._until(connection, b"\r\n", deadline):
            pass  # trailers
        return b"".join(pieces)

    def _until(self, connection: socket.socket, end: bytes, deadline: float) -> bytes:
        """What comes before ``end``, which is taken too."""
        while end not in self._buffer:
            if len(self._buffer) > _LARGEST_HEAD:
                raise Broken("The answer's head is too long.")
            self._buffer += _receive(connection, deadline)
        found, _, self._buffer = self._buffer.partition(end)
        return found

    def _exactly(self, connection: socket.socket, size: int, deadline: float) -> bytes:
        if size > _LARGEST_BODY:
            raise Broken("The answer is too long.")
        while len(self._buffer) < size:
            self._buffer += _receive(connection, deadline)
        found, self._buffer = self._buffer[:size], self._buffer[size:]
        return found

    def _rest(self, connection: socket.socket, deadline: float) -> bytes:
        """All that comes until the server ends the connection."""
        while len(self._buffer) <= _LARGEST_BODY:
            try:
                self._buffer += _receive(connection, deadline)
            except Broken:
                return self._buffer
        raise Broken("The answer is too long.")


def _readable(connection: socket.socket) -> bool:
    """Something to read on an idle connection: its end, or an answer that nobody asked for."""
    if isinstance(connection, ssl.SSLSocket) and connection.pending():
        return True
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


def _receive(connection: socket.socket, deadline: float) -> bytes:
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)
    piece = connection.recv(_PIECE)
    if not piece:
        raise Broken("The connection ended.")
    return piece


def _head(head: bytes) -> tuple[int, str, dict[str, str]]:
    """Status, version and headers. Raises :class:`Broken` for what is not HTTP."""
    lines = head.decode("latin-1").split("\r\n")
    version, _, rest = lines[0].partition(" ")
    status = rest[:3]
    if not version.startswith("HTTP/1.") or not status.isdecimal():
        raise Broken("The answer is not HTTP.")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return int(status), version, headers
