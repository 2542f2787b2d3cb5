"""Everything that decides what an import of a file does, as one value that can be stored."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from keywords.importing import cells
from keywords.importing.claims import Rules
from keywords.importing.columns import Columns, Role
from keywords.importing.dates import DateOrder
from keywords.importing.folding import fold
from keywords.importing.shape import Shape
from keywords.ledger import canonical
from keywords.shop import Shop


@dataclass(frozen=True, slots=True)
class Task:
    """How a file is read, and what is true of all its rows.

    ``program`` is a slug, None where rows say it; ``country`` ISO; ``constants`` source, date and
    disclosure given once; ``parts`` by how many processes the rows are shared out.
    """

    shape: Shape
    columns: Columns
    program: str | None
    country: str | None = None
    date_order: DateOrder | None = None
    oldest_years: int = cells.OLDEST_YEARS
    constants: Mapping[Role, str] = field(default_factory=dict)
    parts: int = 1

    def as_json(self) -> dict[str, Any]:
        """The form in which it is stored."""
        return {
            "shape": asdict(self.shape),
            "columns": {
                "width": self.columns.width,
                "roles": {str(role): at for role, at in self.columns.roles.items()},
                "attributes": [list(pair) for pair in self.columns.attributes],
                "header": list(self.columns.header),
            },
            "program": self.program,
            "country": self.country,
            "date_order": self.date_order,
            "oldest_years": self.oldest_years,
            "constants": {str(role): words for role, words in self.constants.items()},
            "parts": self.parts,
        }

    def digest(self, file_digest: str) -> str:
        """The same for the same file with the same task, however many processes do it."""
        said = self.as_json() | {"parts": None, "file": file_digest}
        return hashlib.sha256(canonical(said)).hexdigest()

    def rules(self, shop: Shop, now: datetime) -> Rules:
        """How rows are to be read, in this shop; ``now`` is what dates are compared with."""
        programs = {fold(p.voice.name): p.slug for p in shop.programs.values()}
        programs |= {fold(slug): slug for slug in shop.programs}
        return Rules(
            self.columns,
            programs,
            {p.slug: p.countries for p in shop.programs.values()},
            now,
            self.program,
            self.country,
            self.date_order,
            self.oldest_years,
            self.constants,
        )


def read_task(stored: Mapping[str, Any]) -> Task:
    """The task that :meth:`Task.as_json` wrote."""
    columns = stored["columns"]
    order = stored["date_order"]
    return Task(
        shape=Shape(**stored["shape"]),
        columns=Columns(
            columns["width"],
            {Role(role): at for role, at in columns["roles"].items()},
            tuple((name, at) for name, at in columns["attributes"]),
            tuple(columns["header"]),
        ),
        program=stored["program"],
        country=stored["country"],
        date_order=DateOrder(order) if order else None,
        oldest_years=stored["oldest_years"],
        constants={Role(role): words for role, words in stored["constants"].items()},
        parts=stored["parts"],
    )
