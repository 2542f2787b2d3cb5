"""The suppression list: numbers that nobody may bring back, by a keyed hash of each.

A plain hash of a phone number can be reversed in hours (there are only so many numbers), so the
digest is an HMAC with PHONE_PEPPER, which lies outside the database. Until the pepper is changed
the digest is pseudonymous personal data, held to respect an objection (ICO: suppress, do not
delete).
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import text
from sqlalchemy.orm import Mapped, mapped_column

from storage.base import Base
from storage.database import Connection


class SuppressionReason(StrEnum):
    """Why a number must not be brought back."""

    ERASED = "erased"
    OBJECTION = "objection"
    IMPORTED = "imported"


class SuppressionRow(Base):
    """One suppressed number. ``source`` says who put it here: "erasure", "file:<name>"."""

    __tablename__ = "suppressions"

    digest: Mapped[bytes] = mapped_column(primary_key=True)
    reason: Mapped[str]
    source: Mapped[str]
    since: Mapped[datetime] = mapped_column(server_default=text("now()"))
    detail: Mapped[dict[str, Any]] = mapped_column(server_default=text("'{}'"))


_ADD: Final = """
INSERT INTO suppressions (digest, reason, source, since)
SELECT digest, %(reason)s, %(source)s, assent_now() FROM unnest(%(digests)s::bytea[]) digest
ON CONFLICT (digest) DO NOTHING
"""
_FIND: Final = "SELECT digest FROM suppressions WHERE digest = ANY(%s)"
_SINCE: Final = "SELECT digest, since FROM suppressions WHERE digest = ANY(%s)"


def phone_digest(pepper: str, phone: str) -> bytes:
    """The 32 bytes that stand for an E.164 number on the suppression list."""
    return hmac.digest(pepper.encode(), phone.encode(), hashlib.sha256)


def phone_digests(pepper: str, phones: Iterable[str]) -> list[bytes]:
    """The same for many numbers, in their order, with the key made ready once.

    The two halves of an HMAC (RFC 2104) are begun with the key and copied for each number.
    """
    inner, outer = _halves(pepper.encode())
    found = []
    for phone in phones:
        within, around = inner.copy(), outer.copy()
        within.update(phone.encode())
        around.update(within.digest())
        found.append(around.digest())
    return found


def _halves(key: bytes) -> tuple[Any, Any]:
    block = hashlib.sha256().block_size
    key = (hashlib.sha256(key).digest() if len(key) > block else key).ljust(block, b"\0")
    inner, outer = (bytes(byte ^ pad for byte in key) for pad in (0x36, 0x5C))
    return hashlib.sha256(inner), hashlib.sha256(outer)


def suppressed(connection: Connection, pepper: str, phones: Sequence[str]) -> frozenset[str]:
    """Which of these E.164 numbers are on the list."""
    digests: Mapping[bytes, str] = {phone_digest(pepper, phone): phone for phone in phones}
    found = connection.execute(_FIND, (list(digests),))
    return frozenset(digests[digest] for (digest,) in found)


def blocking(
    connection: Connection, pepper: str, confirmed: Mapping[str, datetime | None]
) -> frozenset[str]:
    """Which numbers must get no marketing: suppressed, and not confirmed by the person since.

    ``confirmed`` maps E.164 numbers to when their present consent was confirmed, None without one.
    The list keeps others from bringing somebody back; they may always come back themselves.
    """
    digests = {phone_digest(pepper, phone): phone for phone in confirmed}
    found = connection.execute(_SINCE, (list(digests),)).fetchall()
    told = ((digests[digest], since) for digest, since in found)
    return frozenset(phone for phone, since in told if not _later(confirmed[phone], since))


def _later(confirmed_at: datetime | None, since: datetime) -> bool:
    return confirmed_at is not None and confirmed_at > since


def suppress(
    connection: Connection, digests: Sequence[bytes], reason: SuppressionReason, source: str
) -> int:
    """Put numbers on the list; answers how many were new. What is there already stays."""
    values = {"digests": list(digests), "reason": str(reason), "source": source}
    return connection.execute(_ADD, values).rowcount
