"""Checkpoints: what the ledger was at a size, in one signed text that anybody can keep.

The forms are those of C2SP, read by the tools of other transparency logs: the text of
https://c2sp.org/tlog-checkpoint (origin, number of leaves, root), signed as
https://c2sp.org/signed-note with Ed25519. Whoever kept an old checkpoint can prove that history was
altered since; the database alone cannot refute them. Keys are written as ``name+id+base64``, the
form that Go's ``sumdb/note`` introduced. Vectors: ``tests/keywords/checkpoint_vectors.json``.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from keywords.merkle import HASH_BYTES

SEED_BYTES: Final = 32
_ED25519: Final = b"\x01"
_ID_BYTES: Final = 4
_SIGNED_BY: Final = "— "
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,17}", re.ASCII)
_NAME: Final = re.compile(r"[^\s+]+")
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f]")


class NoteError(ValueError):
    """A text that is not a signed checkpoint, or that no known key has signed."""


class WrongSignature(NoteError):
    """A signature that claims to be by a known key and is not."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The number of leaves of the log ``origin`` at some moment, and their root."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """The lines that are signed."""
        return f"{self.origin}\n{self.size}\n{_base64(self.root)}\n"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A public key and the name that it signs under."""

    name: str
    public: bytes

    @property
    def id(self) -> bytes:
        """Four bytes that tell a signature line's key from others of the same name."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{_base64(_ED25519 + self.public)}"


def origin_of(log: UUID) -> str:
    """How a ledger is named in its checkpoints; its identity is part of every entry too."""
    return f"assent.ledger/{log}"


def verifier_key(name: str, seed: bytes) -> VerifierKey:
    """The public half of the key whose private half is ``seed`` (32 bytes)."""
    return VerifierKey(
        name, Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
    )


def read_key(text: str) -> VerifierKey:
    """The key that ``str`` of a :class:`VerifierKey` wrote. Raises NoteError."""
    name, _, rest = text.strip().partition("+")
    identity, _, encoded = rest.partition("+")
    data = _bytes(encoded)
    if not _NAME.fullmatch(name) or data[:1] != _ED25519 or len(data) != 1 + SEED_BYTES:
        raise NoteError("This is not the public key of a checkpoint (name+id+base64, Ed25519).")
    key = VerifierKey(name, data[1:])
    if key.id.hex() != identity:
        raise NoteError("The public key does not have the id that stands in it.")
    return key


def sign(checkpoint: Checkpoint, seed: bytes) -> str:
    """The signed note of a checkpoint, by the log's own key (its name is the origin)."""
    return sign_text(checkpoint.text(), checkpoint.origin, seed)


def sign_text(text: str, name: str, seed: bytes) -> str:
    """The signed note of any text that ends with a newline.

    Its first line says what it is, so that no text can pass for a checkpoint: that of a checkpoint
    is the name of its log.
    """
    key = verifier_key(name, seed)
    signature = Ed25519PrivateKey.from_private_bytes(seed).sign(text.encode())
    return f"{text}\n{_SIGNED_BY}{key.name} {_base64(key.id + signature)}\n"


def read(note: str) -> Checkpoint:
    """What a signed note says, whoever signed it. Raises NoteError when it has another form."""
    text, _ = _parted(note)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise NoteError("The text is not a checkpoint: origin, size and root, a line each.")
    root = _bytes(lines[2])
    if len(root) != HASH_BYTES or _base64(root) != lines[2]:
        raise NoteError("The root in the checkpoint is not a SHA-256 hash in base64.")
    return Checkpoint(lines[0], int(lines[1]), root)


def signers(note: str, keys: Iterable[VerifierKey]) -> list[VerifierKey]:
    """Which of ``keys`` have signed a note. Lines of other keys are passed over.

    Raises NoteError when it is no note, WrongSignature when a line is under the name and id of a
    known key and does not verify.
    """
    text, lines = _parted(note)
    known = {(key.name, key.id): key for key in keys}
    found = []
    for name, data in _signatures(lines):
        key = known.get((name, data[:_ID_BYTES]))
        if key is not None:
            _verify(text, key, data[_ID_BYTES:])
            found.append(key)
    return found


def open_note(note: str, keys: Iterable[VerifierKey]) -> Checkpoint:
    """The checkpoint in a note that at least one of ``keys`` has signed. Raises NoteError."""
    checkpoint = read(note)
    if not signers(note, keys):
        raise NoteError("The checkpoint is not signed by a known key.")
    return checkpoint


def _verify(text: str, key: VerifierKey, signature: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, text.encode())
    except InvalidSignature:
        raise WrongSignature("The signature of the checkpoint is wrong.") from None


def _parted(note: str) -> tuple[str, str]:
    """The signed text, with its last newline, and the signature lines."""
    text, blank, lines = note.rpartition("\n\n")
    if not blank or not lines.endswith("\n") or _CONTROL.search(note):
        raise NoteError("This is not a signed note.")
    return f"{text}\n", lines


def _signatures(lines: str) -> Iterator[tuple[str, bytes]]:
    for line in lines.split("\n")[:-1]:
        name, space, encoded = line.removeprefix(_SIGNED_BY).partition(" ")
        data = _bytes(encoded)
        well_formed = line.startswith(_SIGNED_BY) and space and _NAME.fullmatch(name)
        if not well_formed or len(data) <= _ID_BYTES:
            raise NoteError("A signature line of the note has another form.")
        yield name, data


def _base64(data: bytes) -> str:
    return b64encode(data).decode("ascii")


def _bytes(encoded: str) -> bytes:
    """The bytes of standard base64; none when it is not."""
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        return b""
