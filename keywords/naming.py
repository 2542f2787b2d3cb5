"""How evidence names things: the same way wherever it is written."""

from __future__ import annotations

from datetime import datetime

from keywords.ledger import Json, instant
from keywords.shop import Program


def named(program: Program) -> dict[str, Json]:
    """The program as evidence names it: names change, versions do not."""
    voice = program.voice
    told: dict[str, Json] = {
        "name": voice.name,
        "brand": voice.brand,
        "version": program.version,
    }
    return {"program": told}


def written(moment: datetime | None) -> str | None:
    """A moment as evidence writes it."""
    return instant(moment) if moment else None
