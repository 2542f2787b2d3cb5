"""What the ledger keeps of a row: which file and row said it, and what proof the row claims.

Two writers of the same thing. One makes a JSON value; the other, for a million rows, the canonical
bytes of that value at once. A test holds them to each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from keywords.importing.claims import Claim, Memo
from keywords.ledger import Json, canonical, instant
from keywords.turn import digest

_KEPT: Final = 20_000


@dataclass(frozen=True, slots=True)
class Filing:
    """A file that is imported: the number of the import, the file's SHA-256 in hex, who does it."""

    number: int
    file: str
    actor: str


class EvidenceWriter:
    """Writes the evidence of rows of one file."""

    def __init__(self, filing: Filing) -> None:
        self.filing = filing
        self._sources = Memo(_json)
        self._disclosures = Memo(lambda words: f'"{digest(words)}"' if words else "null")
        self._dates: dict[datetime, str] = {}
        self._middle = f'"file":"{filing.file}","import":{filing.number},'

    @property
    def actor(self) -> str:
        """Who imports."""
        return self.filing.actor

    def value(self, claim: Claim) -> dict[str, Json]:
        """The evidence as JSON: the key ``import`` and what the claim says."""
        row: dict[str, Json] = {
            "import": self.filing.number,
            "file": self.filing.file,
            "row": claim.row,
            "phone": claim.phone,
            "source": claim.source or None,
            "date": instant(claim.happened_at) if claim.happened_at else None,
            "disclosure": digest(claim.disclosure) if claim.disclosure else None,
        }
        if claim.missing:
            row["missing"] = list(claim.missing)
        return {"import": row}

    def row(self, claim: Claim) -> bytes:
        """The canonical bytes of what stands under the key ``import``."""
        missing = f'"missing":{_json_list(claim.missing)},' if claim.missing else ""
        return (
            f'{{"date":{self._date(claim.happened_at)}'
            f',"disclosure":{self._disclosures[claim.disclosure]}'
            f",{self._middle}{missing}"
            f'"phone":"{claim.phone}","row":{claim.row}'
            f',"source":{self._sources[claim.source]}}}'
        ).encode("ascii")

    def _date(self, moment: datetime | None) -> str:
        if moment is None:
            return "null"
        known = self._dates.get(moment)
        if known is None:
            if len(self._dates) >= _KEPT:
                self._dates.clear()
            known = self._dates[moment] = f'"{instant(moment)}"'
        return known


def _json(words: str) -> str:
    return canonical(words or None).decode("ascii")


def _json_list(words: tuple[str, ...]) -> str:
    return canonical(list(words)).decode("ascii")
