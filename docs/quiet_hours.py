"""The page about quiet hours, made from the tables that are in force.

For compliance officers: every row with its source and what is in doubt, the holidays with their
dates, and what changes when.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date
from typing import Final

from worker.policy import holidays, hours
from worker.policy.hours import Hours, Row

_HEAD: Final = """\
# Quiet hours

Made by `python -m docs.generate` from `worker/data/quiet_hours.toml` and `holidays.toml`. Do not
edit. Version {version}, read against the sources on {checked}; to be read again by {review}.

A marketing text goes only in the hours below, by the clock of the person who gets it, and early
enough to be delivered before they end. Who may be in several places, or under several laws, gets it
only in the hours that all of them allow ([decision
0017](decisions/0017-the-law-of-every-place-counts.md)). Many of these laws spare texts that were
agreed to. Assent keeps the hours all the same. This is not legal advice.

"How sure" is P for the text of the law itself, V for a vendor's documentation, S for a secondary
source, U for unverified; the sources are listed at the end. Where sources differ, the stricter side
is in force and the other one is named.
"""
_PRESETS: Final = """\
## Presets

A campaign names one of four presets. The hours of the person's country are kept under each of
them; outside the United States only those of `national_safe` and `strictest` are kept beside them.

| preset | what it adds |
|---|---|
| `state_table` | the default: the law of every state that the person may be in, or `strictest` |
| `strictest` | the laws of all states at once: {strictest} |
| `national_safe` | one window for everybody: {safe}. Not inside every state's law |
| `federal` | nothing |
"""
_DAYS: Final = ("Mon–Fri", "Sat", "Sun")
_MONDAY, _SATURDAY, _SUNDAY = 0, 5, 6


def quiet_hours() -> str:
    """The page, as of the day on which the table was checked."""
    day = hours.CHECKED_ON
    rows = {row.id: row for row in hours.in_force(day)}
    presets = _PRESETS.format(
        strictest=_in_words(rows["strictest"]), safe=_in_words(rows["national_safe"])
    )
    head = _HEAD.format(version=hours.VERSION, checked=day, review=hours.REVIEW_BY)
    states = [rows[state] for state in hours.STATES if state in rows]
    others = [row for row in rows.values() if row not in states and row.id != "strictest"]
    return "\n".join(
        [
            *(head, presets, "## Countries, presets, reminders", "", *_table(others), ""),
            *("## States", "", _STATES, *_table(states), ""),
            *("## What changed, and what will", "", *_changes(), ""),
            *("## Holidays", "", _HOLIDAYS, *_calendars(day.year), ""),
            *("## Sources", "", *(f"- {key}: {told}" for key, told in hours.SOURCES.items()), ""),
        ]
    )


_STATES: Final = """\
States that are not listed have no stricter hours that we know of: the federal row alone applies.
"""
_HOLIDAYS: Final = """\
Days are computed from their rule, for any year. A holiday on a weekend closes the working day next
to it as well. What a government closes once (Louisiana's states of emergency, for instance) is a
`closure` in `holidays.toml`; {count} in this version.
""".format(count=len(holidays.CLOSURES) or "none is")


_KEYS: Final = {told: key for key, told in hours.SOURCES.items()}


def _table(rows: Sequence[Row]) -> Iterator[str]:
    yield "| | Mon–Fri | Sat | Sun | holidays | at most | law | how sure | notes |"
    yield "|---|---|---|---|---|---|---|---|---|"
    for row in rows:
        week = [_hours(row.week[day]) for day in (_MONDAY, _SATURDAY, _SUNDAY)]
        closed = ", ".join(row.holidays).replace("_", " ") or "–"
        cells = [_name(row), *week, closed, _cap(row), row.cite, f"{row.mark}, {_KEYS[row.source]}"]
        yield f"| {' | '.join(cells)} | {_notes(row)} |"


def _name(row: Row) -> str:
    return f"**{row.id}** {row.name}"


def _hours(window: Hours | None) -> str:
    return "none" if window is None else f"{_clock(window[0])}–{_clock(window[1])}"


def _clock(minutes: int) -> str:
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02d}" if minute else str(hour)


def _cap(row: Row) -> str:
    if row.cap is None:
        return "–"
    subject = " of a subject" if row.cap.same_subject else ""
    return f"{row.cap.count}{subject} in {row.cap.hours} h"


def _notes(row: Row) -> str:
    presumes = f"Its area codes count as residents: {row.presumes}." if row.presumes else None
    since = f"Since {row.starts}." if row.starts else None
    conflict = f"In doubt: {row.conflict}" if row.conflict else None
    return " ".join(filter(None, [since, row.note, presumes, conflict]))


def _in_words(row: Row) -> str:
    closed = "no holidays, " if row.holidays else ""
    return f"{_week(row)}, {closed}at most {_cap(row)}"


def _week(row: Row) -> str:
    parts = zip(_DAYS, (_MONDAY, _SATURDAY, _SUNDAY), strict=True)
    return ", ".join(f"{name} {_hours(row.week[day])}" for name, day in parts)


def _changes() -> Iterator[str]:
    yield "| on | | before | from then on |"
    yield "|---|---|---|---|"
    for change in hours.changes_after(date.min):
        row = change.after or change.before
        assert row is not None
        yield f"| {change.day} | {row.name} | {_side(change.before)} | {_side(change.after)} |"


def _side(row: Row | None) -> str:
    if row is None:
        return "federal hours"
    return _week(row) if row.cap is None else f"{_week(row)}; {_cap(row)}"


def _calendars(year: int) -> Iterator[str]:
    yield f"| calendar | source | closed in {year} and {year + 1} |"
    yield "|---|---|---|"
    for calendar in holidays.CALENDARS.values():
        days = [d for y in (year, year + 1) for d in holidays.holidays(calendar.id, y).items()]
        told = "; ".join(f"{day:%Y-%m-%d} {name}" for day, name in days)
        yield f"| {calendar.name} | {calendar.source} | {told} |"
