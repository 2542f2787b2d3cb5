"""Rows for COPY in PostgreSQL's binary form, made by hand: a row is the bytes of its columns.

psycopg formats a row column by column in Python. Where most columns of a million rows are the
same, their bytes can be made once, and a row is a join of those and the few that differ.
https://www.postgresql.org/docs/current/sql-copy.html (File Formats, Binary Format)
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

from storage.database import Connection

_HEADER: Final = b"PGCOPY\n\xff\r\n\0" + struct.pack(">ii", 0, 0)
_END: Final = struct.pack(">h", -1)
EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_DAY_ONE: Final = date(2000, 1, 1)
NULL: Final = struct.pack(">i", -1)
LENGTH: Final = struct.Struct(">i").pack
_SHORT: Final = 256
_LENGTHS: Final = [LENGTH(size) for size in range(_SHORT)]
_INT8: Final = struct.Struct(">q").pack
UUID_LENGTH: Final = LENGTH(16)
MOMENT_LENGTH: Final = LENGTH(8)
HASH_LENGTH: Final = LENGTH(32)
NUMBER_LENGTH: Final = LENGTH(8)
_SECOND: Final = 1_000_000
_PIECE: Final = 128 * 1024


def columns(count: int) -> bytes:
    """How a row of so many columns begins."""
    return struct.pack(">h", count)


def moment(value: datetime) -> bytes:
    """A timestamptz without its length: microseconds since 2000."""
    since = value - EPOCH
    return _INT8((since.days * 86_400 + since.seconds) * _SECOND + since.microseconds)


def number(value: int) -> bytes:
    """A bigint without its length."""
    return _INT8(value)


def field(value: str | bytes | int | bool | datetime | date | UUID | None) -> bytes:
    """A column with its length, of the type that the value has in our tables."""
    data = _bytes(value)
    return NULL if data is None else LENGTH(len(data)) + data


def text_field(words: str) -> bytes:
    """The same of a text, quickly."""
    data = words.encode()
    size = len(data)
    return (_LENGTHS[size] if size < _SHORT else LENGTH(size)) + data


def json_field(document: str) -> bytes:
    """A jsonb column with its length: a version number, then the text."""
    data = document.encode()
    return LENGTH(len(data) + 1) + b"\x01" + data


def _bytes(value: str | bytes | int | bool | datetime | date | UUID | None) -> bytes | None:
    match value:
        case None:
            return None
        case bool():
            return b"\x01" if value else b"\0"
        case int():
            return _INT8(value)
        case str():
            return value.encode()
        case bytes():
            return value
        case UUID():
            return value.bytes
        case datetime():
            return moment(value)
    return struct.pack(">i", (value - _DAY_ONE).days)


def copy(connection: Connection, table: str, names: Sequence[str], rows: Iterable[bytes]) -> None:
    """Send rows to a table. ``table`` and ``names`` are ours, never a user's."""
    given = [_HEADER, *rows, _END]
    if len(given) == len((_HEADER, _END)):
        return
    statement = f"COPY {table} ({', '.join(names)}) FROM STDIN (FORMAT BINARY)"
    # In pieces that psycopg sends as they are; larger ones it would copy first.
    whole = memoryview(b"".join(given))
    with connection.cursor().copy(statement) as sink:
        for at in range(0, len(whole), _PIECE):
            sink.write(whole[at : at + _PIECE])
