"""What the ledger keeps of a row: which file and row said it, and what proof the row claims.

Two writers of the same thing. One makes a JSON value; the other, for a million rows, the canonical
bytes of that value at once. A test holds them to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from keywords.importing.claims import Claim, Memo
from keywords.ledger import Json, canonical, instant
from keywords.turn import digest


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

    def repeats(self, claim: Claim, said: Mapping[str, Json]) -> bool:
        """Whether ``said``, kept by any import of any file, is what this file's row says now."""
        now = self.value(claim)["import"]
        assert isinstance(now, dict)
        return {**now, "import": None} == {**said, "import": None}

    def row(self, claim: Claim, when: str | None = None) -> bytes:
        """The canonical bytes of what stands under the key ``import``.

        ``when`` is the claim's time as the ledger writes it, None where it is not at hand.
        """
        if when is None and claim.happened_at is not None:
            when = instant(claim.happened_at)
        date = f'"{when}"' if when else "null"
        missing = f'"missing":{_json_list(claim.missing)},' if claim.missing else ""
        return (
            f'{{"date":{date}'
            f',"disclosure":{self._disclosures[claim.disclosure]}'
            f",{self._middle}{missing}"
            f'"phone":"{claim.phone}","row":{claim.row}'
            f',"source":{self._sources[claim.source]}}}'
        ).encode("ascii")


def _json(words: str) -> str:
    return canonical(words or None).decode("ascii")


def _json_list(words: tuple[str, ...]) -> str:
    return canonical(list(words)).decode("ascii")
