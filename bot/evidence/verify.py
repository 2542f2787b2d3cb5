#!/usr/bin/env python3
"""Check the evidence that this file came with. It needs Python 3.9 or newer, and nothing else.

    python3 verify.py                  checks the folder that this file lies in
    python3 verify.py EVIDENCE.zip     checks a zip, without unpacking it
    python3 verify.py … --key KEY      checks the signatures against a key that you have from
                                       elsewhere: a file, or the text name+id+base64 itself

Exit code 0: everything holds. 1: something was changed, or is not proven. 2: it could not run.

What is checked, and how, is in README.txt. Every rule is in this file; nothing is asked of anybody.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import re
import sys
import zipfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

try:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
except ImportError:  # then the arithmetic below does it
    Ed25519PublicKey = None  # type: ignore[assignment,misc]

SUMS, NOTE, DOCUMENT = "SHA256SUMS", "SHA256SUMS.note", "evidence.json"
CHAIN, CHECKPOINT, KEYS = "ledger/chain.json", "ledger/checkpoint.txt", "ledger/verifier-key.txt"
CONSISTENCY = "ledger/consistency.json"
UNREADABLE = (ValueError, KeyError, TypeError, AttributeError, IndexError)
DESTROYED = '"change":"evidence_destroyed"'
SHOWN = ("disclosures/", "artifacts/")
OWN_KEY = (
    "The key came with the evidence, so this proves only that its parts fit each other. Whoever"
    " made all of it anew could sign it with a key of their own: get the public key from somewhere"
    " else, and give it with --key."
)
Say = Callable[[str, str], None]
Key = tuple[str, bytes, bytes]  # name, id, the 32 bytes
Point = tuple[int, int, int, int]
# The curve of Ed25519 (RFC 8032, section 5.1).
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


class Changed(Exception):
    """What does not hold: where, and one sentence."""


def sha(data: bytes) -> bytes:
    """SHA-256."""
    return hashlib.sha256(data).digest()


def x_of(y: int, sign: int) -> int:
    """The x of a point of the curve, from its y and the lowest bit of x."""
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or y >= P or (x == 0 and sign):
        raise ValueError("not a point of the curve")
    return P - x if x & 1 != sign else x


def point(data: bytes) -> Point:
    """A point from its 32 bytes."""
    number = int.from_bytes(data, "little")
    y = number & ((1 << 255) - 1)
    x = x_of(y, number >> 255)
    return (x, y, 1, x * y % P)


def add(a: Point, b: Point) -> Point:
    """The sum of two points."""
    e1, e2 = (a[1] - a[0]) * (b[1] - b[0]) % P, (a[1] + a[0]) * (b[1] + b[0]) % P
    e3, e4 = 2 * a[3] * b[3] * D % P, 2 * a[2] * b[2] % P
    e, f, g, h = e2 - e1, e4 - e3, e4 + e3, e2 + e1
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar: int, a: Point) -> Point:
    """A point added to itself ``scalar`` times."""
    found: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = add(found, a)
        a, scalar = add(a, a), scalar >> 1
    return found


def slowly(public: bytes, signature: bytes, message: bytes) -> bool:
    """Verify an Ed25519 signature with nothing but whole numbers (RFC 8032, section 5.1.7)."""
    y = 4 * pow(5, P - 2, P) % P
    try:
        base, key = (x_of(y, 0), y, 1, x_of(y, 0) * y % P), point(public)
        r, s = point(signature[:32]), int.from_bytes(signature[32:], "little")
    except ValueError:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    a, b = times(s, base), add(r, times(int.from_bytes(digest, "little") % ORDER, key))
    same = not (a[0] * b[2] - b[0] * a[2]) % P and not (a[1] * b[2] - b[1] * a[2]) % P
    return len(signature) == 64 and s < ORDER and same


def signed_by(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether an Ed25519 signature is right."""
    if Ed25519PublicKey is None:
        return slowly(public, signature, message)
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


