"""How the Twilio SDK reaches the carrier: one lean HTTP client, for Twilio and the simulator."""

from __future__ import annotations

import logging
import ssl
import threading
from base64 import b64encode
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urlsplit

from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response

from worker.wire import Unreached, Wire

if TYPE_CHECKING:
    from collections.abc import Mapping

TWILIO_API: Final = "https://api.twilio.com"
_READ_SECONDS: Final = 8.0
_FORM: Final = "application/x-www-form-urlencoded"


class NotSent(TwilioException):  # type: ignore[misc]
    """No connection was made: the carrier has not seen the request, it may be sent again."""


class NoAnswer(TwilioException):  # type: ignore[misc]
    """The request may have arrived, the answer did not: never send it again blindly."""


class CarrierHttpClient(HttpClient):  # type: ignore[misc]
    """The SDK's requests, sent to ``base_url`` in place of Twilio's own host.

    Two seconds to connect, eight to answer, and no retry of any kind: whether a text may be sent
    again is for the caller to decide, from :class:`NotSent` and :class:`NoAnswer`. Each thread
    keeps a connection. Nothing is logged: a URL may hold a phone number. Redirects are not
    followed.
    """

    def __init__(self, base_url: str = TWILIO_API) -> None:
        """``base_url`` is scheme, host and port (``http://127.0.0.1:8001``).

        Raises ValueError for anything but an http or https URL.
        """
        super().__init__(logging.getLogger(__name__), is_async=False)
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("The carrier's base URL must begin with http:// or https://.")
        self._server = parts
        self._path = parts.path.rstrip("/")
        self._context = ssl.create_default_context() if parts.scheme == "https" else None
        self._own = threading.local()
        self._wires: list[Wire] = []
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None = None,
        data: Mapping[str, object] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Response:
        """Send one request. Raises :class:`NotSent` or :class:`NoAnswer`.

        ``timeout`` (seconds) replaces the eight seconds for the answer.
        """
        del allow_redirects
        body = b"" if data is None else urlencode(_pairs(data)).encode()
        request = self._head(method, uri, params, _headers(headers, data, auth), len(body)) + body
        try:
            answer = self._wire().exchange(request, _READ_SECONDS if timeout is None else timeout)
        except Unreached as error:
            raise NotSent("The carrier cannot be reached.") from error
        except OSError as error:
            raise NoAnswer("The carrier gave no answer.") from error
        return Response(answer.status, answer.body.decode("utf-8", "replace"), answer.headers)

    def close(self) -> None:
        """Close the kept connections, when no request is under way."""
        with self._lock:
            for wire in self._wires:
                wire.close()
            self._wires.clear()
        self._own = threading.local()

    def _wire(self) -> Wire:
        wire: Wire | None = getattr(self._own, "wire", None)
        if wire is None:
            wire = self._own.wire = Wire(self._server, self._context)
            with self._lock:
                self._wires.append(wire)
        return wire

    def _head(
        self,
        method: str,
        uri: str,
        params: Mapping[str, object] | None,
        headers: Mapping[str, str],
        length: int,
    ) -> bytes:
        parts = urlsplit(uri)
        query = "&".join(part for part in (parts.query, urlencode(_pairs(params))) if part)
        target = f"{self._path}{parts.path}"
        lines = [
            f"{method.upper()} {target}{f'?{query}' if query else ''} HTTP/1.1",
            f"Host: {self._server.netloc.rpartition('@')[2]}",
            *(f"{name}: {value}" for name, value in headers.items()),
            f"Content-Length: {length}",
        ]
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) - 1:
            raise ValueError("A header or an address must not hold a line break.")
        return f"{head}\r\n\r\n".encode("latin-1")


def _headers(
    headers: Mapping[str, str] | None,
    data: Mapping[str, object] | None,
    auth: tuple[str, str] | None,
) -> dict[str, str]:
    sent = dict(headers or {})
    if data is not None:
        sent.setdefault("Content-Type", _FORM)
    if auth is not None:
        sent["Authorization"] = f"Basic {b64encode(f'{auth[0]}:{auth[1]}'.encode()).decode()}"
    return sent


def _pairs(values: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """The values as a form sends them: a list is one name several times, None is left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in (values or {}).items():
        several = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(name, str(one)) for one in several if one is not None]
    return pairs
