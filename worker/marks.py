"""The mark of an attempt, which travels in the address of its status callbacks.

By it a report is understood although the answer of the call it belongs to is not written down yet,
or never will be. It carries a keyed digest: whoever sees one cannot make another (the carrier's own
signature covers the whole address as well).
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

STATUS_PATH: Final = "/webhooks/twilio/status"
_MAC_BYTES: Final = 16
_MARK: Final = re.compile(r"(r[0-9a-f]{32}|m[0-9a-f]{64})\.([0-9a-f]{32})")


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt: of a message of the outbox (``message``), or of a campaign's recipient."""

    id: UUID
    message: UUID | None = None

    @property
    def recipient(self) -> int | None:
        """The recipient's id, which is the second half of the attempt's."""
        return None if self.message else self.id.int & 0xFFFF_FFFF_FFFF_FFFF


class Marks:
    """Makes and reads marks under SECRET_KEY."""

    def __init__(self, secret: str, base_url: str = "") -> None:
        self._key = hashlib.sha256(b"status callback\0" + secret.encode()).digest()
        self._prefix = f"{base_url}{STATUS_PATH}?attempt="

    def callback(self, attempt: Attempt) -> str:
        """The address that the carrier reports to."""
        text = (
            f"m{attempt.message.hex}{attempt.id.hex}" if attempt.message else f"r{attempt.id.hex}"
        )
        return f"{self._prefix}{text}.{self._mac(text)}"

    def read(self, mark: str) -> Attempt | None:
        """The attempt of a mark; None for one that we did not make."""
        found = _MARK.fullmatch(mark)
        if found is None or not hmac.compare_digest(self._mac(found[1]), found[2]):
            return None
        text = found[1]
        if text[0] == "r":
            return Attempt(UUID(text[1:]))
        return Attempt(UUID(text[33:]), UUID(text[1:33]))

    def _mac(self, text: str) -> str:
        return hmac.digest(self._key, text.encode(), "sha256")[:_MAC_BYTES].hex()