class Note:
    """A signed text in the form of C2SP signed-note; ``signatures`` are (name, id, signature)."""

    def __init__(self, data: bytes, where: str) -> None:
        try:
            text, _, lines = data.decode().rpartition("\n\n")
            parts = [line.split(" ") for line in lines.split("\n")[:-1]]
            raw = [(name, base64.b64decode(code, validate=True)) for _, name, code in parts]
        except UNREADABLE:
            raise Changed(where, "was changed: it cannot be read as a signed text.") from None
        lines = "".join(f"\u2014 {n} {base64.b64encode(b).decode()}\n" for n, b in raw)
        if not raw or f"{text}\n\n{lines}".encode() != data:
            raise Changed(where, "was changed: it is not in the form of a signed text.")
        self.text, self.where = text + "\n", where
        self.signatures = [(name, b[:4], b[4:]) for name, b in raw]

    def check(self, keys: Sequence[Key]) -> None:
        """Raise unless one of ``keys`` has signed, and nobody forged a signature of one."""
        known = [(s[2], k) for s in self.signatures for k in keys if s[:2] == k[:2]]
        if not known:
            raise Changed(self.where, "is signed by another key than the one it is checked with.")
        for signature, key in known:
            if not signed_by(key[2], signature, self.text.encode()):
                raise Changed(self.where, "the signature is wrong: text or signature was changed.")


def read_keys(text: str, where: str) -> list[Key]:
    """Public keys, one a line: (name, id, 32 bytes)."""
    keys: list[Key] = []
    for line in text.split("\n"):
        if line.strip():
            try:
                name, identity, encoded = line.strip().split("+", 2)
                data = base64.b64decode(encoded, validate=True)
            except ValueError:
                raise Changed(where, "is not a public key (name+id+base64).") from None
            digest = sha(name.encode() + b"\n" + data)[:4]
            if data[:1] != b"\x01" or len(data) != 33 or digest.hex() != identity:
                raise Changed(where, "the public key was changed: its id does not fit it.")
            keys.append((name, digest, data[1:]))
    return keys


def climb(at: int, size: int, path: Sequence[bytes], leaf: bytes) -> bytes:
    """The root that an inclusion proof leads to (RFC 9162, 2.1.3.2)."""
    last, value = size - 1, leaf
    for part in path:
        if at & 1 or at == last:
            value = sha(b"\x01" + part + value)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            value = sha(b"\x01" + value + part)
        at, last = at >> 1, last >> 1
    return value if last == 0 else b""


