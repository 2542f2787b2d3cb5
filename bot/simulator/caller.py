"""Calling the service as Twilio does: a signed form, retried once where no connection is made."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import urllib3
from twilio.request_validator import RequestValidator
from werkzeug.datastructures import MultiDict

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bot.simulator.config import Config

# Twilio's defaults: 5 s to connect, 15 s to answer (webhook connection overrides, ct and rt).
_TIMEOUT = urllib3.Timeout(connect=5, read=15)
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_NEVER_ARRIVED = (urllib3.exceptions.NewConnectionError, urllib3.exceptions.ConnectTimeoutError)


class CallError(Exception):
    """The service gave no answer; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the service answered."""

    status: int
    content_type: str
    body: str


class ServiceCaller:
    """Posts signed forms. Connections are kept and shared by many threads."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._validator = RequestValidator(config.auth_token)
        self._host = urlsplit(config.public_base_url).netloc
        self._pool = urllib3.PoolManager(num_pools=4, maxsize=32, retries=False, timeout=_TIMEOUT)

    def post(self, url: str, params: Sequence[tuple[str, str]], token: str | None = None) -> Answer:
        """Sign ``params`` for ``url`` and post them. Raises :class:`CallError`.

        ``token`` is the I-Twilio-Idempotency-Token: the same for each attempt of one event.
        """
        place = self._place(url)
        headers = self._headers(url, params, token or str(uuid.uuid4()))
        body = urlencode(params).encode()
        try:
            return self._once(place, headers, body)
        except _NEVER_ARRIVED:
            return self._again(place, headers, body)

    def reachable(self, url: str) -> bool:
        """Whether this URL belongs to the service, so that a callback may go there."""
        base = self._config.public_base_url
        if url == base or url.startswith((f"{base}/", f"{base}?")):
            return True
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and parts.hostname in _LOOPBACK

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _place(self, url: str) -> str:
        """Where the connection goes: the service's own port in place of its public address."""
        if not self.reachable(url):
            raise CallError("The simulator only calls PUBLIC_BASE_URL and this machine.")
        base = self._config.public_base_url
        return self._config.service_url + url[len(base) :] if url.startswith(base) else url

    def _headers(self, url: str, params: Sequence[tuple[str, str]], token: str) -> dict[str, str]:
        host = self._host if url.startswith(self._config.public_base_url) else urlsplit(url).netloc
        return {
            "Host": host,
            "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
            "User-Agent": "TwilioProxy/1.1",
            "Accept": "*/*",
            "X-Twilio-Signature": self._validator.compute_signature(url, MultiDict(params)),
            "I-Twilio-Idempotency-Token": token,
        }

    def _again(self, place: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            return self._once(place, headers, body)
        except _NEVER_ARRIVED as error:
            raise CallError("The service does not answer: is it running?") from error

    def _once(self, place: str, headers: dict[str, str], body: bytes) -> Answer:
        try:
            answer = self._pool.request("POST", place, body=body, headers=headers, redirect=False)
        except _NEVER_ARRIVED:
            raise
        except urllib3.exceptions.TimeoutError as error:
            raise CallError("The service took longer than 15 seconds to answer.") from error
        except urllib3.exceptions.HTTPError as error:
            raise CallError("The service broke the connection before it answered.") from error
        content_type = answer.headers.get("Content-Type", "")
        return Answer(answer.status, content_type, answer.data.decode("utf-8", "replace"))
