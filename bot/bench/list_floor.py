"""The floor of ``assent bench import``: read the file, parse and validate each number, no more.

Run as a process of its own, so that its CPU and memory can be told from ours.
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import phonenumbers


def count(path: Path) -> tuple[int, int]:
    """Rows of the file, and how many of them have a number that is in use."""
    rows = valid = 0
    with path.open(encoding="utf-8-sig", newline="") as file:
        records = csv.reader(file)
        next(records)
        for record in records:
            rows += 1
            valid += _is_valid(record[0])
    return rows, valid


def _is_valid(cell: str) -> bool:
    try:
        number = phonenumbers.parse(cell, "US")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_valid_number(number)


if __name__ == "__main__":
    print(*count(Path(sys.argv[1])))
