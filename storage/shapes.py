"""What ledger entries have in common, so that a million of them need not be parsed one by one.

Most entries differ in nothing but identities and times. Cut those out and an entry is one of a
few dozen *shapes*, and a person's chain one of a few hundred. A shape is read, checked and replayed
in full when it is first met; after that, equal bytes mean equal results:

- :meth:`Shapes.learn` parses an envelope, and writes it anew from what the columns say. Only if
  that gives the very bytes that were cut, the shape is known. An entry with the same pieces around
  its own identities and times is therefore sound without being parsed.
- :meth:`Shapes.plan` replays a chain of shapes with made-up times, each another, and looks where
  they end up in the person's state: ``keywords.people.apply`` only ever copies them. The plan says
  what the current state must read, given the real times.

Whatever does not fit (another form, an odd character, a time inside a sentence) is no fault: it
has no shape, and is left to the exact check (``storage.verifying``).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from keywords.ledger import Json, canonical, instant
from keywords.people import Person, Standing
from storage.projection import columns as standing_columns
from storage.projection import replayed

# How a state is written, here and by the query that reads it: values with "=" before them so that
# nothing and an empty text differ, fields and lines kept apart by what no value may contain.
FIELD, LINE, VALUE = "|", "\n", "="
COLUMNS: Final = tuple(field.name for field in fields(Standing))
# The columns that a kind is made of, in the order of the query that reads them.
KIND: Final = ("change", "method", "program", "placement", "n")
# A time that is the whole value of a term: the text before it ends a name.
INSTANT: Final = re.compile(rb'":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z)"')
END: Final = b',"v":1}'
_AT: Final = "@"
_NOBODY: Final = UUID(int=0)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_STRAYS: Final = frozenset(FIELD + LINE)
# A memory, not a store: forgotten when it grows, as nothing depends on it.
_MOST: Final = 100_000

# Head, kind, literal, and what stands between the times of the tail.
Key = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Shape:
    """An entry's number, the part of its envelope that a replay reads, which terms are times."""

    n: int
    fields: Mapping[str, Any]
    slots: Sequence[str]

    def at(self, number: int) -> dict[str, Any]:
        """An envelope whose times are made up from ``number`` on: when it happened comes first."""
        terms = dict(self.fields["terms"])
        for offset, name in enumerate(self.slots, 1):
            terms[name] = _made_up(number + offset)
        return {**self.fields, "terms": terms, "occurred_at": _made_up(number)}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person's state must read: ``form`` with their chain's times, by number, in it."""

    form: bytes
    gaps: Sequence[int]

    def state(self, times: Sequence[bytes]) -> bytes:
        """The state of a person whose chain has these times."""
        return self.form % tuple([times[gap] for gap in self.gaps])


class Shapes:
    """The shapes and plans that were met so far."""

    def __init__(self) -> None:
        self.known: dict[Key, int] = {}
        self.plans: dict[tuple[int, ...], Plan | None] = {}
        self._shapes: dict[int, Shape] = {}
        self._last = 0

    def learn(self, key: Key, envelope: bytes) -> int:
        """The number of a shape that is met for the first time; 0 when it cannot have one."""
        if len(self.known) >= _MOST:
            self.known.clear()
            self._shapes.clear()
        shape = _shape(key, envelope)
        if shape is None:
            return 0
        # A number is never given again: chains under way may hold one that was forgotten.
        self._last += 1
        self._shapes[self._last] = shape
        self.known[key] = self._last
        return self._last

    def plan(self, chain: tuple[int, ...]) -> Plan | None:
        """The plan for a chain of shapes, made the first time; None when there can be none."""
        if chain not in self.plans:
            if len(self.plans) >= _MOST:
                self.plans.clear()
            self.plans[chain] = self._made(chain) if self._shapes.keys() >= set(chain) else None
        return self.plans[chain]

    def _made(self, chain: tuple[int, ...]) -> Plan | None:
        number, envelopes = 0, []
        for n, place in enumerate(chain, 1):
            shape = self._shapes[place]
            if shape.n != n:
                return None
            envelopes.append(shape.at(number))
            number += 1 + len(shape.slots)
        try:
            person = replayed(_NOBODY, envelopes)
        except (KeyError, ValueError, TypeError, AssertionError):
            return None
        return _plan(person)


def _shape(key: Key, envelope: bytes) -> Shape | None:
    """The shape of an envelope, if the columns in its key make the same pieces."""
    head, kind, literal, *tail = key
    told = kind.decode().split(FIELD)
    try:
        read = json.loads(envelope)
        terms = read["terms"]
        columns = dict(zip(KIND, map(_value, told), strict=True))
        n = int(columns["n"] or 0)
        pieces = _pieces(read, columns, n)
        written = INSTANT.split(canonical(terms) + END)
    except (ValueError, KeyError, TypeError, AttributeError):
        return None
    slots = [name for name in sorted(terms) if INSTANT.fullmatch(f'":"{terms[name]}"'.encode())]
    if pieces != (head, literal) or written[::2] != tail or len(slots) != len(written) // 2:
        return None
    return Shape(n, read, slots)


def _pieces(read: Mapping[str, Any], told: Mapping[str, str | None], n: int) -> tuple[bytes, bytes]:
    """The head and the literal that an entry with these columns must have.

    ``actor``, ``before``, ``after`` and the program's version have no columns: they are taken as
    they are, if they are of the right kind. Raises ValueError, TypeError or KeyError.
    """
    version, terms = read["program_version"], read["terms"]
    texts = [read[name] for name in ("actor", "after", "before")] + [*terms, *terms.values()]
    if not (version is None or type(version) is int) or not all(type(t) is str for t in texts):
        raise TypeError("a value of another kind than the ledger writes")
    if terms.get("placement") != told["placement"]:
        raise ValueError("the placement is not that of the terms")
    head: dict[str, Json] = {name: read[name] for name in ("actor", "after", "before")}
    middle: dict[str, Json] = {"n": n, "occurred_at": _AT, "program_version": version}
    said = {name: told[name] for name in ("method", "program")}
    return (
        canonical({**head, "change": told["change"]})[:-1] + b",",
        b"," + canonical({**middle, **said})[1:-1] + b',"recorded_at":"',
    )


def _value(text: str) -> str | None:
    """A column as the query wrote it: nothing, or "=" and the value."""
    return text.removeprefix(VALUE) if text else None


def _plan(person: Person) -> Plan | None:
    """The form of a state, with gaps where a made-up time has ended up."""
    gaps: list[int] = []
    lines = [[person.language, "true" if person.suspended else "false"]]
    for _, standing in sorted(person.standings.items()):
        values = standing_columns(standing)
        lines.append([values[name] for name in COLUMNS])
    try:
        form = LINE.join(FIELD.join(_written(line, gaps)) for line in lines)
    except ValueError:
        return None
    return Plan(form.encode(), gaps)


def _written(values: Sequence[Any], gaps: list[int]) -> Iterator[str]:
    for value in values:
        if isinstance(value, datetime):
            gaps.append(round((value - _FIRST) / timedelta(seconds=1)))
            yield VALUE + "%b"
        elif value is None:
            yield ""
        elif _STRAYS.isdisjoint(str(value)):
            yield VALUE + str(value).replace("%", "%%")
        else:
            raise ValueError("a value with a character that keeps values apart")


def _made_up(number: int) -> str:
    return instant(_FIRST + timedelta(seconds=number))
