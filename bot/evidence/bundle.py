"""The zip: every file of an export, the list of their digests, and the signature over it."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from importlib import resources
from typing import Any, Final
from uuid import UUID

from bot.evidence import paper, records
from bot.evidence.document import Known, file_of
from bot.evidence.page import html
from bot.evidence.verify import CHAIN, CHECKPOINT, CONSISTENCY, DOCUMENT, KEYS, NOTE, SUMS
from keywords.ledger import Link
from storage.proving import Inclusion, Proven

_PACKAGE: Final = "bot.evidence"
_COPIED: Final = ("README.txt", "verify.py")
_READABLE: Final = 0o644 << 16

Files = dict[str, bytes]
# Signs a text under the name of the ledger with this identity: ``LedgerKey.sign_text``.
Signer = Callable[[UUID, str], str]


def files(told: Mapping[str, Any], known: Known, keys: Sequence[str]) -> Files:
    """Every file of an export by its name, but for the list of digests.

    ``keys`` are the public keys that its signatures verify with.
    """
    made = {name: _copied(name) for name in _COPIED}
    made[DOCUMENT] = _json(told)
    made["timeline.html"] = html(told).encode()
    made["timeline.pdf"] = paper.pdf(told)
    made[CHAIN] = _json(_chain(told["ledger"]["log"], known.held.chain, known.proven))
    if known.proven.checkpoint:
        made[CHECKPOINT] = known.proven.checkpoint.note.encode()
    made[KEYS] = "".join(f"{key}\n" for key in keys).encode()
    for row in known.shown.disclosures:
        made[f"disclosures/{row['digest']}.txt"] = row["text"].encode()
    for row in known.shown.artifacts:
        made[file_of(row)] = bytes(row["content"])
    for row in told["programs"]:
        made[row["file"]] = _json(
            {n: row[n] for n in ("program", "version", "published_at", "body")}
        )
    for record in records.records(told):
        made[records.file_of(record)] = _json(record)
    return made


def consistency(note: str, path: Sequence[bytes]) -> Files:
    """The proof that the ledger of an older checkpoint is the beginning of this one."""
    return {CONSISTENCY: _json({"checkpoint": note, "path": [part.hex() for part in path]})}


def packed(made: Files, log: UUID, sign: Signer, at: datetime) -> bytes:
    """The zip, with the list of digests and its signature."""
    sums = "".join(f"{_digest(data)}  {name}\n" for name, data in sorted(made.items()))
    said = f"assent.evidence/1\n{log}\n{_digest(sums.encode())}\n"
    whole = {**made, SUMS: sums.encode(), NOTE: sign(log, said).encode()}
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in sorted(whole):
            entry = zipfile.ZipInfo(name, at.timetuple()[:6])
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, _READABLE
            archive.writestr(entry, whole[name])
    return out.getvalue()


def _copied(name: str) -> bytes:
    return (resources.files(_PACKAGE) / name).read_bytes()


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _json(value: Any) -> bytes:
    return (json.dumps(value, indent=2, ensure_ascii=False) + "\n").encode()


def _chain(log: str | None, chain: Sequence[Link], proven: Proven) -> dict[str, Any]:
    proofs = {entry.n: entry for entry in proven.entries}
    return {
        "log": log,
        "subject": str(chain[0].subject) if chain else None,
        "entries": [_entry(link, proofs.get(link.n)) for link in chain],
    }


def _entry(link: Link, proof: Inclusion | None) -> dict[str, Any]:
    return {
        "n": link.n,
        "prev": link.prev.hex(),
        "envelope": link.envelope.decode("ascii"),
        "hash": link.hash.hex(),
        "salt": link.salt.hex() if link.salt is not None else None,
        "evidence": link.evidence.decode("ascii") if link.evidence is not None else None,
        "leaf": proof.leaf if proof else None,
        "path": [part.hex() for part in proof.path] if proof else [],
    }
