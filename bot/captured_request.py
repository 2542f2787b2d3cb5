"""A webhook as somebody caught it: the text of an HTTP request, or JSON that describes one."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode, urlsplit

from bot.forms import is_form

_REQUEST_LINE = re.compile(r"([A-Z]+) (\S+)(?: HTTP/[0-9.]+)?")
_BLANK_LINE = re.compile(rb"\r?\n\r?\n")


class CaptureError(ValueError):
    """A capture that cannot be read; the message is one sentence for a person."""


@dataclass(frozen=True, slots=True)
class Captured:
    """One request. ``target`` is its path and query; ``headers`` have lower-case names.

    ``host`` is the host (and port) of the captured URL where it had one, or empty.
    """

    target: str
    host: str
    headers: dict[str, str]
    body: bytes

    @property
    def content_type(self) -> str | None:
        """The Content-Type header."""
        return self.headers.get("content-type")

    @property
    def is_shortened(self) -> bool:
        """Whether the body is shorter than its Content-Length says."""
        length = self.headers.get("content-length", "")
        return length.isdecimal() and len(self.body) < int(length)


def read_capture(data: bytes) -> Captured:
    """Read ``POST /path HTTP/1.1``, headers, an empty line and the body; or a JSON object.

    JSON has ``url`` (or ``path``), ``headers`` (an object or pairs) and ``body`` (the text as
    sent, or its parameters as an object or pairs; ``isBase64Encoded`` as gateways write it).
    Raises :class:`CaptureError`.
    """
    stripped = data.lstrip(b"\xef\xbb\xbf \t\r\n")
    if not stripped:
        raise CaptureError("The captured request is empty.")
    return _from_json(stripped) if stripped.startswith(b"{") else _from_http(stripped)


def _from_http(data: bytes) -> Captured:
    head, *rest = _BLANK_LINE.split(data, maxsplit=1)
    first, *lines = head.decode("utf-8", "replace").splitlines()
    match = _REQUEST_LINE.fullmatch(first.strip())
    if match is None:
        raise CaptureError('The first line is not "POST /path HTTP/1.1".')
    headers = [_header(line) for line in lines]
    return _captured(match[2], headers, rest[0] if rest else b"")


def _header(line: str) -> tuple[str, str]:
    name, colon, value = line.partition(":")
    if not colon or not name.strip():
        raise CaptureError("A header line has no colon; an empty line must end the headers.")
    return name, value


def _from_json(data: bytes) -> Captured:
    try:
        described = json.loads(data)
    except ValueError as error:
        raise CaptureError(
            "The captured request starts like JSON but is not valid JSON."
        ) from error
    url = described.get("url") or described.get("path")
    if not isinstance(url, str):
        raise CaptureError('The JSON has no "url" text.')
    body = described.get("body")
    headers = _pairs(described.get("headers", {}), "headers")
    if isinstance(body, dict | list):
        named = {name.strip().lower() for name, _ in headers}
        if "content-type" not in named:
            headers.append(("content-type", "application/x-www-form-urlencoded"))
        encoded = urlencode(_pairs(body, "body"), errors="surrogatepass").encode()
        headers = [pair for pair in headers if pair[0].strip().lower() != "content-length"]
        return _captured(url, headers, encoded)
    if not isinstance(body, str | None):
        raise CaptureError('The "body" of the JSON is neither text nor parameters.')
    return _captured(url, headers, _bytes(body or "", bool(described.get("isBase64Encoded"))))


def _bytes(body: str, is_base64: bool) -> bytes:
    if not is_base64:
        return body.encode("utf-8", "surrogatepass")
    try:
        return base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise CaptureError('The "body" is not base64 although isBase64Encoded is set.') from error


def _pairs(value: Any, what: str) -> list[tuple[str, str]]:
    """An object (a list as value: several of one name) or a list of pairs, as pairs of texts."""
    if isinstance(value, dict):
        value = [
            (name, item)
            for name, given in value.items()
            for item in (given if isinstance(given, list) else [given])
        ]
    if not isinstance(value, list) or not all(_is_pair(item) for item in value):
        raise CaptureError(f'The "{what}" of the JSON are neither an object nor pairs of texts.')
    return [(str(name), str(given)) for name, given in value]


def _is_pair(item: Any) -> bool:
    return (
        isinstance(item, list | tuple)
        and len(item) == 2
        and isinstance(item[0], str)
        and isinstance(item[1], str | int)
    )


def _captured(url: str, pairs: list[tuple[str, str]], body: bytes) -> Captured:
    if not url.isascii() or not url.isprintable():
        raise CaptureError("The URL of the captured request holds characters that must be escaped.")
    headers = {name.strip().lower(): value.strip() for name, value in pairs}
    host, target = _split(url)
    return Captured(target, host, headers, _trimmed(body, headers))


def _split(url: str) -> tuple[str, str]:
    """Host and target of a URL, or of a target alone."""
    if url.startswith("/"):
        return "", url
    try:
        parts = urlsplit(url)
    except ValueError as error:
        raise CaptureError("The URL of the captured request cannot be read.") from error
    if not parts.netloc:
        raise CaptureError("The path of the captured request does not start with a slash.")
    query = f"?{parts.query}" if parts.query else ""
    return parts.netloc.rpartition("@")[2], (parts.path or "/") + query


def _trimmed(body: bytes, headers: dict[str, str]) -> bytes:
    """The body without the line end that editors put after it: an encoded form has none."""
    length = headers.get("content-length", "")
    if length.isdecimal() and len(body) > int(length):
        body = body[: int(length)]
    return body.rstrip(b"\r\n") if is_form(headers.get("content-type")) else body
