"""Which URLs Twilio may have signed: what a proxy or a setting may have changed on the way.

Each variant is a guess, with the reasons it differs from the URL the service expected. The
reasons known from the field: Twilio's page on error 57012 and the threads of those who met it
behind a proxy.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, quote, quote_plus, unquote, unquote_plus, urlencode, urlsplit

from bot.doctor_causes import Cause

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_USUAL_PORTS = ("", "443", "80", "8443", "8080", "8000", "5000", "3000")
_ORIGINAL_TARGET = ("x-original-uri", "x-original-url", "x-forwarded-uri", "x-rewrite-url")


@dataclass(frozen=True, slots=True)
class UrlVariant:
    """A URL that Twilio may have signed: ``base`` (scheme, host, port, prefix) and ``target``."""

    base: str
    target: str
    causes: frozenset[Cause]


def url_variants(
    base_url: str, target: str, host: str, headers: Mapping[str, str]
) -> list[UrlVariant]:
    """Every URL to try, those with the fewest differences first.

    ``target`` and ``host`` are the captured request's, ``headers`` have lower-case names.
    """
    bases = list(_bases(base_url, host, headers))
    targets = list(_targets(target, headers))
    every = (
        UrlVariant(base, changed, base_causes | target_causes)
        for base, base_causes in bases
        for changed, target_causes in targets
    )
    return sorted(every, key=lambda variant: len(variant.causes))


def _bases(
    base_url: str, host: str, headers: Mapping[str, str]
) -> Iterator[tuple[str, frozenset[Cause]]]:
    """The configured base and those that the headers suggest, each once."""
    ours = urlsplit(base_url)
    our_host, our_port = _host_and_port(ours.netloc)
    seen = list(dict.fromkeys(_authorities(ours.netloc, host, headers)))
    hosts = dict.fromkeys(_host_and_port(authority)[0] for authority in seen)
    ports = dict.fromkeys(
        [our_port, *(_host_and_port(authority)[1] for authority in seen), *_USUAL_PORTS]
    )
    prefixes = dict.fromkeys([ours.path.rstrip("/"), "", _prefix(headers)])
    for scheme, name, port, prefix in itertools.product(("https", "http"), hosts, ports, prefixes):
        differs = {
            Cause.SCHEME: scheme != ours.scheme,
            Cause.HOST: name != our_host,
            # The port that goes with the scheme is no difference: Twilio leaves it out or not.
            Cause.PORT: port not in (our_port, "", _default_port(scheme)),
            Cause.PATH: prefix != ours.path.rstrip("/"),
        }
        causes = frozenset(cause for cause, is_so in differs.items() if is_so)
        yield f"{scheme}://{name}{f':{port}' if port else ''}{prefix}", causes


def _authorities(configured: str, host: str, headers: Mapping[str, str]) -> Iterator[str]:
    """host[:port] from every place that may know what Twilio called, www. with and without."""
    forwarded_port = headers.get("x-forwarded-port", "")
    for source in (
        *(configured, host, headers.get("host", "")),
        *headers.get("x-forwarded-host", "").split(","),
        *headers.get("x-original-host", "").split(","),
        *re.findall(r'host="?([^;,"\s]+)', headers.get("forwarded", ""), re.IGNORECASE),
    ):
        authority = source.strip()
        if not _HOST.fullmatch(authority):
            continue
        yield authority
        yield authority.lower()
        yield authority.removeprefix("www.") if authority.startswith("www.") else f"www.{authority}"
        if forwarded_port.isdecimal():
            yield f"{_host_and_port(authority)[0]}:{forwarded_port}"


def _host_and_port(authority: str) -> tuple[str, str]:
    match = re.fullmatch(r"(.*?)(?::([0-9]*))?", authority)
    return (match[1], match[2] or "") if match else (authority, "")


def _default_port(scheme: str) -> str:
    return "443" if scheme == "https" else "80"


def _prefix(headers: Mapping[str, str]) -> str:
    prefix = headers.get("x-forwarded-prefix", "").rstrip("/")
    return prefix if prefix.startswith("/") else ""


def _targets(target: str, headers: Mapping[str, str]) -> Iterator[tuple[str, frozenset[Cause]]]:
    path, _, query = target.partition("?")
    for changed_path, path_cause in _paths(path):
        for changed_query, query_cause in _queries(query):
            joined = f"{changed_path}?{changed_query}" if changed_query else changed_path
            yield joined, path_cause | query_cause
    for name in _ORIGINAL_TARGET:
        parts = urlsplit(headers.get(name, ""))
        if parts.path.startswith("/"):
            cause = Cause.QUERY if parts.path == path else Cause.PATH
            yield parts.path + (f"?{parts.query}" if parts.query else ""), frozenset({cause})


def _paths(path: str) -> Iterator[tuple[str, frozenset[Cause]]]:
    yield path, frozenset()
    yield path.rstrip("/") if path.endswith("/") else f"{path}/", frozenset({Cause.SLASH})
    rewritten = (unquote(path), quote(path), re.sub("/{2,}", "/", path), f"/{path}", path.lower())
    for other in dict.fromkeys(rewritten):
        if other != path:
            yield other, frozenset({Cause.PATH})


def _queries(query: str) -> Iterator[tuple[str, frozenset[Cause]]]:
    yield query, frozenset()
    if not query:
        return
    fields = query.split("&")
    orders: Iterable[tuple[str, ...]] = itertools.permutations(fields) if len(fields) < 5 else ()
    pairs = parse_qsl(query, keep_blank_values=True)
    rewritten = (
        *("", unquote(query), unquote_plus(query), query.replace("+", "%20")),
        *(query.replace("%20", "+"), urlencode(pairs), urlencode(pairs, quote_via=quote)),
        *("&".join(f"{name}={quote_plus(value, safe=':/')}" for name, value in pairs),),
        *("&".join(fields[:index] + fields[index + 1 :]) for index in range(len(fields))),
        *("&".join(order) for order in orders),
    )
    for other in dict.fromkeys(rewritten):
        if other != query:
            yield other, frozenset({Cause.QUERY})
