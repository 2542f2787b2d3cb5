"""The signed token in a form: what was shown, to be said again when the form comes back.

It makes a robot fetch the page and wait, it ends after two hours, and it carries the evidence
(disclosure, rendered page, placement, referrer), so that nothing has to be kept for visitors who
only look.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from itsdangerous import BadData, URLSafeSerializer

YOUNGEST_S: Final = 2
OLDEST_S: Final = 2 * 60 * 60
LONGEST: Final = 2_000
_SALT: Final = "assent.joining"


class Fault(StrEnum):
    """What is wrong with a token."""

    FORGED = "token_forged"  # missing, cut short, or not signed by us for this program
    YOUNG = "token_young"
    OLD = "token_old"


class BadToken(ValueError):
    """A token that cannot be accepted, why, and what it says unless it is forged."""

    def __init__(self, fault: Fault, shown: Shown | None = None) -> None:
        super().__init__(fault)
        self.fault = fault
        self.shown = shown


@dataclass(frozen=True, slots=True)
class Shown:
    """What a visitor was shown. ``at`` is when, in milliseconds since 1970.

    ``disclosure`` and ``artifact`` are hex SHA-256; ``origin`` is the site of an embedded form,
    None on our own page; ``referrer`` is where the visitor came from.
    """

    program: str
    language: str
    disclosure: str
    artifact: str
    at: int
    nonce: str
    placement: str | None = None
    referrer: str | None = None
    origin: str | None = None

    def when(self) -> datetime:
        """When it was shown."""
        return datetime.fromtimestamp(self.at / 1000, UTC)


class Tokens:
    """Makes and reads tokens under ``secret`` (SECRET_KEY)."""

    def __init__(self, secret: str) -> None:
        self._signer = URLSafeSerializer(secret, _SALT)

    def make(self, now: datetime, **shown: str | None) -> str:
        """A token for what is shown at ``now``; ``shown`` are fields of :class:`Shown`."""
        values: Mapping[str, Any] = {
            "at": int(now.timestamp() * 1000),
            "nonce": secrets.token_urlsafe(12),
            **shown,
        }
        return str(self._signer.dumps({k: v for k, v in values.items() if v is not None}))

    def again(self, shown: Shown, now: datetime, **newly: str) -> str:
        """A fresh token for a page that is shown once more; ``newly`` is what it shows now."""
        values = asdict(shown) | newly
        del values["at"], values["nonce"]
        return self.make(now, **values)

    def read(self, token: str, program: str, origin: str | None, now: datetime) -> Shown:
        """What the token says. Raises :class:`BadToken`."""
        shown = self._open(token)
        if shown.program != program or shown.origin != origin:
            raise BadToken(Fault.FORGED)
        age = now.timestamp() - shown.at / 1000
        if age > OLDEST_S:
            raise BadToken(Fault.OLD, shown)
        if age < YOUNGEST_S:
            raise BadToken(Fault.YOUNG, shown)
        return shown

    def _open(self, token: str) -> Shown:
        if not token or len(token) > LONGEST:
            raise BadToken(Fault.FORGED)
        try:
            return Shown(**self._signer.loads(token))
        except (BadData, TypeError):
            raise BadToken(Fault.FORGED) from None
