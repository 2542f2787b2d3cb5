"""The key that signs checkpoints: a file of this installation, never in the database.

Whoever can write to the database cannot sign, and whoever holds an old checkpoint needs the public
key only. Losing the key loses nothing that was signed: the next one is made, and verifiers are
told of both.
"""

from __future__ import annotations

import binascii
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from pathlib import Path
from typing import Final
from uuid import UUID

from keywords.checkpoint import (
    SEED_BYTES,
    Checkpoint,
    VerifierKey,
    origin_of,
    sign,
    sign_text,
    verifier_key,
)
from keywords.ledger import Json
from keywords.receipt import signed
from storage.settings import SettingsError, kept_secret

KEY_NAME: Final = "ledger_signing_key"


class LedgerKey:
    """The private key of an ASSENT_HOME, which is made the first time."""

    def __init__(self, home: Path) -> None:
        """Raises SettingsError when the key cannot be read or made."""
        self._seed = _decoded(kept_secret(home, KEY_NAME, _made), home)

    def sign(self, checkpoint: Checkpoint) -> tuple[str, str]:
        """The signed note of a checkpoint, and the public key that verifies it."""
        key = verifier_key(checkpoint.origin, self._seed)
        return sign(checkpoint, self._seed), str(key)

    def sign_text(self, log: UUID, text: str) -> str:
        """The signed note of a text about the ledger ``log``; see ``keywords.checkpoint``."""
        return sign_text(text, origin_of(log), self._seed)

    def sign_receipt(self, log: UUID, statement: Mapping[str, Json]) -> str:
        """The signed receipt of an erasure from the ledger ``log``."""
        return signed(statement, self.verifier_key(log), self._seed)

    def verifier_key(self, log: UUID) -> VerifierKey:
        """The public key, under the name of the ledger ``log``."""
        return verifier_key(origin_of(log), self._seed)


def known_key(home: Path, log: UUID) -> VerifierKey | None:
    """The public key of this installation; None where it holds no private key.

    Unlike :class:`LedgerKey` this makes none. Raises SettingsError.
    """
    if not (home / "secrets" / KEY_NAME).exists():
        return None
    return LedgerKey(home).verifier_key(log)


def _made() -> str:
    return b64encode(secrets.token_bytes(SEED_BYTES)).decode("ascii")


def _decoded(text: str, home: Path) -> bytes:
    try:
        seed = b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        seed = b""
    if len(seed) != SEED_BYTES:
        raise SettingsError(
            f"ASSENT_HOME: {home / 'secrets' / KEY_NAME} is not a signing key (32 bytes in"
            " base64); restore it from a backup."
        )
    return seed