def grown(old: int, new: int, path: Sequence[bytes], old_root: bytes) -> tuple[bytes, bytes]:
    """Both roots that a consistency proof makes (RFC 9162, 2.1.4.2)."""
    path = list(path) if old & (old - 1) else [old_root, *path]
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for part in path[1:]:
        if at & 1 or at == last:
            first, second = sha(b"\x01" + part + first), sha(b"\x01" + part + second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = sha(b"\x01" + second + part)
        at, last = at >> 1, last >> 1
    return first, second if last == 0 else b""


def check_sums(files: dict[str, bytes], say: Say) -> str:
    """Every file is in the list of digests and is what it was."""
    listed: dict[str, str] = {}
    for line in files[SUMS].decode("utf-8", "replace").split("\n"):
        digest, _, name = line.partition("  ")
        if line and (not re.fullmatch(r"[0-9a-f]{64}", digest) or not name or name in listed):
            say(SUMS, "was changed: a line of it is no digest and name.")
        elif line:
            listed[name] = digest
    for name in sorted(set(files) - {SUMS, NOTE} | set(listed)):
        if name not in files:
            say(name, "is missing.")
        elif name not in listed:
            say(name, "was added: it is not in the list of files.")
        elif sha(files[name]).hex() != listed[name]:
            say(name, "was changed: it is not the file that was exported.")
    return f"{len(listed)} files are, byte for byte, those that were exported"


def check_manifest(files: dict[str, bytes], keys: Sequence[Key], log: str) -> str:
    """The list of digests is the one that was signed at the export."""
    note = Note(files[NOTE], NOTE)
    note.check(keys)
    if note.text != f"assent.evidence/1\n{log}\n{sha(files[SUMS]).hex()}\n":
        raise Changed(NOTE, f"does not speak of this {SUMS}: one of the two was changed.")
    return "the list of files is the one that was signed at the export"


def read_checkpoint(data: bytes, keys: Sequence[Key], where: str, log: str) -> tuple[int, bytes]:
    """(size, root) of a signed checkpoint of this ledger."""
    note = Note(data, where)
    note.check(keys)
    origin, size, root = note.text.split("\n")[:3]
    if origin != f"assent.ledger/{log}":
        raise Changed(where, "is a checkpoint of another ledger.")
    return int(size), base64.b64decode(root, validate=True)


def check_entry(entry: Any, before: tuple[int, str], chain: Any, say: Say) -> None:
    """One entry: that it follows the one before it, and that nothing of it was altered."""
    n, envelope, evidence = before[0] + 1, json.loads(entry["envelope"]), entry["evidence"]
    where = f"ledger entry {entry['n']}"
    if entry["n"] != n:
        say(where, f"is not entry {n}: an entry was dropped, added or moved.")
    elif entry["prev"] != before[1]:
        say(where, "does not follow the entry before it.")
    data = b"\x01" + bytes.fromhex(entry["prev"]) + entry["envelope"].encode()
    if sha(data).hex() != entry["hash"]:
        say(where, "was altered: its hash does not fit its envelope.")
    place = (envelope["n"], envelope["subject"], envelope["log"])
    if place != (entry["n"], chain["subject"], chain["log"]):
        say(where, "belongs to another place, person or ledger.")
    if evidence is None:
        if n >= max((e["n"] for e in chain["entries"] if DESTROYED in e["envelope"]), default=0):
            say(where, "has no evidence, and no later entry says that it was erased.")
        return
    digest = sha(b"\x02" + bytes.fromhex(entry["salt"]) + evidence.encode())
    if digest.hex() != envelope["evidence"]:
        say(where, "its evidence was altered: it does not fit the digest in the envelope.")


def check_chain(chain: Any, say: Say) -> str:
    """The person's entries, first to last."""
    before = (0, bytes(32).hex())
    for entry in chain["entries"]:
        check_entry(entry, before, chain, say)
        before = (entry["n"], entry["hash"])
    gone = sum(entry["evidence"] is None for entry in chain["entries"])
    told = f"; the evidence of {gone} was erased, as a later entry says" if gone else ""
    return f"{len(chain['entries'])} ledger entries, each whole and after the one before it{told}"


def check_inclusion(chain: Any, checkpoint: tuple[int, bytes], say: Say) -> str:
    """Each entry is a leaf of the tree that the checkpoint signs."""
    size, root = checkpoint
    for entry in chain["entries"]:
        where, leaf = f"ledger entry {entry['n']}", entry["leaf"]
        if leaf is None:
            say(where, "is not proven: it is younger than the checkpoint. Ask for a later export.")
            continue
        path = [bytes.fromhex(part) for part in entry["path"]]
        first = sha(b"\x00" + bytes.fromhex(entry["hash"]))
        if not 0 <= leaf < size or climb(leaf, size, path, first) != root:
            say(where, "is not in the ledger that the checkpoint signs, or its proof was changed.")
    return f"all of them are in the signed checkpoint, which holds {size} entries"


def check_consistency(
    told: Any, keys: Sequence[Key], log: str, checkpoint: tuple[int, bytes]
) -> str:
    """The ledger of an older checkpoint is the beginning of this one."""
    size, root = read_checkpoint(told["checkpoint"].encode(), keys, CONSISTENCY, log)
    path = [bytes.fromhex(part) for part in told["path"]]
    if size < checkpoint[0]:
        same = size > 0 and grown(size, checkpoint[0], path, root) == (root, checkpoint[1])
    else:
        same = (size, root) == checkpoint and not path
    if not same:
        raise Changed(CONSISTENCY, "the ledger was rewritten after the older checkpoint.")
    return f"the older checkpoint of {size} entries is the beginning of this ledger"


def digests_in(value: Any) -> Iterator[str]:
    """Every SHA-256 by which evidence refers to something that was shown."""
    inner = value.items() if isinstance(value, dict) else [("", v) for v in value]
    for name, part in inner:
        if name in ("disclosure", "artifact", "artwork") and isinstance(part, str):
            yield part
        elif isinstance(part, (dict, list)):
            yield from digests_in(part)


def check_document(files: dict[str, bytes], chain: Any, say: Say) -> str:
    """What people read says what the ledger says, and what was shown is here, word for word."""
    told = json.loads(files[DOCUMENT])
    shown = {name.split("/")[1].split(".")[0]: name for name in files if name.startswith(SHOWN)}
    for digest, name in shown.items():
        if sha(files[name]).hex() != digest:
            say(name, "was changed: these are not the words or the picture that were shown.")
    if len(told["entries"]) != len(chain["entries"]):
        say(DOCUMENT, "tells of another number of entries than the ledger has.")
    for read, entry in zip(told["entries"], chain["entries"]):  # noqa: B905 - Python 3.9
        evidence = json.loads(entry["evidence"] or "null")
        if (read["envelope"], read["evidence"]) != (json.loads(entry["envelope"]), evidence):
            say(DOCUMENT, f"does not say what ledger entry {entry['n']} says.")
        for digest in digests_in(evidence or {}):
            if digest not in shown and digest not in told["missing"]:
                say(f"ledger entry {entry['n']}", f"what was shown is missing: {digest}.")
    return f"{len(shown)} texts and pictures are, byte for byte, the ones that were shown"


class Examination:
    """All checks, in order. ``holds`` and ``faults`` are what there is to say."""

    def __init__(self, files: dict[str, bytes], given: Sequence[Key]) -> None:
        self.holds: list[str] = []
        self.faults: list[str] = []
        run = self.run
        chain = run(CHAIN, lambda: json.loads(files[CHAIN]))
        keys = given or run(KEYS, lambda: read_keys(files[KEYS].decode(), KEYS)) or ()
        run(SUMS, lambda: check_sums(files, self.say))
        if chain is None:
            return
        log = str(chain.get("log")) if isinstance(chain, dict) else ""
        run(NOTE, lambda: check_manifest(files, keys, log))
        run(CHAIN, lambda: check_chain(chain, self.say))
        run(DOCUMENT, lambda: check_document(files, chain, self.say))
        sealed = run(CHECKPOINT, lambda: read_checkpoint(files[CHECKPOINT], keys, CHECKPOINT, log))
        if sealed is None:
            self.say(CHAIN, "nothing is proven to be in the ledger without a good checkpoint.")
            return
        run(CHAIN, lambda: check_inclusion(chain, sealed, self.say))
        if CONSISTENCY in files:
            told = run(CONSISTENCY, lambda: json.loads(files[CONSISTENCY]))
            run(CONSISTENCY, lambda: told and check_consistency(told, keys, log, sealed))

    def say(self, where: str, what: str) -> None:
        """Note a fault."""
        self.faults.append(f"{where}: {what}")

    def run(self, where: str, check: Callable[[], Any]) -> Any:
        """One check; None when it could not end. A sentence that it answers holds, if no fault."""
        before = len(self.faults)
        try:
            answer = check()
        except Changed as fault:
            self.say(*fault.args)
        except KeyError as fault:
            self.say(where, f"is missing, or lacks {fault}.")
        except UNREADABLE:
            self.say(where, "was changed: it cannot be read any more.")
        else:
            if isinstance(answer, str) and len(self.faults) == before:
                self.holds.append(answer)
            return answer
        return None


def load(place: Path) -> dict[str, bytes]:
    """The files of a zip or of a folder, by name. Raises Changed for a damaged zip."""
    if place.is_dir():
        files = (f for f in place.rglob("*") if f.is_file() and "__pycache__" not in f.parts)
        return {f.relative_to(place).as_posix(): f.read_bytes() for f in files}
    try:
        with zipfile.ZipFile(place) as archive:
            names = archive.namelist()
            if len(set(names)) < len(names):
                raise Changed(place.name, "holds two files of the same name: it was changed.")
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError, zlib.error) as error:
        raise Changed(place.name, f"is damaged or was changed ({error}).") from None


