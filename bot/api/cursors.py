"""Pages: opaque cursors that say where the next one begins."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from bot.api.problems import FieldError, Problem, invalid

Row = TypeVar("Row")
_BIGGEST: Final = 2**63 - 1


def encode(*place: Any) -> str:
    """The cursor for a place in a list. It is no secret, but nothing to be built by hand either."""
    written = [p if isinstance(p, int) else str(p) for p in place]
    data = json.dumps(written, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def decode(cursor: str | None, *kinds: type) -> tuple[Any, ...] | None:
    """The place that ``cursor`` says, one value for each kind; None for the beginning.

    Kinds are str, int, UUID and datetime. Raises :class:`Problem` for a cursor of another list,
    or none at all.
    """
    if cursor is None:
        return None
    try:
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if not isinstance(values, list) or len(values) != len(kinds):
            raise _bad()
        return tuple(_READ[kind](value) for kind, value in zip(kinds, values, strict=True))
    except (ValueError, binascii.Error, RecursionError):
        raise _bad() from None


def split(
    rows: Sequence[Row], limit: int, place: Callable[[Row], Sequence[Any]]
) -> tuple[Sequence[Row], str | None]:
    """The rows of a page and the next page's cursor. ``rows`` were asked for with one to spare."""
    if len(rows) <= limit:
        return rows, None
    return rows[:limit], encode(*place(rows[limit - 1]))


def _bad() -> Problem:
    message = "Use the cursor of the page before, unchanged, with the same filters."
    return invalid([FieldError("cursor", message, "cursor", "query")])


def _text(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value:
        raise ValueError
    value.encode()
    return value


def _number(value: Any) -> int:
    if type(value) is not int or not -_BIGGEST <= value <= _BIGGEST:
        raise ValueError
    return value


def _moment(value: Any) -> datetime:
    moment = datetime.fromisoformat(_text(value))
    if moment.tzinfo is None:
        raise ValueError
    return moment


_READ: Final[dict[type, Callable[[Any], Any]]] = {
    str: _text,
    int: _number,
    UUID: lambda value: UUID(_text(value)),
    datetime: _moment,
}
