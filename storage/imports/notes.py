"""What an import keeps about itself in each batch: findings, counts, and how far it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from keywords.importing.claims import Claim, Finding
from storage.copying import columns, copy, field
from storage.database import Connection

_FINDINGS: Final = ("import_id", "row", "code", "detail")
_ADVANCE: Final = """
UPDATE import_parts SET position = %(position)s, done = %(done)s, counts = %(counts)s::jsonb,
                        share_read = %(share)s, touched_at = assent_now()
WHERE import_id = %(import)s AND part = %(part)s
"""


@dataclass(frozen=True, slots=True)
class Read:
    """Some rows as they were read: claims, and findings about those that are none.

    ``position`` is the last row that belongs to them, ``share`` how much of the file was read (0
    to 1), ``done`` whether this is its end.
    """

    claims: Sequence[Claim]
    findings: Sequence[Finding]
    position: int
    share: float = 0.0
    done: bool = False


def note(
    connection: Connection,
    number: int,
    part: int,
    rows: Read,
    found: Sequence[Finding],
    counts: Mapping[str, int],
) -> None:
    """Keep the findings of a batch of import ``number``, and all its counts so far."""
    start = columns(len(_FINDINGS)) + field(number)
    copy(
        connection,
        "import_findings",
        _FINDINGS,
        (start + field(f.row) + field(str(f.code)) + field(f.detail) for f in found),
    )
    values: dict[str, Any] = {
        "position": rows.position,
        "done": rows.done,
        "counts": _json(counts),
        "share": rows.share,
        "import": number,
        "part": part,
    }
    connection.execute(_ADVANCE, values, prepare=True)


def _json(counts: Mapping[str, int]) -> str:
    return "{" + ",".join(f'"{code}":{times}' for code, times in sorted(counts.items())) + "}"
