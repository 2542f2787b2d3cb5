"""``reports/growth`` and ``reports/cohorts``: how lists grow, and what becomes of those on them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final

from flask import Response

from bot import csv_lines
from bot.api.door import Call
from bot.api.growth_models import (
    CohortAnswer,
    CohortMonth,
    CohortPeriod,
    CohortSales,
    CohortsAnswer,
    CompletionAnswer,
    GrowthAnswer,
    MethodMoves,
    MovesAnswer,
    Period,
    PeriodMoves,
)
from bot.api.operation import Operation
from bot.api.problems import FieldError, invalid
from bot.api.result_answers import definitions, figure_answer
from bot.api.result_models import CSV
from bot.api.results import day, file_of
from storage.growth import Question, Span
from storage.keys import Scope
from worker.results.growth import Cohort, Growth, Month, Moves, cohorts, completion, growth
from worker.statistics.figures import rate

_NOW: Final = "SELECT assent_now()"
_USUAL: Final = timedelta(days=30)
_YEAR: Final = timedelta(days=365)
_LONGEST: Final = timedelta(days=1_100)
_MOVES: Final = ("confirmed", "returned", "left", "removed", "net")


def report_growth(call: Call, query_data: Period) -> GrowthAnswer:
    """Who came, came back and went, by how they had joined; and who answered when asked."""
    span = _span(call, query_data, _USUAL)
    found = growth(call.work.connection, span, query_data.by)
    return GrowthAnswer(
        definitions=definitions({"growth_rate", "completion"}),
        since=span.since,
        until=span.until,
        program=span.program,
        by=query_data.by,
        start=found.start,
        end=found.end,
        growth=figure_answer(found.rate),
        total=MovesAnswer(**_moves(found.total)),
        methods=[MethodMoves(method=m, **_moves(n)) for m, n in sorted(found.methods.items())],
        items=[
            PeriodMoves(at=at, program=program, method=method, **_moves(moves))
            for (at, program, method), moves in sorted(found.periods.items())
        ],
        completion=figure_answer(completion(found.questions)),
        questions=[_question(each) for each in found.questions],
    )


def report_growth_file(call: Call, query_data: Period) -> Response:
    """The same as CSV: one line for each period, program and way of joining."""
    found = growth(call.work.connection, _span(call, query_data, _USUAL), query_data.by)
    return file_of(csv_lines.lines(("at", "program", "method", *_MOVES), _growth_lines(found)))


def report_cohorts(call: Call, query_data: CohortPeriod) -> CohortsAnswer:
    """People by the month in which they first agreed and by how, month after month."""
    span = _span(call, query_data, _YEAR, monthly=True)
    found = cohorts(call.work.connection, span, int(query_data.months))
    return CohortsAnswer(
        definitions=definitions({"retained"}),
        since=span.since,
        until=span.until,
        program=span.program,
        items=[_cohort(each) for each in found],
    )


def report_cohorts_file(call: Call, query_data: CohortPeriod) -> Response:
    """The same as CSV: one line for each cohort and month; sales on lines of their own."""
    span = _span(call, query_data, _YEAR, monthly=True)
    found = cohorts(call.work.connection, span, int(query_data.months))
    header = (
        *("month", "method", "people", "after", "retained", "optouts", "clickers"),
        *("basis", "currency", "orders", "net_minor"),
    )
    return file_of(
        csv_lines.lines(header, (line for each in found for line in _cohort_lines(each)))
    )


def _span(
    call: Call, given: Period | CohortPeriod, usual: timedelta, *, monthly: bool = False
) -> Span:
    ((now,),) = call.work.connection.execute(_NOW).fetchall()
    assert isinstance(now, datetime)
    until = day(given.until, "until") or now
    since = day(given.since, "since") or _midnight(until - usual)
    if monthly:
        since = since.replace(day=1)
    if not since < until <= since + _LONGEST:
        message = f"The end must come after the beginning, by at most {_LONGEST.days} days."
        raise invalid([FieldError("until", message, "time", "query")])
    return Span(since, until, given.program or None)


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _moves(moves: Moves) -> dict[str, int]:
    return {name: getattr(moves, name) for name in _MOVES}


def _question(question: Question) -> CompletionAnswer:
    first, middle, third = question.quartiles or (None, None, None)
    return CompletionAnswer(
        method=question.method,
        asked=question.asked,
        confirmed=question.confirmed,
        declined=question.declined,
        expired=question.expired,
        open=question.open,
        completion=figure_answer(completion([question])),
        first_quartile=first,
        median=middle,
        third_quartile=third,
    )


def _growth_lines(found: Growth) -> Iterator[tuple[Any, ...]]:
    for (at, program, method), moves in sorted(found.periods.items()):
        yield (at.isoformat(), program, method, *_moves(moves).values())


def _cohort(cohort: Cohort) -> CohortAnswer:
    return CohortAnswer(
        month=f"{cohort.month:%Y-%m}",
        method=cohort.method,
        people=cohort.people,
        months=[_month(cohort, after, of) for after, of in sorted(cohort.months.items())],
    )


def _month(cohort: Cohort, after: int, month: Month) -> CohortMonth:
    return CohortMonth(
        after=after,
        retained=figure_answer(rate("retained", month.retained, cohort.people)),
        optouts=month.optouts,
        clickers=month.clickers,
        sales=[
            CohortSales(
                basis=each.basis,
                currency=each.currency,
                orders=each.orders,
                net_minor=each.net_minor,
            )
            for each in month.bought
        ],
    )


def _cohort_lines(cohort: Cohort) -> Iterator[tuple[Any, ...]]:
    for after, month in sorted(cohort.months.items()):
        of = (f"{cohort.month:%Y-%m}", cohort.method, cohort.people, after)
        yield (*of, month.retained, month.optouts, month.clickers, None, None, None, None)
        for each in month.bought:
            yield (*of, None, None, None, each.basis, each.currency, each.orders, each.net_minor)


_READ: Final = Scope.READ
OPERATIONS: Final = (
    (Operation("GET", "/reports/growth", _READ, GrowthAnswer, query=Period), report_growth),
    (
        Operation("GET", "/reports/growth.csv", _READ, GrowthAnswer, query=Period, media=CSV),
        report_growth_file,
    ),
    (
        Operation("GET", "/reports/cohorts", _READ, CohortsAnswer, query=CohortPeriod),
        report_cohorts,
    ),
    (
        Operation(
            "GET", "/reports/cohorts.csv", _READ, CohortsAnswer, query=CohortPeriod, media=CSV
        ),
        report_cohorts_file,
    ),
)
