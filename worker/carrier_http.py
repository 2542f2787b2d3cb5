"""How the Twilio SDK reaches the carrier: one lean HTTP client, for Twilio and the simulator."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import urllib3
from twilio.base.exceptions import TwilioException
from twilio.http import HttpClient
from twilio.http.response import Response

if TYPE_CHECKING:
    from collections.abc import Mapping

TWILIO_API = "https://api.twilio.com"
_CONNECT_SECONDS = 2.0
_READ_SECONDS = 8.0
_POOL = 64
_NEVER_ARRIVED = (
    urllib3.exceptions.NewConnectionError,
    urllib3.exceptions.ConnectTimeoutError,
    urllib3.exceptions.NameResolutionError,
)


class NotSent(TwilioException):  # type: ignore[misc]
    """No connection was made: the carrier has not seen the request, it may be sent again."""


class NoAnswer(TwilioException):  # type: ignore[misc]
    """The request may have arrived, the answer did not: never send it again blindly."""


class CarrierHttpClient(HttpClient):  # type: ignore[misc]
    """The SDK's requests, sent to ``base_url`` in place of Twilio's own host.

    Two seconds to connect, eight to answer, and no retry of any kind: whether a text may be sent
    again is for the caller to decide, from :class:`NotSent` and :class:`NoAnswer`. Connections are
    kept, and shared by threads. Nothing is logged: a URL may hold a phone number.
    """

    def __init__(self, base_url: str = TWILIO_API) -> None:
        """``base_url`` is scheme, host and port (``http://127.0.0.1:8001``).

        Raises ValueError for anything but an http or https URL.
        """
        super().__init__(logging.getLogger(__name__), is_async=False)
        parts = urlsplit(base_url)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise ValueError("The carrier's base URL must begin with http:// or https://.")
        self._base = base_url.rstrip("/")
        self._pool = urllib3.PoolManager(
            num_pools=2,
            maxsize=_POOL,
            retries=False,
            timeout=urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS),
        )

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
        try:
            answer = self._pool.request(
                method.upper(),
                self._url(uri, params),
                body=_form(data),
                headers=_headers(headers, data, auth),
                timeout=_timeout(timeout),
                redirect=allow_redirects,
            )
        except _NEVER_ARRIVED as error:
            raise NotSent("The carrier cannot be reached.") from error
        except urllib3.exceptions.HTTPError as error:
            raise NoAnswer("The carrier gave no answer.") from error
        return Response(answer.status, answer.data.decode("utf-8", "replace"), answer.headers)

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _url(self, uri: str, params: Mapping[str, object] | None) -> str:
        parts = urlsplit(uri)
        query = "&".join(part for part in (parts.query, urlencode(_pairs(params))) if part)
        return f"{self._base}{parts.path}?{query}" if query else f"{self._base}{parts.path}"


def _timeout(read: float | None) -> urllib3.Timeout:
    return urllib3.Timeout(connect=_CONNECT_SECONDS, read=_READ_SECONDS if read is None else read)


def _headers(
    headers: Mapping[str, str] | None,
    data: Mapping[str, object] | None,
    auth: tuple[str, str] | None,
) -> dict[str, str]:
    sent = dict(headers or {})
    if data is not None:
        sent.setdefault("Content-Type", "application/x-www-form-urlencoded")
    if auth is not None:
        sent |= urllib3.make_headers(basic_auth=f"{auth[0]}:{auth[1]}")
    return sent


def _form(data: Mapping[str, object] | None) -> bytes | None:
    return None if data is None else urlencode(_pairs(data)).encode()


def _pairs(values: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """The values as a form sends them: a list is one name several times, None is left out."""
    pairs: list[tuple[str, str]] = []
    for name, value in (values or {}).items():
        several = value if isinstance(value, (list, tuple)) else [value]
        pairs += [(name, str(one)) for one in several if one is not None]
    return pairs
