"""How lists grow: who came, came back and went, by how they had joined; and who answered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from storage import cohorts as cohort_rows
from storage import growth as rows
from storage.cohorts import Bought, Cohorts
from storage.database import Connection
from storage.growth import Question, Span
from worker.statistics.figures import Figure, rate


@dataclass(slots=True)
class Moves:
    """How many people came new, came back, left, and were removed with their number."""

    confirmed: int = 0
    returned: int = 0
    left: int = 0
    removed: int = 0

    @property
    def net(self) -> int:
        """What is left of it."""
        return self.confirmed + self.returned - self.left - self.removed

    def add(self, what: str, n: int) -> None:
        """Add ``n`` moves of one kind, by its name here."""
        setattr(self, what, getattr(self, what) + n)


@dataclass(frozen=True, slots=True)
class Growth:
    """A list over a time. ``start`` and ``end`` are people on it; ``rate`` is over the start."""

    start: int
    end: int
    total: Moves
    methods: Mapping[str, Moves]
    periods: Mapping[tuple[datetime, str, str], Moves]
    questions: Sequence[Question]

    @property
    def rate(self) -> Figure:
        """The list's growth."""
        return rate("growth_rate", self.total.net, self.start)


@dataclass(slots=True)
class Month:
    """A cohort in the month so many months after its own; the first is its own month."""

    retained: int = 0
    optouts: int = 0
    clickers: int = 0
    bought: list[Bought] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Cohort:
    """People who first agreed in one month by one method, month by month."""

    month: datetime
    method: str
    people: int
    months: Mapping[int, Month]


def growth(connection: Connection, span: Span, by: str) -> Growth:
    """A list from ``span.since`` to ``span.until``, by "day", "week" or "month". In a transaction.

    Of all programs together somebody in two of them counts twice.
    """
    rows.patient(connection)
    total = Moves()
    methods: dict[str, Moves] = {}
    periods: dict[tuple[datetime, str, str], Moves] = {}
    for move in rows.moves(connection, span, by):
        key = (move.period, move.program, move.method)
        for of in (
            total,
            methods.setdefault(move.method, Moves()),
            periods.setdefault(key, Moves()),
        ):
            of.add(move.what, move.n)
    start = rows.listed(connection, span.since, span.program)
    questions = rows.questions(connection, span)
    return Growth(start, start + total.net, total, methods, periods, questions)


def completion(questions: Sequence[Question]) -> Figure:
    """Yeses over questions."""
    asked = sum(each.asked for each in questions)
    return rate("completion", sum(each.confirmed for each in questions), asked)


def cohorts(connection: Connection, span: Span, months: int) -> list[Cohort]:
    """The cohorts of a time, oldest first, for up to ``months`` months after their own."""
    rows.patient(connection)
    found = cohort_rows.cohorts(connection, span, months)
    by_cohort = _months(found)
    return [
        Cohort(size.month, size.method, size.people, by_cohort.get((size.month, size.method), {}))
        for size in found.sizes
    ]


def _months(found: Cohorts) -> dict[tuple[datetime, str], dict[int, Month]]:
    made: dict[tuple[datetime, str], dict[int, Month]] = {}
    for each in found.stayed:
        of = made.setdefault((each.month, each.method), {})
        of[each.after] = Month(each.retained)
    for name, did in (("optouts", found.left), ("clickers", found.clicked)):
        counts = Counter({(d.month, d.method, d.after): d.n for d in did})
        for (month, method, after), n in counts.items():
            setattr(made[month, method].setdefault(after, Month()), name, n)
    for bought in found.bought:
        of = made[bought.month, bought.method]
        of.setdefault(bought.after, Month()).bought.append(bought)
    return made
