"""The floor of ``assent bench import``: what a plain script takes to read a list's numbers.

It reads the file with ``csv``, asks ``phonenumbers`` whether each number exists, writes those that
do in E.164, and keeps nothing. Run as a process of its own; its start is not counted.
"""

from __future__ import annotations

import csv
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Final

import phonenumbers

_MANY: Final = 1_000
_E164: Final = phonenumbers.PhoneNumberFormat.E164


@dataclass(slots=True)
class Floor:
    """Rows and numbers in use; CPU seconds of reading, of parsing and validating, of writing."""

    rows: int = 0
    valid: int = 0
    reading: float = 0.0
    numbers: float = 0.0
    writing: float = 0.0

    def __add__(self, other: Floor) -> Floor:
        """Both together."""
        mine, theirs = asdict(self), asdict(other)
        return Floor(**{name: mine[name] + theirs[name] for name in mine})

    def of(self, times: int) -> Floor:
        """One of several that were added up: the rows are those of one, the rest is the mean."""
        return Floor(
            self.rows // times,
            self.valid // times,
            self.reading / times,
            self.numbers / times,
            self.writing / times,
        )

    @property
    def script(self) -> float:
        """CPU seconds of all of it."""
        return self.reading + self.numbers + self.writing


def count(path: Path) -> Floor:
    """Read the first column of a file."""
    floor = Floor()
    with path.open(encoding="utf-8", errors="replace", newline="") as file:
        records = csv.reader(file)
        next(records)
        while True:
            began = time.process_time()
            cells = [record[0] if record else "" for record in islice(records, _MANY)]
            read = time.process_time()
            if not cells:
                return floor
            valid = _valid(cells)
            judged = time.process_time()
            written = [phonenumbers.format_number(number, _E164) for number in valid]
            floor += Floor(
                len(cells), len(written), read - began, judged - read, time.process_time() - judged
            )


def _valid(cells: Sequence[str]) -> list[phonenumbers.PhoneNumber]:
    found = []
    for cell in cells:
        try:
            number = phonenumbers.parse(cell, "US")
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_valid_number(number):
            found.append(number)
    return found


if __name__ == "__main__":
    print(json.dumps(asdict(count(Path(sys.argv[1])))))
