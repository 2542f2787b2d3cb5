"""Many rows for many tables in one statement: each table's rows travel as one JSON document.

psycopg writes an array parameter element by element in Python; a JSON document is written in C
and unpacked by the server (``json_to_recordset``). One statement with a common table expression
for each table costs one round trip, whatever it writes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from storage.database import Connection

Row = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Rowset:
    """Rows of one table: the SQL type of each column, and what the statement does with them.

    ``statement`` has ``{rows}`` where they are read from, and is an INSERT of them by default.
    ``conflict`` is its ON CONFLICT clause.
    """

    table: str
    columns: Mapping[str, str]
    conflict: str = ""
    statement: str = "INSERT INTO {table} AS t ({names}) SELECT {names} FROM {rows} {conflict}"

    def sql(self, parameter: str) -> str:
        """The statement, reading its rows from the JSON document named ``parameter``."""
        types = ", ".join(f"{name} {kind}" for name, kind in self.columns.items())
        return self.statement.format(
            table=self.table,
            names=", ".join(self.columns),
            rows=f"json_to_recordset(%({parameter})s::json) AS r ({types})",
            conflict=self.conflict,
        )


class Batch:
    """A fixed set of rowsets that are written together.

    ``then`` are more queries of the same statement, each after a comma, which may read the rowsets
    by their names.
    """

    def __init__(self, then: str = "", /, **rowsets: Rowset) -> None:
        parts = [f"{name} AS ({rowset.sql(name)})" for name, rowset in rowsets.items()]
        self._sql: Final = f"WITH {', '.join(parts)}{then} SELECT"
        self._nothing: Final = dict.fromkeys(rowsets, "[]")

    def write(self, connection: Connection, **rows: Sequence[Row]) -> None:
        """Write the rows of each named rowset, in one round trip; none where there are no rows."""
        if any(rows.values()):
            self.send(connection, **rows)

    def send(self, connection: Connection, **rows: Sequence[Row]) -> None:
        """The same, sent without any row too: for somebody who must not be able to tell."""
        documents = {name: _encode(list(given)) for name, given in rows.items() if given}
        connection.execute(self._sql, self._nothing | documents, prepare=True)


def _default(value: object) -> str:
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value)


# One encoder, kept: ``json.dumps`` with options builds one at every call.
_encode: Final = json.JSONEncoder(
    default=_default, separators=(",", ":"), check_circular=False
).encode
