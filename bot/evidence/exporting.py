"""Make an export from the database: read, prove, write down, sign."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from bot.evidence import bundle
from bot.evidence.document import Known, Made, document, referred, versions
from keywords.checkpoint import NoteError, open_note, read_key
from keywords.merkle import ProofError
from storage import checkpoints, evidence
from storage.database import Connection
from storage.proving import prove_consistency, prove_subject
from storage.signing import LedgerKey

_NAME: Final = "evidence"


class NotOurs(ValueError):
    """An older checkpoint that this ledger does not continue: one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Of whom (a number in E.164, or the reference of somebody who was erased), by whom, and why.

    ``since`` is an older signed checkpoint, to prove that today's ledger continues it.
    """

    which: str | UUID
    by: str
    reason: str
    since: str | None = None


@dataclass(frozen=True, slots=True)
class Export:
    """The zip. ``unsealed`` counts entries that it cannot prove yet."""

    content: bytes
    subject: UUID
    entries: int
    unsealed: int

    @property
    def file_name(self) -> str:
        """How to call it: it names nobody."""
        return f"{_NAME}-{self.subject}.zip"


def read(
    connection: Connection, pepper: str, wanted: Wanted
) -> tuple[dict[str, Any], Known] | None:
    """The document and what it was made of; None for somebody of whom nothing is held."""
    held = evidence.held(connection, wanted.which)
    if held is None:
        return None
    phone = held.person["phone"]
    proven = prove_subject(connection, UUID(held.person["ref"]))
    known = Known(
        held,
        proven,
        evidence.shown(connection, referred(held.chain)),
        evidence.programs(connection, versions(held.chain)),
        evidence.suppression(connection, pepper, phone) if phone else None,
    )
    made = Made(evidence.now(connection), wanted.by, wanted.reason)
    return document(made, known), known


def export(connection: Connection, pepper: str, key: LedgerKey, wanted: Wanted) -> Export | None:
    """The zip about one person; None for somebody of whom nothing is held. Raises NotOurs."""
    found = read(connection, pepper, wanted)
    if found is None:
        return None
    told, known = found
    log = checkpoints.log_id(connection)
    told["ledger"]["log"] = str(log)
    sealed = known.proven.checkpoint
    keys = [str(key.verifier_key(log)), *([sealed.verifier_key] if sealed else [])]
    files = bundle.files(told, known, list(dict.fromkeys(keys)))
    if wanted.since is not None:
        files |= _consistent(connection, wanted.since, sealed)
    content = bundle.packed(files, log, key.sign_text, evidence.now(connection))
    subject = UUID(told["person"]["ref"])
    return Export(content, subject, len(told["entries"]), told["ledger"]["unsealed"])


def _consistent(
    connection: Connection, note: str, sealed: checkpoints.Sealed | None
) -> Mapping[str, bytes]:
    if sealed is None:
        raise NotOurs("The ledger has no checkpoint yet.")
    try:
        old = open_note(note, [read_key(sealed.verifier_key)])
        path = prove_consistency(connection, old.size, sealed.size)
    except (NoteError, ProofError) as error:
        raise NotOurs(f"This is no older checkpoint of this ledger: {error}") from None
    return bundle.consistency(note, path)
