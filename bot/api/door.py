"""The way in: who asks, may they, and is it readable. Nothing is written before all of it holds."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from uuid import UUID

from flask import json, request
from sqlalchemy.orm import Session, sessionmaker

from bot.api.pace import Pace
from bot.api.problems import FieldError, Kind, Problem, invalid
from storage import audit, keys
from storage.idempotency import Request
from storage.keys import Key, Scope
from storage.shop import ShopCache
from storage.transaction import Handover, Work, transaction

MAX_BODY: Final = 256 * 1024
HEADER: Final = "Idempotency-Key"
_BEARER: Final = re.compile(r"Bearer +([A-Za-z0-9._~+/=-]{1,200})", re.IGNORECASE)
_IDEMPOTENCY_KEY: Final = re.compile(r"[!-~]{1,255}")


class Database(Protocol):
    """What the API needs of the process it runs in."""

    @property
    def sessions(self) -> sessionmaker[Session]:
        """The maker of sessions."""

    @property
    def shops(self) -> ShopCache:
        """The shop as this process knows it."""

    @property
    def phone_pepper(self) -> str:
        """PHONE_PEPPER, for the suppression list."""

    @property
    def secret_key(self) -> str:
        """SECRET_KEY, for secrets that are kept encrypted."""

    @property
    def link_prefix(self) -> str:
        """What stands before the code of a short link."""

    @property
    def simulated(self) -> bool:
        """Whether things are only tried out here: endpoints on this machine are allowed then."""

    @property
    def home(self) -> Path:
        """ASSENT_HOME, for files that hold numbers and the key that signs receipts."""

    @property
    def handover(self) -> Handover | None:
        """Wakes the workers after a commit; None where there are none."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request that was let in: its transaction, its key, and what the API works with."""

    work: Work
    key: Key
    database: Database

    @property
    def session(self) -> Session:
        """The session of this request's one transaction."""
        return self.work.session

    def audit(self, act: str, subject: str, **detail: Any) -> None:
        """Note what is done here, in the same transaction (see ``storage.audit``)."""
        who = {"key": self.key.prefix, "key_id": str(self.key.id)}
        audit.record(self.session, self.key.actor, act, subject, who | detail)


def admitted(database: Database, pace: Pace, scope: Scope) -> Key:
    """The key of this request. Raises :class:`Problem`: 401, 403 or 429."""
    found = _BEARER.fullmatch(request.headers.get("Authorization", ""))
    key = None
    if found:
        # A transaction of its own: the use is noted even when the work is refused.
        with transaction(database.sessions) as work:
            key = keys.authenticate(work.session, found[1])
    if key is None:
        challenge = 'Bearer realm="assent", error="invalid_token"' if found else "Bearer"
        raise Problem(Kind.UNAUTHORIZED, headers={"WWW-Authenticate": challenge})
    seconds = pace.wait(key.id)
    if seconds:
        raise Problem(Kind.TOO_MANY, headers={"Retry-After": str(seconds)})
    if not key.may(scope):
        raise Problem(Kind.FORBIDDEN, f"This key does not have the scope {scope}.")
    return key


def readable() -> None:
    """Refuse a body that is too large, not JSON by its type, not JSON, or no JSON object."""
    request.max_content_length = MAX_BODY
    if request.mimetype != "application/json":
        raise Problem(Kind.MEDIA_TYPE)
    body = request.get_json(cache=True)
    if not isinstance(body, dict):
        raise invalid([FieldError("", "The body must be a JSON object.", "object")])


def repeatable(key: UUID, digest: str | None = None) -> Request | None:
    """What makes this POST the same as an earlier one; None when the client does not say.

    The digest covers method, path, query and the meaning of the body, not its spacing; of a file
    that was sent it covers ``digest``, its own.
    """
    given = request.headers.get(HEADER)
    if given is None:
        return None
    if not _IDEMPOTENCY_KEY.fullmatch(given):
        message = "Must be 1 to 255 visible ASCII characters."
        raise invalid([FieldError(HEADER, message, "header", "header")])
    # Some operations take no body; that one is there and can be read was checked where it must be.
    body = digest or json.dumps(request.get_json(silent=True), sort_keys=True)
    asked = "\n".join((request.method, request.full_path.rstrip("?"), body))
    return Request(str(key), given, hashlib.sha256(asked.encode("utf-8", "surrogatepass")).digest())
