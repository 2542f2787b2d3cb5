"""How lists grow, as the API shows it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field, StringConstraints

from bot.api.models import Model, absent
from bot.api.program_models import Slug
from bot.api.result_models import Day, Definitions, FigureAnswer

Months = Annotated[str, StringConstraints(pattern=r"^(?:[0-9]|1[0-9]|2[0-4])$")]


class Period(Model):
    """From the day ``since`` to before the day ``until`` (UTC); the last 30 days by default."""

    since: Day = Field(default_factory=absent)
    until: Day = Field(default_factory=absent)
    program: Slug = Field(default_factory=absent)
    by: Literal["day", "week", "month"] = "day"


class CohortPeriod(Model):
    """People who first agreed from the month of ``since`` to before ``until``: a year by default.

    ``months`` is for how many months after their own they are followed, up to 24.
    """

    since: Day = Field(default_factory=absent)
    until: Day = Field(default_factory=absent)
    program: Slug = Field(default_factory=absent)
    months: Months = "12"


class MovesAnswer(Model):
    """People who confirmed for the first time, who came back, who left, and whose number is gone.

    ``net`` is what the list grew by.
    """

    confirmed: int
    returned: int
    left: int
    removed: int
    net: int


class MethodMoves(MovesAnswer):
    """The same of people who had joined in one way, also of those who went."""

    method: str


class PeriodMoves(MethodMoves):
    """The same in one period."""

    at: datetime
    program: str


class CompletionAnswer(Model):
    """What came of the requests of the period until now, by the method of the request.

    The quartiles are seconds from the question to the yes.
    """

    method: str
    asked: int
    confirmed: int
    declined: int
    expired: int
    open: int
    completion: FigureAnswer
    first_quartile: int | None
    median: int | None
    third_quartile: int | None


class GrowthAnswer(Model):
    """How the list of a program grew, or the lists of all: somebody in two of them counts twice."""

    definitions: Definitions
    since: datetime
    until: datetime
    program: str | None
    by: Literal["day", "week", "month"]
    start: int
    end: int
    growth: FigureAnswer
    total: MovesAnswer
    methods: list[MethodMoves]
    items: list[PeriodMoves]
    completion: FigureAnswer
    questions: list[CompletionAnswer]


class CohortSales(Model):
    """Orders that the program earned from a cohort in a month."""

    basis: str
    currency: str
    orders: int
    net_minor: int


class CohortMonth(Model):
    """A cohort in the month so many months ``after`` its own; 0 is its own.

    ``optouts`` and ``clickers`` are different people in that month.
    """

    after: int
    retained: FigureAnswer
    optouts: int
    clickers: int
    sales: list[CohortSales]


class CohortAnswer(Model):
    """People who first agreed in one month ("2026-05") by one method."""

    month: str
    method: str
    people: int
    months: list[CohortMonth]


class CohortsAnswer(Model):
    """Cohorts, oldest first."""

    definitions: Definitions
    since: datetime
    until: datetime
    program: str | None
    items: list[CohortAnswer]