def main() -> int:
    """Check what the command line names, and say what holds. Answers the exit code."""
    parser = argparse.ArgumentParser(description="Check exported evidence.")
    parser.add_argument("place", nargs="?", type=Path, default=Path(__file__).resolve().parent)
    parser.add_argument("--key", action="append", default=[], metavar="KEY", help="file or text")
    options = parser.parse_args()
    try:
        texts = [
            k if k.count("+") > 1 else Path(k).read_text(encoding="utf-8") for k in options.key
        ]
        given = [key for text in texts for key in read_keys(text, "--key")]
    except (OSError, UnicodeDecodeError, Changed) as error:
        print(f"The key cannot be used: {error}", file=sys.stderr)
        return 2
    try:
        examined = Examination(load(options.place), given)
        holds, faults = examined.holds, examined.faults
    except Changed as fault:
        holds, faults = [], [": ".join(fault.args)]
    except OSError as error:
        print(f"The evidence cannot be read: {error}", file=sys.stderr)
        return 2
    for sentence in holds:
        print(f"holds    {sentence}")
    for sentence in faults:
        print(f"CHANGED  {sentence}")
    if not given:
        print(f"note     {OWN_KEY}")
    print("RESULT   " + (f"{len(faults)} things do not hold." if faults else "Everything holds."))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
