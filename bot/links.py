"""``GET /l/<code>``: one redirect, from memory, to an address that we stored and still allow.

A code is deciphered before anything is asked, so that guessing costs the database nothing. Unknown,
expired and forged codes are one page, byte for byte. Where ``LINK_BASE_URL`` has a host of its own,
that host answers ``/<code>`` and nothing else.

The handler is a function over a WSGI environment with two doors, as the inbound webhook is (see
:mod:`bot.webhooks`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple

import psycopg

from bot.api.pace import Pace
from bot.visitors import address, network
from worker.texts.codes import Codes, Target

PATH: Final = "/l/"
_PATH_LENGTH: Final = len(PATH)
_METHODS: Final = frozenset({"GET", "HEAD"})
_PORTS: Final = (":443", ":80")
# A phone on a bad day asks a few times; who asks more often for what is not there is guessing.
MISSES: Final = 30
MISSES_PER_SECOND: Final = 0.5

log = logging.getLogger(__name__)

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Hit:
    """One request for a link that leads somewhere.

    ``destination`` is the stored address; ``at`` an aware moment of this process's clock;
    ``method`` GET or HEAD; ``environ`` the WSGI environment, for :meth:`header` and
    :meth:`address`: neither is worked out unless it is asked for. It is not to be kept.
    """

    recipient_id: int
    link_number: int
    destination: str
    at: datetime
    method: str
    environ: Mapping[str, object]

    def header(self, name: str) -> str:
        """A request header ("User-Agent", "Sec-Purpose"), empty where it is missing."""
        return str(self.environ.get(f"HTTP_{name.upper().replace('-', '_')}") or "")

    def address(self) -> str:
        """The visitor's whole IP address; crop or hash it before it is kept."""
        return address(self.environ)


# The seam for counting clicks and for parameters of the landing page. It is called for every hit
# that leads somewhere, by many threads at once, before the answer is given, and it answers the
# address to go to: the hit's destination, or the same with a click's id or campaign parameters
# among its own. So whatever it has written when it returns is written before the visitor is sent
# on, and a crash after that loses nothing. Three rules: it does not raise (a visitor is never
# stopped by our bookkeeping; when the log is full it says so and answers the destination); it
# does not ask the database (hits of the same instant may share one write, see bot.group); and it
# answers an address of the same host, in characters fit for a header.
Recorder = Callable[[Hit], str]


class Answer(NamedTuple):
    """What is answered. HEAD gets the same without the body."""

    status: int
    headers: Headers
    body: bytes


_EVERY: Final = (
    ("Cache-Control", "no-store"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Robots-Tag", "noindex, nofollow"),
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
)
_PAGE: Final = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>No such link</title>'
    '<meta name="viewport" content="width=device-width, initial-scale=1"></head><body><main>'
    "<h1>This link leads nowhere</h1>"
    "<p>It may be incomplete, or too old. Please open the text again and tap the link in it.</p>"
    '<p lang="es">Este enlace no funciona: puede estar incompleto o ser demasiado antiguo.</p>'
    '<p lang="fr">Ce lien ne fonctionne pas : il est peut-être incomplet ou trop ancien.</p>'
    "</main></body></html>"
).encode()


def _page(status: int, body: bytes, *more: tuple[str, str]) -> Answer:
    kind = "text/html; charset=utf-8" if body is _PAGE else "text/plain; charset=utf-8"
    headers = (*_EVERY, ("Content-Type", kind), *more, ("Content-Length", str(len(body))))
    return Answer(status, headers, body)


_EMPTY: Final = _page(302, b"").headers
NOT_FOUND: Final = _page(404, _PAGE)
NOT_ALLOWED: Final = _page(405, b"A link is opened with GET.", ("Allow", "GET, HEAD"))
AWAY: Final = _page(503, b"The service is busy; please try again.", ("Retry-After", "2"))


class Links:
    """Answers requests for links. ``find`` says where a target leads (:mod:`bot.destinations`),
    ``record`` keeps the hit, ``clock`` gives aware moments, ``host`` is the host of links or None.
    """

    def __init__(
        self,
        codes: Codes,
        find: Callable[[Target], str | None],
        record: Recorder,
        clock: Callable[[], datetime],
        misses: Pace,
        host: str | None = None,
    ) -> None:
        self._codes = codes
        self._find = find
        self._record = record
        self._clock = clock
        self._misses = misses
        self._host = host

    def serves(self, environ: Mapping[str, object]) -> bool:
        """Whether a request is for a link, and so for nobody else."""
        return str(environ["PATH_INFO"]).startswith(PATH) or self.at_home(environ)

    def at_home(self, environ: Mapping[str, object]) -> bool:
        """Whether a request came to the host that has links alone."""
        if self._host is None:
            return False
        host = str(environ.get("HTTP_HOST", "")).lower()
        return host == self._host or (
            host.endswith(_PORTS) and host.rpartition(":")[0] == self._host
        )

    def __call__(self, environ: Mapping[str, object]) -> Answer:
        """The answer to a request that :meth:`serves`."""
        method = str(environ["REQUEST_METHOD"])
        if method not in _METHODS:
            return NOT_ALLOWED
        path = str(environ["PATH_INFO"])
        code = path[_PATH_LENGTH:] if path.startswith(PATH) else path[1:]
        target = self._codes.decode(code)
        if target is None:
            return self._missed(environ)
        try:
            destination = self._find(target)
        except psycopg.OperationalError:
            log.exception("a link was not followed: the database is away")
            return AWAY
        if destination is None:
            return self._missed(environ)
        hit = Hit(*target, destination, self._clock(), method, environ)
        return Answer(302, (("Location", self._record(hit)), *_EMPTY), b"")

    def _missed(self, environ: Mapping[str, object]) -> Answer:
        """The page for codes that lead nowhere; after too many of them, how long to wait.

        A code that leads somewhere is never refused: many phones share an address.
        """
        wait = self._misses.wait(network(address(environ)))
        return (
            _page(429, b"Too many wrong links.", ("Retry-After", str(wait))) if wait else NOT_FOUND
        )
