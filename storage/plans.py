"""What a chain of entries makes of a person, as a form with gaps for the times.

Entries that differ only in their times make states that differ only in times, because
``keywords.people.apply`` copies times and does nothing else with them. So a chain is replayed once
with made-up times, each another; where one ends up in the state is a gap of the form.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from keywords.consent import Change
from keywords.ledger import instant
from keywords.people import Person, Standing
from storage.projection import columns, replayed

# How a state is written, here and by the query that reads it: values with "=" before them so that
# nothing and an empty text differ, fields and lines kept apart by what no value may contain.
FIELD, LINE, VALUE = "|", "\n", "="
COLUMNS: Final = tuple(field.name for field in fields(Standing))
# A time has so many bytes.
TIME: Final = 27
_LINE: Final = LINE.encode()
_NOBODY: Final = UUID(int=0)
_FIRST: Final = datetime(2000, 1, 1, tzinfo=UTC)
_STRAYS: Final = frozenset(FIELD + LINE)


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
    """What a person's state must read: lines, with their chain's times in the gaps.

    ``length`` is the number of entries; a gap is a piece of those times, one behind the other.
    """

    length: int
    form: bytes
    gaps: Sequence[slice]

    def fits(self, times: bytes, lines: list[bytes]) -> bool:
        """Whether a person whose chain has these times has this state."""
        if len(lines) > 2:
            lines[1:] = sorted(lines[1:])
        return self.form % tuple([times[gap] for gap in self.gaps]) == _LINE.join(lines)


def plan_of(shapes: Sequence[Shape], kept: Sequence[bool]) -> Plan | None:
    """The plan for a chain of these shapes; None when there can be none.

    ``kept`` says whose evidence is there. It may be missing only below an entry that says it was
    destroyed, and must be missing there (``storage.verifying``).
    """
    told = [n for n, s in enumerate(shapes, 1) if s.fields["change"] == Change.EVIDENCE_DESTROYED]
    destroyed = max(told, default=0)
    number, envelopes = 0, []
    for n, (shape, there) in enumerate(zip(shapes, kept, strict=True), 1):
        if shape.n != n or there is not (n >= destroyed):
            return None
        envelopes.append(shape.at(number))
        number += 1 + len(shape.slots)
    try:
        return _plan(replayed(_NOBODY, envelopes), len(shapes))
    except (KeyError, ValueError, TypeError, AssertionError):
        return None


def _plan(person: Person, length: int) -> Plan:
    """The form of a state, with gaps where a made-up time has ended up. Raises ValueError."""
    gaps: list[slice] = []
    lines = [[person.language, "true" if person.suspended else "false"]]
    # As the lines of a state are sorted: by the whole line, which begins with the program.
    for _, standing in sorted(person.standings.items(), key=lambda item: item[0] + FIELD):
        values = columns(standing)
        lines.append([values[name] for name in COLUMNS])
    form = LINE.join(FIELD.join(_written(line, gaps)) for line in lines)
    return Plan(length, form.encode(), gaps)


def _written(values: Sequence[Any], gaps: list[slice]) -> Iterator[str]:
    for value in values:
        if isinstance(value, datetime):
            start = TIME * round((value - _FIRST) / timedelta(seconds=1))
            gaps.append(slice(start, start + TIME))
            yield VALUE + "%b"
        elif value is None:
            yield ""
        elif _STRAYS.isdisjoint(str(value)):
            yield VALUE + str(value).replace("%", "%%")
        else:
            raise ValueError("a value with a character that keeps values apart")


def _made_up(number: int) -> str:
    return instant(_FIRST + timedelta(seconds=number))
