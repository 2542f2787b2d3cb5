"""The taps of the bench: phones on many networks that open short links, as bytes for a socket."""

from __future__ import annotations

import random
from typing import Final

from bot.bench.reports import SECRET
from bot.bench.texts import Kind, Shot
from bot.links import PATH
from worker.policy import click_ids
from worker.texts.codes import Codes

DESTINATION: Final = "https://acme.example/sale?size=9"
# The shop's reverse proxy says where each phone is.
PROXIES: Final = 1
_SEED: Final = 302
_NETWORKS: Final = 4_000
_ANDROID: Final = "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko)"
_IPHONE: Final = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15"
    " (KHTML, like Gecko)"
)
_AGENTS: Final = (
    f"{_ANDROID} Chrome/138.0.0.0 Mobile Safari/537.36",
    f"{_ANDROID} SamsungBrowser/28.0 Chrome/130.0.0.0 Mobile Safari/537.36",
    f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1",
)
_MARK: Final = f"{click_ids.PARAMETER}=".encode()
_WRITTEN: Final = 16


class Taps:
    """``codes`` different links, of the recipients with the ids from 1 on, in a mixed order."""

    def __init__(self, codes: int) -> None:
        made = Codes(SECRET).encode_all(range(1, codes + 1))
        random.Random(_SEED).shuffle(made)  # noqa: S311 - the same order each time
        self._codes = made

    def shot(self, k: int) -> Shot:
        """Tap number ``k``, from 0."""
        code = self._codes[k % len(self._codes)]
        network = k % _NETWORKS
        head = (
            f"GET {PATH}{code} HTTP/1.1\r\n"
            "Host: text.bench.example\r\n"
            f"User-Agent: {_AGENTS[k % len(_AGENTS)]}\r\n"
            "Accept: text/html,application/xhtml+xml;q=0.9,*/*;q=0.8\r\n"
            "Accept-Language: en-US,en;q=0.9\r\n"
            f"X-Forwarded-For: 203.{network >> 8}.{network & 255}.7\r\n"
            "\r\n"
        )
        return Shot(Kind.TAP, code, head.encode())


def click_of(answer: bytes) -> str:
    """The click's id in a redirect's answer; empty where there is none."""
    start = answer.find(_MARK)
    return answer[start + len(_MARK) :][:_WRITTEN].decode("ascii") if start >= 0 else ""
