"""What is held about a person as files: a JSON document, or a zip with a table per section."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from typing import Any, Final

DOCUMENT: Final = "person.json"
# What a spreadsheet would take for a formula is shown as the text that it is.
_FORMULA: Final = ("=", "@", "\t", "\r", "+", "-")


def document(export: Mapping[str, Any]) -> bytes:
    """The JSON document, for people and machines."""
    return (json.dumps(export, indent=2, ensure_ascii=False) + "\n").encode()


def zipped(export: Mapping[str, Any]) -> bytes:
    """The document, and each section that has rows as CSV."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(DOCUMENT, document(export))
        for section, rows in export["sections"].items():
            if rows:
                archive.writestr(f"{section}.csv", table(rows))
    return out.getvalue()


def table(rows: Sequence[Mapping[str, Any]]) -> bytes:
    """Rows as CSV, in UTF-8 with a mark by which spreadsheets know it."""
    out = io.StringIO()
    names = list(dict.fromkeys(name for row in rows for name in row))
    writer = csv.writer(out)
    writer.writerow(names)
    writer.writerows([_cell(row.get(name)) for name in names] for row in rows)
    return out.getvalue().encode("utf-8-sig")


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = value if isinstance(value, str) else json.dumps(value)
    number = text.lstrip("+-").replace(".", "", 1).isdecimal()
    return f"'{text}" if text.startswith(_FORMULA) and not number else text
