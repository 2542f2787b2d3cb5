"""STOP and START where Twilio or the network keeps the list, switched on by a fault."""

from __future__ import annotations

import threading
import tomllib
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from bot.simulator.faults import FaultKind

if TYPE_CHECKING:
    from bot.simulator.faults import Faults


def _load() -> dict[str, dict[str, Any]]:
    path = resources.files("bot.simulator").joinpath("data/carrier_keywords.toml")
    tables = tomllib.loads(path.read_text("utf-8"))
    return {mode: row for mode, row in tables.items() if isinstance(row, dict)}


_MODES = _load()


@dataclass(frozen=True, slots=True)
class CarrierReply:
    """What the carrier answers by itself, and the OptOutType it tells the service, if any."""

    body: str
    opt_out_type: str | None


class BlockLists:
    """For each sender the phones that the carrier blocks. Safe for many threads."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Lock()
        self._blocked: set[tuple[str, str]] = set()

    def hear(self, phone: str, sender: str, body: str) -> CarrierReply | None:
        """Act on a carrier keyword. None where this carrier leaves the text to the service."""
        fault = self._faults.strike(FaultKind.CARRIER_KEYWORDS, phone, sender)
        if fault is None:
            return None
        rules = _MODES[fault.mode.value]
        word = body.strip().upper()
        with self._lock:
            kind = self._act(rules, word, (phone, sender))
        if kind is None:
            return None
        told = kind if rules["tells_service"] else None
        return CarrierReply(str(rules[f"{kind.lower()}_reply"]), told)

    def blocks(self, phone: str, sender: str) -> bool:
        """Whether a text from this sender to this phone is refused with 21610."""
        with self._lock:
            return (phone, sender) in self._blocked

    def clear(self) -> None:
        """Forget every block."""
        with self._lock:
            self._blocked.clear()

    def _act(self, rules: dict[str, Any], word: str, pair: tuple[str, str]) -> str | None:
        if word in rules["blocks"]:
            self._blocked.add(pair)
            return "STOP"
        if word in rules["lifts"] and pair in self._blocked:
            self._blocked.discard(pair)
            return "START"
        return "HELP" if word in rules["helps"] else None
