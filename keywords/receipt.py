"""The receipt of an erasure: what was destroyed, when, and the end of the chain that says so.

It is given to the person. It names them by the random reference of the ledger alone, so that it can
be kept and shown without being personal data again. Signed with the ledger's own Ed25519 key over
the canonical JSON of the statement (``keywords.ledger``), after a line of its own, so that no
signature of a checkpoint can pass for one of a receipt, or the other way round.
"""

from __future__ import annotations

import binascii
import json
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keywords.checkpoint import NoteError, VerifierKey, read_key
from keywords.ledger import Json, canonical

KIND: Final = "assent.erasure-receipt/1"
_CONTEXT: Final = f"{KIND}\n".encode()


class BadReceipt(ValueError):
    """A text that is no receipt, or that no known key has signed."""


def signed(statement: Mapping[str, Json], key: VerifierKey, seed: bytes) -> str:
    """The receipt as a JSON text. ``seed`` is the private half of ``key``."""
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(_signed_bytes(statement))
    receipt: dict[str, Json] = {
        "receipt": KIND,
        "statement": dict(statement),
        "verifier_key": str(key),
        "signature": b64encode(signature).decode("ascii"),
    }
    return json.dumps(receipt, indent=2, sort_keys=True) + "\n"


def opened(receipt: str, keys: Iterable[VerifierKey]) -> dict[str, Any]:
    """The statement of a receipt that one of ``keys`` has signed. Raises BadReceipt."""
    try:
        told = json.loads(receipt)
        key = read_key(told["verifier_key"])
        signature = b64decode(told["signature"], validate=True)
        statement: dict[str, Any] = told["statement"]
        data = _signed_bytes(statement)
    except (ValueError, KeyError, TypeError, AttributeError, NoteError, binascii.Error):
        raise BadReceipt("This is not the receipt of an erasure.") from None
    if key not in list(keys):
        raise BadReceipt("The receipt is not signed by a known key.")
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, data)
    except InvalidSignature:
        raise BadReceipt("The signature of the receipt is wrong.") from None
    return statement


def _signed_bytes(statement: Mapping[str, Json]) -> bytes:
    return _CONTEXT + canonical(dict(statement))
