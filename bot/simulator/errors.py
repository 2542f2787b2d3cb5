"""Twilio's errors: the table of codes, and the JSON that a refused request is answered with."""

from __future__ import annotations

import tomllib
from importlib import resources
from typing import Any

from bot.simulator.texts import Status


def _load() -> dict[int, dict[str, Any]]:
    data = resources.files("bot.simulator").joinpath("data/errors.toml").read_text("utf-8")
    return {int(key): row for key, row in tomllib.loads(data).items() if key.isdecimal()}


TABLE = _load()
_FIRST_DELIVERY_CODE = 30_000


class TwilioError(Exception):
    """A request the carrier refuses, with Twilio's code. ``detail`` replaces the usual sentence."""

    def __init__(self, code: int, detail: str | None = None) -> None:
        row = TABLE.get(code, {})
        self.code = code
        self.status = int(row.get("status", 400))
        self.message = detail or str(row.get("message", f"Error {code}"))
        super().__init__(self.message)

    def as_json(self) -> dict[str, Any]:
        """The body that Twilio sends with a refusal."""
        return {
            "code": self.code,
            "message": self.message,
            "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
            "status": self.status,
        }


def at_once(code: int) -> bool:
    """Whether this code refuses the request; otherwise it is told later, in a callback."""
    row = TABLE.get(code)
    return "status" in row if row else code < _FIRST_DELIVERY_CODE


def message(code: int | None) -> str | None:
    """The sentence that goes with a code, or None where there is no code."""
    return None if code is None else str(TABLE.get(code, {}).get("message", f"Error {code}"))


def ending(code: int) -> Status:
    """The final status of a text that fails with this code."""
    return Status(TABLE.get(code, {}).get("ends", Status.UNDELIVERED))
