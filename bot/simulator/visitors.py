"""Those who come to a link: a person with a phone, and the machines that look before they do.

They go through the service's real redirect, by HTTP, with the agents that such machines have. The
simulator follows no address but a short link of this service, so that nobody can send it anywhere.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from bot.simulator.caller import CallError
from bot.simulator.config import Config

PERSON: Final = "person"
_TIMEOUT: Final = urllib3.Timeout(connect=5, read=15)
_PATH: Final = r"/(?:l/[0-9A-Za-z]{1,40}|[0-9A-Za-z]{10})"


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who it is, what the button says, and how they ask: the agent, and methods in order."""

    name: str
    title: str
    says: str
    agent: str
    requests: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Seen:
    """One request and its answer. ``location`` is empty where the answer is no redirect."""

    method: str
    status: int
    location: str
    content_type: str
    body: bytes


def _load() -> Mapping[str, Visitor]:
    data = resources.files("bot.simulator").joinpath("data/visitors.toml").read_text("utf-8")
    rows: list[dict[str, Any]] = tomllib.loads(data)["visitors"]
    return {row["name"]: Visitor(**row | {"requests": tuple(row["requests"])}) for row in rows}


VISITORS: Final = _load()


class Visits:
    """Sends visitors to links. Thread-safe."""

    def __init__(self, config: Config) -> None:
        self._links = config.links
        self._host = urlsplit(config.links).netloc
        self._service = config.service_url
        self._shape = re.compile(re.escape(config.links) + _PATH)
        self._pool = urllib3.PoolManager(num_pools=2, maxsize=16, retries=False, timeout=_TIMEOUT)

    def is_link(self, address: str) -> bool:
        """Whether an address is a short link of this service, right or wrong."""
        return self._shape.fullmatch(address) is not None

    def go(self, visitor: Visitor, link: str) -> list[Seen]:
        """All requests of one visitor to a link for which :meth:`is_link` is true.

        Raises :class:`CallError` when the service does not answer.
        """
        return [self._ask(visitor, method, link) for method in visitor.requests]

    def close(self) -> None:
        """Close the kept connections."""
        self._pool.clear()

    def _ask(self, visitor: Visitor, method: str, link: str) -> Seen:
        headers = {
            "Host": self._host,
            "User-Agent": visitor.agent,
            "Accept": "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8",
            "Accept-Language": "en-US,en;q=0.9",
        }
        try:
            answer = self._pool.request(
                method, self._service + link[len(self._links) :], headers=headers, redirect=False
            )
        except urllib3.exceptions.HTTPError as error:
            raise CallError("The service does not answer: is it running?") from error
        return Seen(
            method,
            answer.status,
            answer.headers.get("Location", ""),
            answer.headers.get("Content-Type", ""),
            answer.data,
        )
